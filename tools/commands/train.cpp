// What `oxbow train` does; its options are read in tools/commands/train_command.cpp.
#include "commands/train.h"

#include <fmt/format.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/files/input_file.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <utility>

#include "commands/cli.h"
#include "commands/data.h"
#include "commands/progress_bar.h"
#include "commands/subject.h"
#include "commands/train_history.h"
#include "dump/dump.h"
#include "history/plot.h"
#include "history/tensorboard.h"

namespace oxbow::tools {
namespace {

std::int64_t minibatches_per_epoch(std::int64_t samples, std::int64_t batch_size) {
  return (samples - 1) / batch_size + 1;  // of at least one sample; a sum with any batch_size might not fit
}

// The schedule that starts from `rate`, over so many steps.
optim::Rate schedule(const TrainCommand& o, double rate, std::int64_t samples) {
  const std::int64_t minibatches = minibatches_per_epoch(samples, o.batch_size);
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

// A run that was resumed when all was done has only those that it had before.
bool has_norms(const Table& history) {
  return std::any_of(history.columns.begin(), history.columns.end(),
                     [](const std::string& name) { return name.starts_with("gradient_norm"); });
}

}  // namespace

std::vector<std::string> schedule_names() { return {"constant", "linear", "cosine", "exponential", "one_cycle"}; }

int train(const TrainCommand& o, std::stop_token stop) {
  const Data data = read_data(o.net, o.data, o.test);
  const Subject subject = read_subject(o.net, o.trained, data.train);
  const optim::Optimizer known = read_optimizer(o.optimizer, o.fields);
  const double initial = o.learning_rate > 0 ? o.learning_rate : known.learning_rate().constant().value();
  const optim::Rate rate = schedule(o, initial, data.train.size());
  const optim::Optimizer optimizer = known.with("learning_rate", to_attr(rate));
  std::vector<Metric> metrics;
  if (subject.accuracy) metrics.push_back({"accuracy", subject.accuracy});
  Model model = compile(subject.loss, optimizer,
                        {.metrics = metrics,
                         .minimize = {.clip = {.global_norm = o.clip_norm},
                                      .accumulate = o.accumulate,
                                      .average = o.ema > 0 ? optim::Average(optim::EMA{o.ema}) : optim::Average(),
                                      .norms = o.record_norms},
                         .predictions = subject.predictions,
                         .pool = o.threads > 0 ? Pool(o.threads) : Pool::shared(),
                         .store = subject.parameters,
                         .memory_budget = o.memory_budget,
                         .activations = o.activations,
                         .numerics = {.check = read_check_numerics(o.check_numerics),
                                      .repro = (std::filesystem::path(o.out) / "nan").string()}});
  const std::filesystem::path out(o.out), state = out / "training.safetensors";
  if (o.resume && !internal::something_at(state))
    throw Error(fmt::format(
        "there is no {} to resume\n  Train without --resume first, or name another folder with --out", state.string()));
  std::error_code failed;
  std::filesystem::create_directories(out, failed);
  if (failed)
    throw Error(fmt::format("cannot make the folder {}: {}\n  Name another one with --out", o.out, failed.message()));
  // The history is written first: it may be ahead of the state, never behind it. What an earlier run left is given up
  // then, and its state before its history, so that no state is ever beside the history of another run.
  HistoryWriter history(out / "history.csv");
  bool replaces = !o.resume;
  const TensorBoard board(o.tensorboard, {.histograms = 1});
  const auto before_state = [&] {
    if (std::error_code wrong; std::exchange(replaces, false) && !std::filesystem::remove(state, wrong) && wrong)
      throw Error(fmt::format("cannot remove {}: {}", state.string(), wrong.message()));
    history.save();
    board.flush();
  };
  const Callback saving = [&] {  // holds the folder until all is written
    try {
      return checkpoint(state, o.checkpoint_every, before_state);
    } catch (const Error& e) {
      throw Error(e.what() + std::string("\n  Name another folder with --out"));
    }
  }();
  std::string missing;  // rows of the history
  if (o.resume) {
    const Restored left_out = model.load(state);
    // A rate of its own is part of the state; one given on the command line overrides it.
    if (rate.constant() && o.learning_rate > 0)
      model.set_learning_rate(o.learning_rate);
    else if (rate.constant() && left_out.other_rate)
      model.set_learning_rate(*left_out.other_rate);
    ResumedHistory earlier = resumed_history(history.path(), model.minibatches());
    missing = std::move(earlier.missing);
    history = HistoryWriter(history.path(), std::move(earlier.table));
  }
  const std::string how = fmt::format("{}, learning rate {}", optimizer_title(o.optimizer, o.fields),
                                      to_string(rate.constant() ? optim::Rate(model.learning_rate()) : rate));
  const std::string tested = data.test.size() > 0 ? fmt::format(", tested on {}", data.test.size()) : "";
  say("{} on {} {}{}, with {}\n", o.net, data.train.size(), data.samples, tested, how);
  if (o.resume) say("resumed after {} steps\n", model.steps());
  if (o.resume && rate.constant() && model.learning_rate() != initial)
    say("the learning rate is the state's, not {:g}: give --learning-rate to set it, or the --schedule it had\n",
        initial);
  if (!missing.empty())
    say("{} lacks the rows of steps {}: they stay missing, the state has all of them\n", history.path(), missing);

  // What an earlier run left gives way when there is something new: after the first step, early enough to tell of a
  // folder that cannot be written.
  bool graph_written = false;
  bool drawn = false;
  const auto write_graph = [&] {
    if (std::exchange(graph_written, true)) return;
    write_file(out / "graph.txt", dump(model.graph()));
    std::string picture;
    try {
      picture = dump(model.graph(), {.format = "svg", .fold = true});  // it fits a screen
    } catch (const Error& e) {                                         // no reason not to train
      std::filesystem::remove(out / "graph.svg");
      say("the graph's picture is left out: {}\n", e.what());
      return;
    }
    write_file(out / "graph.svg", picture);
    drawn = true;
  };
  ProgressBar bar("epoch");
  const auto on_step = [&](Progress& p) {
    write_graph();
    bar.show(static_cast<double>(p.step), static_cast<double>(p.steps),
             fmt::format("{}/{}  loss {:.4f}", p.epoch, p.epochs, p.loss));
  };
  const auto on_epoch = [&](Progress& p) {
    const Epoch& e = p.history.epochs.back();
    std::string results;
    for (const auto& [title, name] : {std::pair{"loss", "loss"}, std::pair{"accuracy", "accuracy"},
                                      std::pair{"test loss", "val_loss"}, std::pair{"test accuracy", "val_accuracy"}})
      if (e.results.contains(name)) {
        const double value = e.results[name];  // a NaN without its sign
        results +=
            fmt::format("{} {:.4f}  ", title, std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
      }
    bar.clear();
    say("epoch {:2}/{}  {}{:.2f} s\n", e.number, p.epochs, results, e.seconds);
    std::fflush(stdout);
  };
  std::vector<Callback> callbacks = {recording(history), {.on_step = on_step, .on_epoch = on_epoch}};
  if (!o.tensorboard.empty()) callbacks.push_back(board.callback());
  callbacks.push_back(saving);
  model.fit(data.train, {.epochs = o.epochs,
                         .batch_size = o.batch_size,
                         .seed = o.seed,
                         .validation = data.test,
                         .callbacks = std::move(callbacks),
                         .progress = false,  // the bar above
                         .stop = stop,
                         .resume = o.resume});
  if (stop.stop_requested() && !graph_written) {
    say("interrupted before the first step: nothing was written\n");
    return 130;
  }
  write_graph();
  model.save(out / "parameters.safetensors", Saved::averages);
  if (subject.outputs) {
    Store trained = model.store().snapshot();
    for (const auto& [name, tensor] : load_safetensors(out / "parameters.safetensors").tensors)
      trained.set(name, tensor);
    export_onnx(out / "model.onnx", *subject.outputs, trained);
  }
  if (subject.exported && subject.exported->columns())
    model.export_model(out / "model.oxb", *subject.exported->columns());
  else if (subject.exported)
    model.export_model(out / "model.oxb");
  if (const Table& rows = history.table(); !rows.columns.empty()) {
    const std::string title = std::filesystem::path(o.net).stem().string() + ", " + how;
    write_file(out / "loss.svg", svg(training_curve(title, rows)));
    say("loss curve   {}\n", (out / "loss.svg").string());
    if (o.record_norms && has_norms(rows)) {
      write_file(out / "norms.svg", svg(norms_plot(rows, title)));
      say("norms        {}\n", (out / "norms.svg").string());
    }
    say("history      {}\n", history.path());
  }
  say("parameters   {}\n", (out / "parameters.safetensors").string());
  if (subject.outputs) say("model        {}\n", (out / "model.onnx").string());
  if (subject.exported) say("model        {}\n", (out / "model.oxb").string());
  if (internal::something_at(state)) say("to resume    {}\n", state.string());
  if (!o.tensorboard.empty()) say("scalars      tensorboard --logdir {}\n", o.tensorboard);
  say("graph        {}\n", (out / "graph.txt").string());
  if (drawn) say("its picture  {}\n", (out / "graph.svg").string());
  if (const auto* losses = history.table().find("loss"); losses != nullptr && !std::isfinite(losses->back()))
    say("the loss is no longer finite: oxbow lr judge {} tells more, and so does --check-numerics\n", history.path());
  if (stop.stop_requested()) say("interrupted after {} steps; what was learned until then is kept\n", model.steps());
  return stop.stop_requested() ? 130 : 0;
}

}  // namespace oxbow::tools
