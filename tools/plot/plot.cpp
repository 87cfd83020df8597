#include "plot/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>

#include "plot/parts.h"

namespace oxbow::tools {
namespace {

// Runs of shown points as one path; a gap lifts the pen.
std::string path(const Series& s, const Axis& x, const Axis& y) {
  std::string d;
  bool down = false;
  for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
    const bool shown = x.shows(s.x[i]) && y.shows(s.y[i]);
    if (shown) d += fmt::format("{}{:.1f} {:.1f}", down ? "L" : "M", x.pixel(s.x[i]), y.pixel(s.y[i]));
    down = shown;
  }
  return d;
}

// A dot at each point: the ends of lines of no length. So a single epoch is seen as well.
std::string dots(const Series& s, const Axis& x, const Axis& y) {
  std::string d;
  for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i)
    if (x.shows(s.x[i]) && y.shows(s.y[i])) d += fmt::format("M{:.1f} {:.1f}h0", x.pixel(s.x[i]), y.pixel(s.y[i]));
  return d;
}

// Whether all series of this name are background.
bool is_faint(const Plot& plot, const std::string& name) {
  for (const Panel& p : plot.panels)
    for (const Series& s : p.series)
      if (s.name == name && !s.faint) return false;
  return true;
}

constexpr std::size_t most_dots = 50;  // more would touch one another

}  // namespace

std::string description(const Plot& plot) {
  if (!plot.title.empty()) return plot.title;
  std::string out;
  for (std::size_t i = 0; i < plot.panels.size(); ++i)
    if (i == 0 || plot.panels[i].y_label != plot.panels[i - 1].y_label)
      out += (out.empty() ? "" : ", ") + plot.panels[i].y_label;
  return out + (out.empty() || plot.x_label.empty() ? "" : " over ") + plot.x_label;
}

std::vector<double> ticks(double low, double high, int count) {
  count = std::max(count, 1);
  const double raw = (high - low) / count;
  if (!(raw > 0) || !std::isfinite(raw)) return {low};
  const double power = std::pow(10, std::floor(std::log10(raw))), lead = raw / power;
  const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  std::vector<double> out;
  // Counted by a whole number: far from 0 a mark's own may be so large that adding 1 to it changes nothing.
  const double first = std::ceil(low / step);
  for (int i = 0; i <= count + 1; ++i) {
    const double mark = (first + i) * step;
    if (!(mark <= high + step * 1e-9)) break;
    if (mark >= low - step * 1e-9 && (out.empty() || mark > out.back())) out.push_back(mark == 0 ? 0 : mark);  // no -0
  }
  return out;
}

Series thinned(const Series& s, const Axis& x) {
  const std::size_t n = std::min(s.x.size(), s.y.size());
  if (static_cast<double>(n) <= 8 * (x.to - x.from)) return s;
  Series out{.name = s.name, .x = {}, .y = {}, .faint = s.faint, .points = s.points};
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    const double pixel = std::floor(x.pixel(s.x[begin]));
    std::size_t low = begin, high = begin;
    for (end = begin + 1; end < n && std::floor(x.pixel(s.x[end])) == pixel; ++end) {
      if (s.y[end] < s.y[low] || !std::isfinite(s.y[low])) low = end;
      if (s.y[end] > s.y[high] || !std::isfinite(s.y[high])) high = end;
    }
    std::size_t last = n;
    for (const std::size_t i : {begin, std::min(low, high), std::max(low, high), end - 1}) {
      if (i == last) continue;
      out.x.push_back(s.x[i]);
      out.y.push_back(s.y[i]);
      last = i;
    }
  }
  return out;
}

std::vector<Series> lines(const Tensor& table, const std::vector<std::string>& names) {
  const auto columns = static_cast<std::int64_t>(names.size()) + 1;
  if (table.shape().rank() != 2 || table.shape()[1] != columns || (table.dtype() != f32 && table.dtype() != f64))
    throw Error("plot: the table is " + to_string(table.type()) + ". Give f32 or f64, [n, " + std::to_string(columns) +
                "]: x and a column for each name");
  const auto element = [&](std::int64_t i) {
    return table.dtype() == f32 ? table.data<float>()[i] : table.data<double>()[i];
  };
  std::vector<Series> all;
  for (std::int64_t k = 1; k < columns; ++k) {
    Series& s = all.emplace_back(Series{.name = names[static_cast<std::size_t>(k - 1)], .x = {}, .y = {}});
    for (std::int64_t row = 0; row < table.shape()[0]; ++row) {
      s.x.push_back(element(row * columns));
      s.y.push_back(element(row * columns + k));
    }
  }
  return all;
}

Series scatter(const std::string& name, const Tensor& points) {
  Series s = lines(points, {name})[0];
  s.points = true;
  return s;
}

Layout lay_out(const Plot& plot) {
  Layout l{.title = Title(plot.title)};
  std::vector<std::string> names;
  for (const Panel& p : plot.panels)
    for (const Series& s : p.series)
      if (std::find(names.begin(), names.end(), s.name) == names.end()) {
        l.legend.add(s.name, is_faint(plot, s.name));
        names.push_back(s.name);
      }
  l.x.log_scale = plot.log_x;
  l.x.from = left;
  l.x.to = width - right;
  for (const Panel& p : plot.panels)
    for (const Series& s : p.series)
      for (double v : s.x) l.x.take(v);
  l.x.settle(0.01);
  double y0 = l.legend.bottom + (plot.marks.empty() ? 0 : 16);
  for (const Panel& p : plot.panels) {
    Axis y;
    y.from = y0 + p.height;
    y.to = y0;
    y.log_scale = p.log_scale;
    for (const Series& s : p.series)
      for (double v : s.y) y.take(v);
    y.settle(0.05);
    l.y.push_back(y);
    y0 = y.from + gap;
  }
  l.height = y0 - gap + bottom;
  return l;
}

std::string svg(const Plot& plot) {
  const Layout l = lay_out(plot);
  const Axis& x = l.x;
  std::string out;
  const auto add = [&]<class... A>(fmt::format_string<A...> format, A&&... a) {
    fmt::format_to(std::back_inserter(out), format, std::forward<A>(a)...);
  };
  add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
      width, l.height);
  add("<title>{}</title>\n<style>{}</style>\n", dots::marked_up(description(plot)), style);
  out += l.title.svg() + l.legend.svg();

  for (std::size_t i = 0; i < plot.panels.size(); ++i) {
    const Panel& p = plot.panels[i];
    const Axis& y = l.y[i];
    for (double v : y.marks(5)) {
      add("<path class=\"g\" style=\"stroke-width:1\" d=\"M{} {:.1f}H{}\"/>", x.from, y.pixel(v), x.to);
      add("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n", x.from - 6, y.pixel(v) + 4, v);
    }
    for (double v : x.marks(8)) {
      add("<path class=\"g\" style=\"stroke-width:1\" d=\"M{:.1f} {}V{}\"/>", x.pixel(v), y.to, y.from);
      if (i + 1 == plot.panels.size())
        add("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.6g}</text>\n", x.pixel(v), y.from + 18, v);
    }
    add("<rect class=\"f\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", x.from, y.to, x.to - x.from, p.height);
    add("<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n", (y.to + y.from) / 2,
        dots::marked_up(p.y_label));

    for (const Series& s : p.series) {
      if (s.points) {
        add("<path {} style=\"stroke-width:4\" d=\"{}\"/>\n", l.key(s.name).stroke("d"), dots(s, x, y));
        continue;
      }
      add("<path {} d=\"{}\"/>\n", l.key(s.name).stroke(s.faint ? "p" : ""), path(thinned(s, x), x, y));
      if (!s.faint && s.x.size() <= most_dots) add("<path {} d=\"{}\"/>\n", l.key(s.name).stroke("d"), dots(s, x, y));
    }
  }
  // Labels of marks that lie close together are in rows of their own, inside the first panel.
  std::vector<double> ends;
  std::vector<Mark> marks = plot.marks;
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.x < b.x; });
  for (const Mark& m : marks) {
    if (!x.shows(m.x)) continue;
    const double at = x.pixel(m.x), w = 10 + 6.6 * static_cast<double>(m.label.size());
    const double begin = std::min(at + 4, x.to - w);
    std::size_t row = 0;
    while (row < ends.size() && ends[row] > begin) ++row;
    if (row == ends.size()) ends.push_back(0);
    ends[row] = begin + w;
    add("<path class=\"m\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>\n", at, l.y.front().to,
        l.y.back().from, begin, l.y.front().to + 16 + 15 * static_cast<double>(row), dots::marked_up(m.label));
  }
  add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</svg>\n", (x.from + x.to) / 2, l.height - 8,
      dots::marked_up(plot.x_label));
  return out;
}

}  // namespace oxbow::tools
