// How a subcommand joins the `oxbow` program: one function that adds its options, and one line in tools/main.cpp.
// Errors are thrown; tools/main.cpp turns them into messages and exit code 1 (wrong usage is 2).
#pragma once

#include <oxbow/runtime/numerics.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "stages.h"

namespace oxbow::tools {

struct Command {
  const CLI::App* app;       ///< tells whether it was asked for
  std::function<int()> run;  ///< returns the exit code
};

Command dump_command(CLI::App& program);
Command diff_command(CLI::App& program);
Command explain_command(CLI::App& program);
Command lr_command(CLI::App& program);
Command plot_command(CLI::App& program);
Command run_command(CLI::App& program);
Command profile_command(CLI::App& program);

/// `--check-numerics[=results|all]`: see runtime/numerics.h. `value` is "" without it.
void add_check_numerics(CLI::App& command, std::string& value);
CheckNumerics read_check_numerics(const std::string& value);

/// `--threads`, `--size`, `--training`, `--inference`, `--without`: how a graph is compiled.
struct CompilingOptions {
  int threads = 0;
  bool inference = false;
  std::vector<std::string> sizes, without;
  void add_to(CLI::App& command);
  bool given() const { return threads > 0 || inference || !sizes.empty() || !without.empty(); }
  /// Throws `Error` for a size of an input that the graph does not have, or of an axis that is not free.
  Compiling read(const Graph& graph) const;
};

/// A check of options: "" for a number greater than 0 that is finite, else what is wrong. `CLI::PositiveNumber` takes
/// NaN.
std::string positive(const std::string& text);
/// A check of options: "" for the name of a file that a plot can be written to, else what is wrong.
std::string picture_file(const std::string& path);

/// "adadelta, adafactor, ...".
std::string optimizer_names();

/// Writes to a file, whole or not at all, or to standard output where `path` is empty. Throws `Error`.
void write_out(const std::string& path, const std::string& content);

}  // namespace oxbow::tools
