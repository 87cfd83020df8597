// oxbow plot: histories drawn, several runs on one axis.
#include <oxbow/graph/error.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli.h"
#include "history_file.h"
#include "plot.h"

namespace oxbow::tools {
namespace {

struct Options {
  std::vector<std::string> files, columns = {"loss"};
  std::string title = "Loss", out;
  int smooth = 0;
  bool linear = false;
};

// "sgd" of sgd/history.csv, "losses" of losses.csv.
std::string run_name(const std::string& path) {
  const std::filesystem::path p(path);
  return p.stem() == "history" && p.has_parent_path() ? p.parent_path().filename().string() : p.stem().string();
}

// A centred mean over `width` values; what is not finite is left out, and a window of only that leaves a gap.
std::vector<double> smoothed(const std::vector<double>& v, int width) {
  std::vector<double> out;
  const auto n = static_cast<std::ptrdiff_t>(v.size());
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    double sum = 0;
    int count = 0;
    for (std::ptrdiff_t k = std::max<std::ptrdiff_t>(0, i - width / 2); k < std::min(n, i + (width + 1) / 2); ++k)
      if (std::isfinite(v[static_cast<std::size_t>(k)])) sum += v[static_cast<std::size_t>(k)], ++count;
    out.push_back(std::isfinite(v[static_cast<std::size_t>(i)]) ? sum / count : v[static_cast<std::size_t>(i)]);
  }
  return out;
}

// A run that blows up would flatten all others: it is drawn up to ten times the highest first value, where it leaves
// the picture.
void clip(Panel& panel) {
  double highest = 0;
  for (const Series& s : panel.series)
    if (!s.y.empty() && std::isfinite(s.y[0])) highest = std::max(highest, s.y[0]);
  const double ceiling = 10 * highest;
  for (Series& s : panel.series) {
    const auto out = std::find_if(s.y.begin(), s.y.end(), [&](double v) { return !(v <= ceiling); });
    if (highest == 0 || out == s.y.end()) continue;
    *out = ceiling;
    s.y.erase(out + 1, s.y.end());
    s.x.resize(s.y.size());
    s.name += " (leaves the picture)";
  }
}

int run(const Options& o) {
  Plot plot{.title = o.title, .x_label = "step", .panels = {}, .log_x = false, .marks = {}};
  for (const std::string& column : o.columns) {
    Panel panel{.y_label = column, .series = {}, .log_scale = !o.linear && column.find("loss") != std::string::npos};
    for (const std::string& file : o.files) {
      const Table t = read_table(file);
      const std::vector<double>* steps = t.find("step");
      const std::vector<double> y = column == "loss" && t.find(column) == nullptr ? losses(t, file)
                                    : t.find(column) != nullptr                   ? *t.find(column)
                                                                                  : std::vector<double>{};
      if (y.empty()) {
        std::string known;
        for (const std::string& c : t.columns) known += (known.empty() ? "" : ", ") + c;
        throw Error(file + ": there is no column \"" + column + "\". There are: " + known);
      }
      Series s{.name = run_name(file), .x = {}, .y = {}};
      for (std::size_t i = 0; i < y.size(); ++i) {
        if (std::isnan(y[i])) continue;  // an absent field, not a gap
        s.x.push_back(steps != nullptr && i < steps->size() ? (*steps)[i] : static_cast<double>(i + 1));
        s.y.push_back(y[i]);
      }
      const int width = o.smooth > 0 ? o.smooth : static_cast<int>(s.y.size() / 50);
      if (width > 1) {
        Series raw = s;
        raw.faint = true;
        s.y = smoothed(s.y, width);
        panel.series.push_back(std::move(raw));
      }
      panel.series.push_back(std::move(s));
    }
    if (panel.log_scale) clip(panel);
    plot.panels.push_back(std::move(panel));
  }
  write_out(o.out, o.out.ends_with(".html") ? page(plot) : svg(plot));
  return 0;
}

}  // namespace

Command plot_command(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* p = program.add_subcommand("plot", "Draw histories, several runs on one axis");
  p->footer(
      "Examples:\n"
      "  oxbow plot out/history.csv -o loss.svg\n"
      "  oxbow plot small/history.csv good/history.csv large/history.csv -o rates.html   three runs overlaid\n"
      "  oxbow plot out/history.csv --column loss learning_rate -o both.svg");
  p->add_option("history", o->files, "CSV or JSON: see tools/docs/tutorial.md")->required();
  p->add_option("--column", o->columns, "what to draw, a panel each")->capture_default_str();
  p->add_option("--title", o->title, "of the picture")->capture_default_str();
  p->add_option("--smooth", o->smooth, "mean over so many steps; 1: none; default: a fiftieth of the run");
  p->add_flag("--linear", o->linear, "losses on a linear axis");
  p->add_option("-o,--out", o->out, "a file, .svg or .html; default: SVG to standard output");
  return {p, [o] { return run(*o); }};
}

}  // namespace oxbow::tools
