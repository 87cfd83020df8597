#include <fmt/format.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "cli.h"
#include "commands.h"
#include "dump.h"
#include "history_file.h"
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

Mnist read(const std::string& folder) {
  try {
    return load_mnist(folder);
  } catch (const Error& e) {
    throw Error(e.what() + std::string("\n  Name the folder of the four MNIST files with --data"));
  }
}

Plot curve(const std::string& title, const History& history) {
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
      .title = title,
      .x_label = "epoch",
      .panels = {{.y_label = "loss",
                  .series = {steps, series("training", "loss"), series("test", "val_loss")},
                  .log_scale = true},
                 {.y_label = "accuracy", .series = {series("training", "accuracy"), series("test", "val_accuracy")}}}};
}

// What goes on from `rate` over so many steps.
optim::Rate schedule(const TrainCommand& o, double rate, std::int64_t samples) {
  const std::int64_t minibatches = (samples + o.batch_size - 1) / o.batch_size;
  const std::int64_t steps = (minibatches + o.accumulate - 1) / o.accumulate * o.epochs;
  if (o.warmup > 0 && o.warmup >= steps)
    throw Error(fmt::format("a warm-up of {} steps leaves none of the {} to train\n  Give a smaller --warmup", o.warmup,
                            steps));
  const std::int64_t rest = std::max<std::int64_t>(1, steps - o.warmup);
  const auto chosen = [&]() -> optim::Rate {
    if (o.schedule == "linear") return optim::Linear{.initial = rate, .steps = rest};
    if (o.schedule == "cosine") return optim::Cosine{.initial = rate, .steps = rest};
    if (o.schedule == "exponential") return optim::Exponential{.initial = rate, .steps = rest, .factor = 0.01};
    if (o.schedule == "one_cycle") return optim::OneCycle{.peak = rate, .steps = rest};
    return rate;
  }();
  if (o.warmup > 0) return optim::Warmup{.steps = o.warmup, .then = chosen};
  return chosen;
}

// A row a step; an epoch's results in that of its last step, `ends` being how many steps were done by then.
Table table(const History& history, std::vector<double> rates, const std::vector<std::size_t>& ends) {
  const std::size_t n = history.step_losses.size();
  Table t;
  std::vector<double> step(n), epoch(n);
  for (std::size_t i = 0; i < n; ++i) {
    step[i] = static_cast<double>(i + 1);
    epoch[i] = static_cast<double>(std::upper_bound(ends.begin(), ends.end(), i) - ends.begin() + 1);
  }
  t.add("step", step);
  t.add("epoch", epoch);
  t.add("learning_rate", std::move(rates));
  t.add("loss", history.step_losses);
  // A loss that is not finite is told apart from one that is absent.
  for (double& v : t.values.back())
    if (std::isnan(v)) v = std::numeric_limits<double>::infinity();
  if (history.epochs.empty()) return t;
  for (const auto& [name, value] : history.epochs[0].results.entries()) {
    std::vector<double> column(n, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t e = 0; e < ends.size(); ++e)
      if (ends[e] > 0) column[ends[e] - 1] = history.epochs[e].results[name];
    t.add("epoch_" + name, std::move(column));
  }
  return t;
}

}  // namespace

std::vector<std::string> schedule_names() { return {"constant", "linear", "cosine", "exponential", "one_cycle"}; }

int train(const TrainCommand& o, std::stop_token stop) {
  const Mnist mnist = read(o.data);
  const auto graph = load_training(o.net);
  const Value loss = output(*graph, "loss"), accuracy = output(*graph, "accuracy");
  for (const auto& [name, value] : {std::pair{"loss", loss}, std::pair{"accuracy", accuracy}})
    if (!value)
      throw Error(fmt::format(
          "{0} has no output \"{1}\", which training needs\n  Call add_output(\"{1}\", value) where the graph is built",
          o.net, name));
  const optim::Optimizer known(o.optimizer, Location{});  // no line of a program helps a shell user
  const double initial = o.learning_rate > 0 ? o.learning_rate : known.learning_rate().constant().value();
  const optim::Rate rate = schedule(o, initial, mnist.train.size());
  const optim::Optimizer optimizer = known.with("learning_rate", to_attr(rate));
  Model model = compile(loss, optimizer,
                        {.metrics = {{"accuracy", accuracy}},
                         .minimize = {.clip = {.global_norm = o.clip_norm},
                                      .accumulate = o.accumulate,
                                      .average = o.ema > 0 ? optim::Average(optim::EMA{o.ema}) : optim::Average()},
                         .predictions = output(*graph, "logits"),
                         .pool = o.threads > 0 ? Pool(o.threads) : Pool::shared(),
                         .numerics = {.check = read_check_numerics(o.check_numerics),
                                      .repro = (std::filesystem::path(o.out) / "nan").string()}});
  const std::string how = fmt::format("{}, learning rate {}", optimizer.name(), to_string(rate));
  fmt::print("{} on {} images, tested on {}, with {}\n", o.net, mnist.train.size(), mnist.test.size(), how);

  // Before training, so that a folder that cannot be written is known before the work is done.
  const std::filesystem::path out(o.out);
  std::error_code failed;
  std::filesystem::create_directories(out, failed);
  if (failed)
    throw Error(fmt::format("cannot make the folder {}: {}\n  Name another one with --out", o.out, failed.message()));
  write_file(out / "graph.txt", dump(model.graph()));
  write_file(out / "graph.svg", dump(model.graph(), {.format = "svg"}));

  const std::filesystem::path state = out / "training.safetensors";
  if (o.resume) {
    if (!std::filesystem::exists(state))
      throw Error(
          fmt::format("there is no {} to resume\n  Train without --resume first, or name another folder with --out",
                      state.string()));
    model.load(state);
    fmt::print("goes on after {} steps\n", model.steps());
  }
  Progress bar("epoch");
  std::vector<double> rates;
  std::vector<std::size_t> ends;
  const auto on_step = [&](oxbow::Progress& p) {
    rates.push_back(p.model.learning_rate());
    bar.show(static_cast<double>(p.step), static_cast<double>(p.steps),
             fmt::format("{}/{}  loss {:.4f}", p.epoch, p.epochs, p.loss));
  };
  const auto on_epoch = [&](oxbow::Progress& p) {
    const Epoch& e = p.history.epochs.back();
    ends.push_back(rates.size());
    bar.clear();
    fmt::print("epoch {:2}/{}  loss {:.4f}  accuracy {:.4f}  test loss {:.4f}  test accuracy {:.4f}  {:.2f} s\n",
               e.number, p.epochs, e.results["loss"], e.results["accuracy"], e.results["val_loss"],
               e.results["val_accuracy"], e.seconds);
    std::fflush(stdout);
  };
  const History history = model.fit(mnist.train, {.epochs = o.epochs,
                                                  .batch_size = o.batch_size,
                                                  .seed = o.seed,
                                                  .validation = mnist.test,
                                                  .callbacks = {{.on_step = on_step, .on_epoch = on_epoch}},
                                                  .stop = stop,
                                                  .resume = o.resume});

  write_file(out / "history.csv", csv(table(history, std::move(rates), ends)));
  if (!history.epochs.empty()) {
    write_file(out / "loss.svg", svg(curve(std::filesystem::path(o.net).stem().string() + ", " + how, history)));
    fmt::print("loss curve   {}\n", (out / "loss.svg").string());
  }
  fmt::print("history      {}\n", (out / "history.csv").string());
  model.save(out / "parameters.safetensors", Saved::averages);
  model.save(state, Saved::training);
  fmt::print("parameters   {}\n", (out / "parameters.safetensors").string());
  fmt::print("to resume    {}\n", state.string());
  fmt::print("graph        {}\n", (out / "graph.txt").string());
  fmt::print("its picture  {}\n", (out / "graph.svg").string());
  if (stop.stop_requested())
    fmt::print("interrupted after {} steps; what was learned until then is kept\n", model.steps());
  return stop.stop_requested() ? 130 : 0;
}

}  // namespace oxbow::tools
