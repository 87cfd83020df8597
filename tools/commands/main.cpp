// oxbow: trains the examples, dumps graphs, measures speed.
#include <fcntl.h>
#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <new>
#include <thread>

#include "commands/cli.h"
#include "commands/commands.h"
#include "commands/load.h"

namespace {

using namespace oxbow;

// Turns Ctrl-C into a stop request, on a thread of its own: what a signal handler may do is far too little. A second
// Ctrl-C ends the program at once.
class Interrupt {
 public:
  Interrupt() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);  // before any other thread starts, so that all inherit it
    std::thread([set = signals_, source = source_]() mutable {
      int which = 0;
      sigwait(&set, &which);
      source.request_stop();
      pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
      pause();
    }).detach();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t signals_;
  std::stop_source source_;
};

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
                            did_you_mean(unknown[0], known));
  }
  return "oxbow: " + escaped(problem, "\n\t") + "\nRun " + command + " --help to see what there is\n";
}

// A file that is opened where a standard stream was closed gets the stream's number, and the next line that is printed.
// So a closed one is taken, by what cannot be written to: printing fails, as it should.
void take_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0)
      static_cast<void>(::open("/dev/null", O_RDONLY));  // the lowest number, so this one
}

// As many as a pool takes.
const CLI::Range thread_counts(1, 256);

int run(int argc, char** argv) {
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

  tools::TrainCommand train;
  CLI::App* t = app.add_subcommand("train", "Train a net on MNIST and write curve, parameters and graph");
  t->footer(
      "Examples:\n"
      "  oxbow train mnist_cnn --epochs 3       a convolutional net, three passes over the data\n"
      "  oxbow train --optimizer sgd --learning-rate 0.1 --out sgd\n"
      "  oxbow train --optimizer sgd --set momentum=0.9 --learning-rate 0.01\n"
      "  oxbow train --learning-rate 3e-3 --schedule cosine --warmup 200 --clip-norm 1\n"
      "  oxbow train --record norms --tensorboard runs/adam\n"
      "  oxbow train my_net.txt                 a graph that print(graph) wrote\n"
      "History and state are written at each epoch's end: the same command with --resume continues from there, also\n"
      "after a kill or a power cut. Ctrl-C ends training and writes what was learned until then.");
  t->add_option(
       "net", train.net,
       "an example (mnist_mlp, mnist_cnn) or a file with a graph: inputs x and label, outputs loss and accuracy")
      ->capture_default_str();
  t->add_option("--data", train.data, "folder with the four MNIST files (IDX, gzipped or not)")->capture_default_str();
  t->add_option("--out", train.out, "folder for the results")->capture_default_str();
  tools::add_optimizer(*t, train.optimizer, train.fields);
  t->add_option("--learning-rate", train.learning_rate, "default: the optimizer's own")
      ->check(tools::positive, "greater than 0");
  t->add_option("--schedule", train.schedule, "of the learning rate, from --learning-rate on, over all epochs")
      ->check(CLI::IsMember(tools::schedule_names()))
      ->capture_default_str();
  t->add_option("--warmup", train.warmup, "steps in which the rate rises from 0, before the schedule")
      ->check(tools::positive, "greater than 0");
  t->add_option("--clip-norm", train.clip_norm, "scale gradients down to this length, all of them taken together")
      ->check(tools::positive, "greater than 0");
  t->add_option("--accumulate", train.accumulate, "minibatches whose gradients make one step")
      ->check(tools::positive, "greater than 0")
      ->capture_default_str();
  t->add_option("--ema", train.ema, "test and save a moving average of the weights with this decay, 0.999 say")
      ->check(tools::below_one, "0 to less than 1");
  t->add_option_function<std::string>(
       "--record", [&](const std::string&) { train.record_norms = true; },
       "norms: each step's gradient norms and update-to-weight ratios, in history.csv and norms.svg")
      ->check(CLI::IsMember({"norms"}));
  t->add_option("--tensorboard", train.tensorboard, "folder for event files, which TensorBoard shows");
  t->add_flag("--resume", train.resume, "go on where a training with the same options ended, from its --out folder");
  t->add_option("--checkpoint-every", train.checkpoint_every,
                "minibatches, and at each epoch's end; default: only then")
      ->check(tools::positive, "greater than 0");
  t->add_option("--epochs", train.epochs, "passes over the training images")
      ->check(tools::positive, "greater than 0")
      ->capture_default_str();
  t->add_option("--batch-size", train.batch_size, "images a step")
      ->check(tools::positive, "greater than 0")
      ->capture_default_str();
  t->add_option("--threads", train.threads, "default: all cores; the results are the same")->check(thread_counts);
  t->add_option("--seed", train.seed, "of the order of the images")->check(tools::seed)->capture_default_str();
  tools::add_check_numerics(*t, train.check_numerics);

  const std::vector<tools::Command> commands = {
      tools::dump_command(app),    tools::diff_command(app), tools::explain_command(app), tools::run_command(app),
      tools::profile_command(app), tools::lr_command(app),   tools::plot_command(app),    tools::ops_command(app)};

  tools::BenchCommand bench;
  CLI::App* b = app.add_subcommand("bench", "Measure whole training steps with Adam");
  b->footer(
      "Examples:\n"
      "  oxbow bench                            all nets on all cores\n"
      "  oxbow bench mlp lenet --threads 1      two of them on one thread\n"
      "  oxbow bench mnist_cnn                  an example");
  std::string nets;
  for (const auto& [name, what] : tools::bench_nets()) nets += "\n  " + name + ": " + what;
  b->add_option("nets", bench.nets, "which ones, or examples, or files with graphs; default: all" + nets);
  b->add_option("--threads", bench.threads, "default: all cores")->check(thread_counts);
  b->add_option("--seconds", bench.seconds, "to measure each")
      ->check(tools::positive, "greater than 0")
      ->capture_default_str();
  tools::add_check_numerics(*b, bench.check_numerics);
  b->add_flag("--hand-over", bench.hand_over, "hand what is fed over, so that the check need not copy it");
  b->add_flag("--worker", bench.worker, "take turns with other programs: see tools/bench/compare.py");

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
  const auto parsed = std::find_if(commands.begin(), commands.end(), [](const auto& c) { return c.app->parsed(); });
  const int code = parsed != commands.end() ? parsed->run()
                   : t->parsed()            ? tools::train(train, Interrupt().token())
                                            : tools::bench(bench);
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost && code == 0) throw Error("cannot write to standard output");  // else it has been told
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  take_closed_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files (ulimit -f) is told as a full disk is
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("oxbow: out of memory\n", stderr);
  } catch (const std::exception& e) {
    std::fputs(("oxbow: " + escaped(e.what(), "\n\t") + "\n").c_str(),
               stderr);  // does not throw where nothing can report it
  }
  return 1;
}
