#include "commands/train_history.h"

#include <oxbow/optim/model.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace oxbow::tools {

Table resumed_history(const std::string& path, std::int64_t minibatches) {
  if (minibatches == 0 || !std::filesystem::exists(path)) return {};
  Table t = read_table(path);
  const auto* steps = t.find("step");
  if (steps == nullptr)
    throw Error(path + " has no column \"step\", so it is no history of a training\n  Move it to another place");
  const auto done = [&](double step) { return step <= static_cast<double>(minibatches); };
  const auto rows = std::find_if_not(steps->begin(), steps->end(), done) - steps->begin();
  for (auto& column : t.values) column.resize(static_cast<std::size_t>(rows));
  return t;
}

Callback recording(HistoryWriter& history) {
  return {.on_step =
              [&history](Progress& p) {
                history.add_row();
                history.set("step", static_cast<double>(p.model.minibatches()));
                history.set("epoch", p.epoch);
                history.set("learning_rate", p.model.learning_rate());
                history.set("loss", p.loss);
                for (const StepSeries& s : p.history.recorded)
                  if (!std::isnan(s.values.back())) history.set(s.name, s.values.back());
              },
          .on_epoch =
              [&history](Progress& p) {
                for (const auto& [name, value] : p.history.epochs.back().results.entries())
                  history.set("epoch_" + name, value);
              }};
}

Plot training_curve(const std::string& title, const Table& history, std::int64_t minibatches_per_epoch) {
  const auto series = [&](std::string name, std::string_view column, bool faint = false) {
    Series s{.name = std::move(name), .x = {}, .y = {}, .faint = faint};
    const auto *x = history.find("step"), *y = history.find(column);
    for (std::size_t i = 0; x != nullptr && y != nullptr && i < y->size(); ++i) {
      if (std::isnan((*y)[i])) continue;  // an epoch's result, in a row within the epoch
      s.x.push_back((*x)[i] / static_cast<double>(minibatches_per_epoch));
      s.y.push_back((*y)[i]);
    }
    return s;
  };
  return {.title = title,
          .x_label = "epoch",
          .panels = {{.y_label = "loss",
                      .series = {series("training", "loss", true), series("training", "epoch_loss"),
                                 series("test", "epoch_val_loss")},
                      .log_scale = true},
                     {.y_label = "accuracy",
                      .series = {series("training", "epoch_accuracy"), series("test", "epoch_val_accuracy")}}}};
}

}  // namespace oxbow::tools
