// The `oxbow` program: one line for each command. What a command throws becomes a message and exit code 1; wrong usage
// is 2, a training that Ctrl-C ended 130.
#include <fcntl.h>
#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <new>

#include "commands/cli.h"

namespace {

using namespace oxbow;

// What is wrong with the command line, and where to read on.
std::string usage_error(const CLI::App* app, const CLI::Error& e) {
  std::string command = "oxbow";
  for (; !app->get_subcommands().empty(); command += " " + app->get_name()) {
    if (e.get_exit_code() == 0 && !app->remaining().empty()) break;
    app = app->get_subcommands().front();
  }
  std::string problem = e.what();
  if (const std::vector<std::string> unknown = app->remaining(); !unknown.empty()) {
    const bool option = unknown[0].starts_with("-");
    std::vector<std::string> known;
    if (option)
      for (const CLI::Option* o : app->get_options())
        for (const std::string& name : o->get_lnames()) known.push_back("--" + name);
    for (const CLI::App* c : app->get_subcommands([](const CLI::App*) { return true; }))
      if (!option) known.push_back(c->get_name());
    if (e.get_exit_code() == 0) problem = CLI::ExtrasError(unknown).what();
    if (!known.empty())
      problem = fmt::format("there is no {} \"{}\".{}", option ? "option" : "command", unknown[0],
                            internal::did_you_mean(unknown[0], known));
  }
  return "oxbow: " + internal::shown(problem, internal::limits::message, "\n\t") + "\nRun " + command +
         " --help to see what there is\n";
}

// A file that is opened where a standard stream was closed gets the stream's number, and the next line that is printed.
// So a closed one is taken, by what cannot be written to: printing fails, as it should.
void take_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0)
      static_cast<void>(::open("/dev/null", O_RDONLY));  // the lowest number, so this one
}

int run_command(int argc, char** argv) {
  CLI::App app{"Oxbow trains and runs models as static dataflow graphs. Each command has its own --help.", "oxbow"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "oxbow " OXBOW_VERSION);
  app.failure_message(usage_error);
  app.footer(
      "Examples:\n"
      "  oxbow train                            train mnist_mlp and write its curve, parameters and graph to out/\n"
      "  oxbow dump xor                         print the graph of an example\n"
      "  oxbow profile mnist_mlp                where a step's time goes\n"
      "  oxbow run xor --random                 run a graph once and print its results\n"
      "  oxbow bench mlp --threads 2            milliseconds a training step");

  const std::vector<tools::Command> commands = {
      tools::train_command(app),   tools::predict_command(app), tools::evaluate_command(app),
      tools::info_command(app),    tools::import_command(app),  tools::dump_command(app),
      tools::diff_command(app),    tools::explain_command(app), tools::run_command(app),
      tools::profile_command(app), tools::plan_command(app),    tools::lr_command(app),
      tools::plot_command(app),    tools::ops_command(app),     tools::bench_command(app)};

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // Help was asked for, but of something that there is not.
    if (e.get_exit_code() == 0 && !app.remaining(true).empty()) {
      std::fputs(usage_error(&app, e).c_str(), stderr);
      return 2;
    }
    if (app.exit(e) != 0) return 2;
    std::cout.flush();  // CLI11 prints help there
    if (!std::cout) throw Error("cannot write to standard output");
    return 0;
  }
  const auto asked = std::find_if(commands.begin(), commands.end(), [](const auto& c) { return c.app->parsed(); });
  const int code = asked->run();
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost && code == 0) throw Error("cannot write to standard output");  // else it has been told
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  take_closed_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files (ulimit -f) is told as a full disk is
  try {
    return run_command(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("oxbow: out of memory\n", stderr);
  } catch (const std::exception& e) {
    tools::complain(e.what());
  }
  return 1;
}
