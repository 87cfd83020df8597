#include "history/plot.h"

#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/groups.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

namespace oxbow::tools {
namespace {

// A centred mean over `width` values; what is not finite is left out, and a window of only that leaves a gap.
// In blocks of `width` a window is the end of one and the beginning of the next (van Herk 1992): two sums that grow by
// a value at a time. So it takes as long for any width, and nothing is subtracted, by which small values behind large
// ones would be lost.
std::vector<double> smoothed(const std::vector<double>& v, int width) {
  struct Sum {
    double sum = 0;
    std::ptrdiff_t count = 0;
    void add(double value) {
      if (std::isfinite(value)) sum += value, ++count;
    }
  };
  const std::ptrdiff_t n = std::ssize(v), w = std::min<std::ptrdiff_t>(width, 2 * n);  // wider ones hold all, too
  // The first window begins at 0, in front of the first value by half a window.
  const auto at = [&](std::ptrdiff_t i) {
    i -= w / 2;
    return i >= 0 && i < n ? v[static_cast<std::size_t>(i)] : std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<double> out;
  out.reserve(v.size());
  std::vector<Sum> ends(static_cast<std::size_t>(w));  // of a block, from each of its values on
  for (std::ptrdiff_t begin = 0; begin < n; begin += w) {
    Sum end, next;
    for (std::ptrdiff_t k = w; k-- > 0;) {
      end.add(at(begin + k));
      ends[static_cast<std::size_t>(k)] = end;
    }
    for (std::ptrdiff_t k = 0; k < w && begin + k < n; ++k) {
      if (k > 0) next.add(at(begin + w + k - 1));
      const double own = v[static_cast<std::size_t>(begin + k)];
      const auto& [sum, count] = ends[static_cast<std::size_t>(k)];
      out.push_back(std::isfinite(own) ? (sum + next.sum) / static_cast<double>(count + next.count) : own);
    }
  }
  return out;
}

bool has_finite(const Series& s) {
  return std::any_of(s.y.begin(), s.y.end(), [](double v) { return std::isfinite(v); });
}

// A run that blows up would flatten all others: it is drawn up to ten times the highest first value, where it leaves
// the picture.
void clip(std::vector<Series>& series) {
  double highest = 0;
  for (const Series& s : series)
    if (!s.y.empty() && std::isfinite(s.y[0])) highest = std::max(highest, s.y[0]);
  const double ceiling = 10 * highest;
  for (Series& s : series) {
    const auto out = std::find_if(s.y.begin(), s.y.end(), [&](double v) { return !(v <= ceiling); });
    if (highest == 0 || out == s.y.end() || !has_finite(s)) continue;
    *out = ceiling;
    s.y.erase(out + 1, s.y.end());
    s.x.resize(s.y.size());
    s.name += " (leaves the picture)";
  }
}

// The columns of a table that a pattern means, each with what to call it beside the others: "" for one of that very
// name, "all" for the one that the pattern begins with, "dense/kernel" of gradient_norm/dense/kernel. Where there is
// none "loss" means "loss/*", of several runs in one table.
std::vector<std::pair<std::string, const std::vector<double>*>> columns_of(const Table& t, const std::string& pattern) {
  std::vector<std::pair<std::string, const std::vector<double>*>> found;
  if (const std::vector<double>* own = t.find(pattern)) return {{"", own}};
  const std::string stem = pattern.substr(0, pattern.find_first_of("*?"));
  for (std::size_t i = 0; i < t.columns.size(); ++i) {
    if (!optim::matches(pattern, t.columns[i])) continue;
    const std::string rest = t.columns[i].substr(stem.size());
    found.emplace_back(rest.empty() ? "all" : rest.front() == '/' ? rest.substr(1) : rest, &t.values[i]);
  }
  const bool plain = stem.size() == pattern.size() && !pattern.ends_with('/');
  return found.empty() && plain ? columns_of(t, pattern + "/*") : found;
}

bool is_logarithmic(const std::string& column) {
  return column.find("loss") != std::string::npos || column.starts_with("gradient_norm") ||
         column.starts_with("update_ratio");
}

Series series(const Table& t, const std::vector<double>& y) {
  Series s;
  const std::vector<double>* steps = t.steps();
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(y[i])) continue;  // an absent field, not a gap
    s.x.push_back(steps != nullptr && i < steps->size() ? (*steps)[i] : static_cast<double>(i + 1));
    s.y.push_back(y[i]);
  }
  return s;
}

// Whether the panel shows anything of it.
bool shows(const Panel& panel, const Series& s) {
  return std::any_of(s.y.begin(), s.y.end(), [&](double v) { return std::isfinite(v) && (!panel.log_scale || v > 0); });
}

void check_shown(const Panel& panel, const std::string& column, const std::vector<RunHistory>& runs) {
  const auto shown = [&](const Series& s) { return shows(panel, s); };
  if (std::any_of(panel.series.begin(), panel.series.end(), shown)) return;
  std::string files;
  for (const RunHistory& r : runs) files += (files.empty() ? "" : ", ") + r.file;
  const bool finite = std::any_of(panel.series.begin(), panel.series.end(), has_finite);
  throw Error(files + ": column " + internal::in_quotes(column) + " has no " +
              (finite ? "value above 0, and a logarithmic axis shows no others\n  Draw it with --linear"
                      : "finite value to draw"));
}

Plot drawn(const std::vector<RunHistory>& runs, const HistoryPlot& how) {
  Plot plot{.title = how.title, .x_label = "step", .panels = {}, .log_x = false, .marks = {}};
  for (const std::string& column : how.columns) {
    Panel panel{.y_label = column.substr(0, column.find_first_of("*?")),
                .series = {},
                .log_scale = !how.linear && is_logarithmic(column)};
    std::vector<Series> raw;
    bool several = false;  // columns of one run
    for (const auto& [run, file, table] : runs) {
      auto found = columns_of(table, column);
      const std::vector<double> only = found.empty() && column == "loss" ? losses(table, file) : std::vector<double>();
      if (!only.empty()) found = {{"", &only}};
      if (found.empty()) throw no_column(table, file, column);
      for (const auto& [part, y] : found) {
        Series s = series(table, *y);
        s.name = part.empty() ? run : runs.size() == 1 ? part : run + ", " + part;
        raw.push_back(std::move(s));
      }
      several = several || found.size() > 1;
    }
    // Before they are smoothed: a mean would spread what blows up over the steps before.
    if (panel.log_scale && column.find("loss") != std::string::npos) clip(raw);
    for (Series& s : raw) {
      if (!shows(panel, s)) s.name += " (nothing to draw)";
      const int width = how.smooth > 0 ? how.smooth : static_cast<int>(s.y.size() / 50);
      if (width > 1) {
        Series background = s;
        background.faint = true;
        s.y = smoothed(s.y, width);
        if (!several) panel.series.push_back(std::move(background));  // of many they would hide the lines
      }
      panel.series.push_back(std::move(s));
    }
    if (how.title.empty()) plot.title += (plot.title.empty() ? "" : ", ") + panel.y_label;
    plot.panels.push_back(std::move(panel));
  }
  return plot;
}

// By the last epoch's last row: minibatches up to it for each epoch; nothing where no epoch ended.
std::optional<double> minibatches_per_epoch(const Table& history) {
  const auto *steps = history.find("step"), *epochs = history.find("epoch"), *ends = history.find("epoch_loss");
  if (steps == nullptr || epochs == nullptr || ends == nullptr) return std::nullopt;
  for (std::size_t i = ends->size(); i-- > 0;)
    if (!std::isnan((*ends)[i]) && (*epochs)[i] > 0) return (*steps)[i] / (*epochs)[i];
  return std::nullopt;
}

}  // namespace

Plot plot(const std::vector<RunHistory>& runs, const HistoryPlot& how) {
  if (how.smooth < 0)
    throw Error("a picture's mean is over " + std::to_string(how.smooth) +
                " steps\n  Give at least 1, or 0 for a fiftieth");
  Plot plot = drawn(runs, how);
  for (std::size_t i = 0; i < plot.panels.size(); ++i) check_shown(plot.panels[i], how.columns[i], runs);
  return plot;
}

Plot training_curve(const std::string& title, const Table& history) {
  const std::optional<double> minibatches = minibatches_per_epoch(history);
  const auto series = [&](std::string name, std::string_view column, bool faint = false) {
    Series s{.name = std::move(name), .x = {}, .y = {}, .faint = faint};
    const auto *x = history.find("step"), *y = history.find(column);
    for (std::size_t i = 0; x != nullptr && y != nullptr && i < y->size(); ++i) {
      if (std::isnan((*y)[i])) continue;  // an epoch's result, in a row within the epoch
      s.x.push_back((*x)[i] / minibatches.value_or(1));
      s.y.push_back((*y)[i]);
    }
    return s;
  };
  Plot plot{.title = title,
            .x_label = minibatches ? "epoch" : "step",
            .panels = {{.y_label = "loss",
                        .series = {series("training", "loss", true), series("training", "epoch_loss"),
                                   series("test", "epoch_val_loss")},
                        .log_scale = true}}};
  if (history.find("epoch_accuracy") != nullptr)
    plot.panels.push_back({.y_label = "accuracy",
                           .series = {series("training", "epoch_accuracy"), series("test", "epoch_val_accuracy")}});
  return plot;
}

Plot norms_plot(const Table& table, const std::string& title) {
  return drawn({{title, "", table}}, {.columns = {"gradient_norm*", "update_ratio*"}, .title = title});
}

}  // namespace oxbow::tools
