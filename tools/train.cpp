#include <fmt/format.h>
#include <oxbow/graph/dead_code.h>
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "commands.h"
#include "dump.h"
#include "load.h"
#include "plot.h"
#include "progress.h"

namespace oxbow::tools {
namespace {

// The graph's output of this name. A graph that was dumped with its update has it too.
Value output(const Graph& g, std::string_view name) {
  for (const auto& [known, value] : g.outputs())
    if (known == name) return value;
  return {};
}

// What the outputs need; a step that was dumped with the graph goes, for `compile` appends its own.
std::shared_ptr<Graph> forward(const std::string& name) {
  auto graph = load_graph(name);
  if (auto less = dead_code(*graph)) return less->graph;
  return graph;
}

Plot curve(const TrainCommand& o, const optim::Optimizer& optimizer, const History& history) {
  Series steps{.name = "training", .x = {}, .y = {}, .faint = true};
  const double per_epoch = static_cast<double>(history.step_losses.size()) / static_cast<double>(history.epochs.size());
  for (std::size_t i = 0; i < history.step_losses.size(); ++i) {
    steps.x.push_back(static_cast<double>(i + 1) / per_epoch);
    steps.y.push_back(history.step_losses[i]);
  }
  const auto series = [&](std::string name, std::string_view result) {
    Series s{.name = std::move(name), .x = {}, .y = history[result]};
    for (const Epoch& e : history.epochs) s.x.push_back(e.number);
    return s;
  };
  return {
      .title = std::filesystem::path(o.net).stem().string() + ", " + optim::to_string(optimizer),
      .x_label = "epoch",
      .panels = {{.y_label = "loss",
                  .series = {steps, series("training", "loss"), series("test", "val_loss")},
                  .log_scale = true},
                 {.y_label = "accuracy", .series = {series("training", "accuracy"), series("test", "val_accuracy")}}}};
}

}  // namespace

int train(const TrainCommand& o, std::stop_token stop) {
  const Mnist mnist = load_mnist(o.data);
  const auto graph = forward(o.net);
  const Value loss = output(*graph, "loss"), accuracy = output(*graph, "accuracy");
  if (!loss || !accuracy) throw Error(o.net + " has no outputs named \"loss\" and \"accuracy\": see Graph::add_output");
  optim::Optimizer optimizer(o.optimizer);
  Model model = compile(loss, optimizer,
                        {.metrics = {{"accuracy", accuracy}},
                         .predictions = output(*graph, "logits"),
                         .pool = o.threads > 0 ? Pool(o.threads) : Pool::shared()});
  if (o.learning_rate > 0) model.set_learning_rate(o.learning_rate);
  const Dataset &data = mnist.train, &test = mnist.test;
  fmt::print("{} on {} images, tested on {}, with {}\n", o.net, data.size(), test.size(), optim::to_string(optimizer));

  // Made before training, so that a folder that cannot be written is known before the work is done.
  std::filesystem::create_directories(o.out);

  Progress bar("epoch");
  const auto on_step = [&](oxbow::Progress& p) {
    bar.show(static_cast<double>(p.step), static_cast<double>(p.steps),
             fmt::format("{}/{}  loss {:.4f}", p.epoch, p.epochs, p.loss));
  };
  const auto on_epoch = [&](oxbow::Progress& p) {
    const Epoch& e = p.history.epochs.back();
    bar.clear();
    fmt::print("epoch {:2}/{}  loss {:.4f}  accuracy {:.4f}  test loss {:.4f}  test accuracy {:.4f}  {:.2f} s\n",
               e.number, p.epochs, e.results["loss"], e.results["accuracy"], e.results["val_loss"],
               e.results["val_accuracy"], e.seconds);
    std::fflush(stdout);
  };
  const History history = model.fit(data, {.epochs = o.epochs,
                                           .batch_size = o.batch_size,
                                           .seed = o.seed,
                                           .validation = test,
                                           .callbacks = {{.on_step = on_step, .on_epoch = on_epoch}},
                                           .stop = stop});

  const std::filesystem::path out(o.out);
  const auto write = [&](const char* name, const char* what, const std::string& text) {
    write_file(out / name, text);
    fmt::print("{:<12} {}\n", what, (out / name).string());
  };
  if (!history.epochs.empty()) write("loss.svg", "loss curve", svg(curve(o, optimizer, history)));
  model.save(out / "parameters.safetensors");
  fmt::print("{:<12} {}\n", "parameters", (out / "parameters.safetensors").string());
  write("graph.txt", "graph", dump(model.graph(), Format::text));
  write("graph.svg", "its picture", dump(model.graph(), Format::svg));
  if (stop.stop_requested())
    fmt::print("interrupted after {} steps; what was learned until then is kept\n", model.steps());
  return stop.stop_requested() ? 130 : 0;
}

}  // namespace oxbow::tools
