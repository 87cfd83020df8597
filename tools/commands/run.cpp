// oxbow run: a graph once, or some times, and what came out.
#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/runtime/files/input_file.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "commands/cli.h"
#include "commands/data.h"
#include "commands/load.h"
#include "measure/feeds.h"

namespace oxbow::tools {
using namespace internal;

namespace {

struct RunCommand {
  std::string graph, data, out, parameters, numerics, repro = "out/nan";
  std::vector<std::string> feeds;
  bool random = false;
  int steps = 1;
  std::int64_t samples = 0;  // of the data; 0: all
  CompilingOptions compiling;
};

// A 64-bit hash of a tensor's bytes and type: FNV-1a (Fowler, Noll, Vo).
std::uint64_t checksum(const Tensor& t) {
  std::uint64_t hash = 14695981039346656037u;
  const auto add = [&](const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) hash = (hash ^ static_cast<const std::uint8_t*>(bytes)[i]) * 1099511628211u;
  };
  const std::string type = to_string(t.type());
  add(type.data(), type.size());
  add(t.bytes(), static_cast<std::size_t>(t.type().bytes()));
  return hash;
}

std::string values_text(const Tensor& t) { return t.shape().rank() == 0 ? element_text(t, 0) : to_string(census(t)); }

// What to feed: what the user gave, and random numbers for the rest where that was asked for.
Feeds all_feeds(const RunCommand& o, const Graph& graph, const Compiling& how, const Program& program, Feeds feeds) {
  std::string missing;
  for (const ops::Input& in : program.inputs()) {
    if (feeds.contains(in.name)) continue;
    const auto sized = how.sizes.find(in.name);
    if (o.random)
      feeds[in.name] = random_feed(graph, in.name, sized == how.sizes.end() ? in.type.shape : sized->second);
    else
      missing += fmt::format("\n  {}: {}{}", in.name, name(in.type.dtype), declared_shape(in));
  }
  if (!missing.empty())
    throw Error(
        "these inputs are not fed:" + missing +
        "\n  Feed each with --feed NAME=FILE.safetensors, all of a file with --data FILE, or all with --random");
  return feeds;
}

// Sets what the file holds. A training's state is more than a forward graph has: the rest of it is left.
void set_variables(Store& store, const std::string& path) {
  const Safetensors file = load_safetensors(path);
  const std::vector<std::string> known = store.names();
  const std::unordered_set<std::string_view> names(known.begin(), known.end());
  const auto has = [&](const std::string& name) { return names.contains(name); };
  std::size_t set = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (!has(name) && (name.starts_with("fit/") || name.starts_with("optimizer/"))) continue;
    if (!has(name))
      throw Error(fmt::format("{} has {}, but no variable of the graph has this name.{}", path, in_quotes(name),
                              did_you_mean(name, known)));
    store.set(name, tensor);
    ++set;
  }
  if (set == 0) throw Error(path + " has a value for none of the graph's variables");
}

int run_graph(RunCommand o) {
  if (const auto inputs = std::filesystem::path(o.graph) / "inputs.safetensors"; something_at(inputs))
    o.feeds.insert(o.feeds.begin(), inputs.string());  // what a hunt for NaN wrote beside its graph
  const Loaded loaded = load(o.graph);
  const auto graph = loaded.graph;
  const Compiling how = o.compiling.read(*graph);
  const std::vector<Value> wanted = fetches(*graph);
  const Program program =
      compiled(wanted, how, {.numerics = {.check = read_check_numerics(o.numerics), .repro = o.repro}});
  Store store = loaded.store ? *loaded.store : Store(*graph);
  if (!o.parameters.empty()) set_variables(store, o.parameters);
  Session session(program, store);
  Feeds feeds = read_feeds(*graph, o.feeds);
  if (!o.data.empty()) {
    const Dataset data = read_data(o.graph, o.data).train;
    feeds.merge(first_rows(data, o.samples > 0 ? o.samples : data.size()));
  }
  for (auto& [name, tensor] : all_feeds(o, *graph, how, program, std::move(feeds)))
    if (std::any_of(program.inputs().begin(), program.inputs().end(),
                    [&](const ops::Input& in) { return in.name == name; }))
      session.feed(name, std::move(tensor));
  for (int step = 0; step < o.steps; ++step) session.run();
  session.check_numerics();

  Safetensors results;
  std::vector<std::array<std::string, 4>> rows{{"result", "type", "values", "checksum"}};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Tensor t = session.fetch_tensor(static_cast<int>(i));
    const Node node = wanted[i].node();
    std::string name = program.output_names()[i];
    if (node.op().is<ops::Assign>())
      name = node.input(0).node().op().as<ops::Variable>()->name;
    else if (i >= graph->outputs().size())
      name = node.full_name() + (wanted[i].output() > 0 ? fmt::format("#{}", wanted[i].output()) : "");
    const bool taken = std::any_of(results.tensors.begin(), results.tensors.end(),
                                   [&](const auto& known) { return known.first == name; });
    if (taken) name += fmt::format("#{}", i);
    rows.push_back({escaped(name), to_string(t.type()), values_text(t), fmt::format("{:016x}", checksum(t))});
    results.tensors.emplace_back(name, t);
  }
  std::array<std::size_t, 3> width{};
  for (const auto& row : rows)
    for (std::size_t c = 0; c < width.size(); ++c) width[c] = std::max(width[c], row[c].size());
  for (const auto& [name, type, values, sum] : rows)
    say("{:<{}}  {:<{}}  {:<{}}  {}\n", name, width[0], type, width[1], values, width[2], sum);
  if (!o.out.empty()) save_safetensors(o.out, results);
  return 0;
}

}  // namespace

Command run_command(CLI::App& program) {
  auto o = std::make_shared<RunCommand>();
  CLI::App* r = program.add_subcommand("run", "Run a graph and print what comes out, with checksums of its bits");
  r->footer(
      "Examples:\n"
      "  oxbow run mnist_mlp --random --size 32       one training step on random numbers\n"
      "  oxbow run graph.txt --feed x=digits.safetensors --out results.safetensors\n"
      "  oxbow run flats.oxb --data new.csv           what an exported model makes of a table\n"
      "  oxbow run out/nan                            repeats what --check-numerics found");
  r->add_option("graph", o->graph, "an example (" + example_names() + "), a file, or a folder of --check-numerics")
      ->required();
  r->add_option("--feed", o->feeds,
                "NAME=FILE.safetensors: what to feed an input; FILE.safetensors: all that it holds, by name");
  r->add_option("--data", o->data, data_help);
  r->add_option("--samples", o->samples, "of the data, the first ones; default: all")
      ->check(positive, "greater than 0");
  r->add_flag("--random", o->random, "random numbers, always the same, for inputs that are not fed");
  r->add_option("--parameters", o->parameters, "values of variables, a file that training wrote");
  r->add_option("--steps", o->steps, "runs; the last one's results are printed")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  r->add_option("-o,--out", o->out, "a safetensors file for the results");
  add_check_numerics(*r, o->numerics);
  r->add_option("--repro", o->repro, "folder for what repeats a NaN")->capture_default_str();
  o->compiling.add_to(*r);
  return {r, [o] { return run_graph(*o); }};
}

}  // namespace oxbow::tools
