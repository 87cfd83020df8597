// oxbow: trains the examples, dumps graphs, measures speed.
#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>
#include <thread>

#include "commands.h"
#include "load.h"

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

int run(int argc, char** argv) {
  CLI::App app{"Oxbow trains and runs models as static dataflow graphs. Each command has its own --help.", "oxbow"};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  app.footer(
      "Examples:\n"
      "  oxbow train                            train mnist_mlp and write its curve, parameters and graph to out/\n"
      "  oxbow train mnist_cnn --epochs 3       a convolutional net, three passes over the data\n"
      "  oxbow dump xor                         print the graph of an example\n"
      "  oxbow dump mnist_mlp -f svg -o g.svg   draw it\n"
      "  oxbow bench mlp --threads 2            milliseconds a training step");

  tools::TrainCommand train;
  CLI::App* t = app.add_subcommand("train", "Train a net on MNIST and write curve, parameters and graph");
  t->add_option(
       "net", train.net,
       "an example (mnist_mlp, mnist_cnn) or a file with a graph: inputs x and label, outputs loss and accuracy")
      ->capture_default_str();
  t->add_option("--data", train.data, "folder with the four MNIST files (IDX, gzipped or not)")->capture_default_str();
  t->add_option("--out", train.out, "folder for the results")->capture_default_str();
  t->add_option("--optimizer", train.optimizer, "by name, in any case: adam, sgd, rmsprop")->capture_default_str();
  t->add_option("--learning-rate", train.learning_rate, "default: the optimizer's own")->check(CLI::PositiveNumber);
  t->add_option("--epochs", train.epochs, "passes over the training images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  t->add_option("--batch-size", train.batch_size, "images a step")->check(CLI::PositiveNumber)->capture_default_str();
  t->add_option("--threads", train.threads, "default: all cores; the results are the same")->check(CLI::PositiveNumber);
  t->add_option("--seed", train.seed, "of the order of the images")->capture_default_str();

  tools::DumpCommand dump;
  CLI::App* d = app.add_subcommand("dump", "Print or draw a graph: an example's, or one from a file");
  d->add_option("graph", dump.graph, "an example (" + tools::example_names() + ") or a file")->required();
  d->add_option("-f,--format", dump.format, "text (reads back), dot, svg")
      ->check(CLI::IsMember({"text", "dot", "svg"}))
      ->capture_default_str();
  d->add_option("-o,--out", dump.out, "a file; default: standard output");
  d->add_flag("--locations", dump.locations, "with the source line that built each node");

  tools::BenchCommand bench;
  CLI::App* b = app.add_subcommand("bench", "Measure whole training steps with Adam");
  std::string nets;
  for (const auto& [name, what] : tools::bench_nets()) nets += "\n  " + name + ": " + what;
  b->add_option("nets", bench.nets, "which ones, or examples, or files with graphs; default: all" + nets);
  b->add_option("--threads", bench.threads, "default: all cores")->check(CLI::PositiveNumber);
  b->add_option("--seconds", bench.seconds, "to measure each")->check(CLI::PositiveNumber)->capture_default_str();
  b->add_flag("--worker", bench.worker, "take turns with other programs: see tools/bench/compare.py");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (t->parsed()) return tools::train(train, Interrupt().token());
  if (d->parsed()) return tools::dump(dump);
  return tools::bench(bench);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("oxbow: out of memory\n", stderr);
  } catch (const std::exception& e) {
    fmt::print(stderr, "oxbow: {}\n", e.what());
  }
  return 1;
}
