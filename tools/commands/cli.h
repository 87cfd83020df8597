// How a subcommand joins the `oxbow` program: one function that adds its options, and one line in
// tools/commands/main.cpp. Errors are thrown; tools/commands/main.cpp turns them into messages and exit code 1 (wrong
// usage is 2).
#pragma once

#include <fmt/format.h>
#include <oxbow/optim/optimizer.h>
#include <oxbow/runtime/numerics.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dump/stages.h"

namespace oxbow::tools {

struct Command {
  const CLI::App* app;       ///< tells whether it was asked for
  std::function<int()> run;  ///< returns the exit code
};

Command train_command(CLI::App& program);
Command bench_command(CLI::App& program);
Command dump_command(CLI::App& program);
Command diff_command(CLI::App& program);
Command evaluate_command(CLI::App& program);
Command explain_command(CLI::App& program);
Command import_command(CLI::App& program);
Command info_command(CLI::App& program);
Command lr_command(CLI::App& program);
Command ops_command(CLI::App& program);
Command plan_command(CLI::App& program);
Command plot_command(CLI::App& program);
Command predict_command(CLI::App& program);
Command run_command(CLI::App& program);
Command profile_command(CLI::App& program);

/// `--threads`, as many as a pool takes. 0 without it: all cores.
void add_threads(CLI::App& command, int& threads, const std::string& what);

/// `--memory-budget 200M`: bytes, with k, M or G for thousands, millions, billions of them. Empty without it.
void add_memory_budget(CLI::App& command, std::optional<std::int64_t>& bytes);

/// `--activations bf16`: see ops/store_activations.h. Empty without it.
void add_activations(CLI::App& command, std::optional<DType>& dtype);

/// `--check-numerics[=results|all]`: see runtime/numerics.h. `value` is "" without it.
void add_check_numerics(CLI::App& command, std::string& value);
CheckNumerics read_check_numerics(const std::string& value);

/// `--threads`, `--size`, `--training`, `--inference`, `--without`, `--memory-budget`, `--activations`: how a graph is
/// compiled.
struct CompilingOptions {
  int threads = 0;
  bool inference = false;
  std::vector<std::string> sizes, without;
  std::optional<std::int64_t> memory_budget = {};
  std::optional<DType> activations = {};
  void add_to(CLI::App& command);
  bool given() const {
    return threads > 0 || inference || !sizes.empty() || !without.empty() || memory_budget || activations;
  }
  /// Throws `Error` for a size of an input that the graph does not have, or of an axis that is not free.
  Compiling read(const Graph& graph) const;
};

/// Checks of options: "" for a number greater than 0 that is finite, for a whole one of 64 bits, or for one from 0 to
/// less than 1, else what is wrong. CLI11's own checks take NaN.
std::string positive(const std::string& text);
std::string seed(const std::string& text);
std::string below_one(const std::string& text);
/// A check of options: "" for the name of a file that a plot can be written to, else what is wrong.
std::string picture_file(const std::string& path);

/// `--optimizer` and `--set FIELD=VALUE`.
void add_optimizer(CLI::App& command, std::string& name, std::vector<std::string>& fields);
/// The optimizer of this name with these fields set. Throws `Error` for a name or a field that there is not.
optim::Optimizer read_optimizer(const std::string& name, const std::vector<std::string>& fields);
/// What it is called in headings: "adam", "sgd(momentum=0.9)".
std::string optimizer_title(const std::string& name, const std::vector<std::string>& fields);

/// Prints for who called the command. What a terminal obeys, but line ends and tabs, is shown as an escape: names of
/// files and of what is in graphs may hold it. Throws `Error`.
void say_text(const std::string& text);
template <class... A>
void say(fmt::format_string<A...> format, A&&... a) {
  say_text(fmt::format(format, std::forward<A>(a)...));
}
/// The same to standard error: "oxbow: ", the problem, a line end.
void complain(std::string_view problem);

/// Writes to a file, whole or not at all, or to standard output where `path` is empty. A terminal gets escapes for what
/// it would obey. Throws `Error`.
void write_out(const std::string& path, const std::string& content);

}  // namespace oxbow::tools
