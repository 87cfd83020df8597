#include "commands/cli.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/runtime/atomic_file.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "plot/plot.h"

namespace oxbow::tools {
using namespace internal;

namespace {

std::vector<std::int64_t> read_sizes(const std::string& text, const std::string& option) {
  std::vector<std::int64_t> sizes;
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    std::int64_t size = 0;
    const auto [stop, wrong] = std::from_chars(at, end, size);
    if (wrong != std::errc() || size < 0 || (stop != end && *stop != ','))
      throw Error("--size " + option + ": expected sizes, as in x=32 or x=32,100");
    sizes.push_back(size);
    if (stop == end) return sizes;
    at = stop + 1;
  }
}

// "true", "3", "0.9", or else a text: "pytorch".
AttrValue field_value(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [stop, wrong] = std::from_chars(text.data(), end, integer); stop == end && wrong == std::errc())
    return integer;
  double number = 0;
  if (const auto [stop, wrong] = std::from_chars(text.data(), end, number); stop == end && wrong == std::errc())
    return number;
  return text;
}

// Sizes that were given for some inputs only may not go with the example sizes that the others keep.
void check_sizes(const Graph& graph, const Compiling& how) {
  std::vector<std::string> kept;
  for (NodeId i = 0; i < graph.size(); ++i)
    if (const auto* in = graph.node(i).op().as<ops::Input>();
        in && !in->free_axes.empty() && !how.sizes.contains(in->name))
      kept.push_back(in->name + " " + to_string(in->type.shape));
  if (how.sizes.empty() || kept.empty()) return;
  try {
    specialise(graph, fetches(graph), how.sizes, how.mode);
  } catch (const Error& e) {
    throw Error(std::string(e.what()) + "\n  These inputs keep their example sizes: " + listed(kept) +
                "\n  Give sizes for them too, or for all inputs at once: --size 32");
  }
}

void put(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw Error("cannot write to standard output");
}

// "200M", "1.5G", "65536".
std::int64_t read_bytes(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, wrong] = std::from_chars(text.data(), end, number);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  const double factor = unit.empty() ? 1 : unit == "k" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : 0;
  if (wrong != std::errc() || factor == 0 || !(number >= 0) || number * factor > 9e18)
    throw CLI::ValidationError("--memory-budget",
                               text + " is not a number of bytes, as in 65536, 200M (millions) or 1.5G");
  return static_cast<std::int64_t>(number * factor);
}

}  // namespace

void add_memory_budget(CLI::App& command, std::optional<std::int64_t>& bytes) {
  command.add_option_function<std::string>(
      "--memory-budget", [&bytes](const std::string& text) { bytes = read_bytes(text); },
      "the most bytes that values may take at once, as in 200M: what does not fit is computed again when it is read");
}

void add_activations(CLI::App& command, std::optional<DType>& dtype) {
  command
      .add_option_function<std::string>(
          "--activations", [&dtype](const std::string& text) { dtype = parse_dtype(text); },
          "bf16 or f16: in what values of forward wait for backward, in half of the memory")
      ->check(CLI::IsMember({"bf16", "f16"}));
}

void add_threads(CLI::App& command, int& threads, const std::string& what) {
  command.add_option("--threads", threads, what)->check(CLI::Range(1, 256));
}

void CompilingOptions::add_to(CLI::App& command) {
  add_threads(command, threads, "that the plan is made for; default: all cores");
  auto* training = command.add_flag("--training")->description("as a training step (default)");
  command.add_flag("--inference", inference, "no dropout, running statistics")->excludes(training);
  command.add_option("--size", sizes, "sizes of an input's free axes, in order: x=32; without a name, of all inputs");
  command.add_option("--without", without, "passes to leave out: " + listed(internal::optional_passes()));
  add_memory_budget(command, memory_budget);
  add_activations(command, activations);
}

Compiling CompilingOptions::read(const Graph& graph) const {
  Compiling how{.mode = inference ? Mode::inference : Mode::training,
                .threads = threads,
                .disable = without,
                .memory_budget = memory_budget,
                .activations = activations};
  for (const std::string& option : sizes) {
    const std::size_t mark = option.rfind('=');
    const std::string wanted = mark == std::string::npos ? "" : option.substr(0, mark);
    const std::vector<std::int64_t> given = read_sizes(option.substr(mark == std::string::npos ? 0 : mark + 1), option);
    std::vector<std::string> names;
    bool found = false;
    for (NodeId i = 0; i < graph.size(); ++i) {
      const auto* in = graph.node(i).op().as<ops::Input>();
      if (!in) continue;
      names.push_back(in->name);
      if (mark != std::string::npos ? in->name != wanted : in->free_axes.empty()) continue;
      found = true;
      if (given.size() > in->free_axes.size())
        throw Error("--size " + option + ": the input " + in_quotes(in->name) + " is " + declared_shape(*in) +
                    ", so it has " + std::to_string(in->free_axes.size()) + " free axes, not " +
                    std::to_string(given.size()));
      Shape shape = in->type.shape;
      for (std::size_t k = 0; k < given.size(); ++k) shape = shape.with(static_cast<int>(in->free_axes[k]), given[k]);
      how.sizes.insert_or_assign(in->name, shape);
    }
    if (!found)
      throw Error("--size " + option + ": the graph has no " +
                  (mark == std::string::npos ? "input with a free axis" : "input " + in_quotes(wanted)) + "." +
                  did_you_mean(wanted, names));
  }
  check_sizes(graph, how);
  return how;
}

void add_check_numerics(CLI::App& command, std::string& value) {
  command
      .add_flag("--check-numerics{results}", value,
                "name the first node that makes a NaN or Inf and write what repeats it; =all: looks at every node of "
                "every step, slow, and finds what never reaches a result")
      ->check(CLI::IsMember({"results", "all"}));
}

CheckNumerics read_check_numerics(const std::string& value) {
  if (value.empty()) return CheckNumerics::off;
  return value == "all" ? CheckNumerics::all : CheckNumerics::results;
}

std::string positive(const std::string& text) {
  double x = 0;
  if (CLI::detail::lexical_cast(text, x) && x > 0 && std::isfinite(x)) return {};
  return text + " is not a number greater than 0";
}

std::string seed(const std::string& text) {
  std::uint64_t x = 0;
  const char* end = text.data() + text.size();
  if (const auto [stop, wrong] = std::from_chars(text.data(), end, x); stop == end && wrong == std::errc()) return {};
  return text + " is not a whole number from 0 to 18446744073709551615";
}

std::string below_one(const std::string& text) {
  double x = 0;
  if (CLI::detail::lexical_cast(text, x) && x >= 0 && x < 1) return {};
  return text + " is not a number from 0 to less than 1";
}

std::string picture_file(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  if (suffix.empty() || suffix == ".svg" || is_page(path)) return {};
  return path + " is neither an .svg nor an .html file, the formats of plots";
}

void add_optimizer(CLI::App& command, std::string& name, std::vector<std::string>& fields) {
  command.add_option("--optimizer", name, "by name, in any case: " + listed(optim::optimizer_names()))
      ->capture_default_str();
  command.add_option("--set", fields, "a field of the optimizer, as in --set momentum=0.9 --set convention=pytorch")
      ->allow_extra_args(false);
}

optim::Optimizer read_optimizer(const std::string& name, const std::vector<std::string>& fields) {
  optim::Optimizer optimizer(name, Location{});  // no line of a program helps a shell user
  for (const std::string& field : fields) {
    const std::size_t mark = field.find('=');
    if (mark == std::string::npos || mark == 0)
      throw Error("--set " + field + ": expected a field and its value, as in momentum=0.9");
    optimizer = optimizer.with(field.substr(0, mark), field_value(field.substr(mark + 1)), Location{});
  }
  return optimizer;
}

std::string optimizer_title(const std::string& name, const std::vector<std::string>& fields) {
  return lower_case(name) + (fields.empty() ? "" : "(" + listed(fields) + ")");
}

void say_text(const std::string& text) { put(escaped(text, "\n\t")); }

void complain(std::string_view problem) {
  std::fputs(("oxbow: " + shown(problem, limits::message, "\n\t") + "\n").c_str(),
             stderr);  // does not throw where nothing can report it
}

void write_out(const std::string& path, const std::string& content) {
  if (path.empty()) {
    put(::isatty(STDOUT_FILENO) == 1 ? escaped(content, "\n\t") : content);
    if (std::fflush(stdout) != 0) throw Error("cannot write to standard output");
    return;
  }
  std::error_code unknown;
  const std::filesystem::file_status there = std::filesystem::status(path, unknown);
  if (!std::filesystem::is_character_file(there) && !std::filesystem::is_fifo(there)) return write_file(path, content);
  std::ofstream out(path);  // a device or a pipe: nothing to replace
  if (!(out << content << std::flush)) throw Error("cannot write to " + path);
}

}  // namespace oxbow::tools
