#include "plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>

namespace oxbow::tools {
namespace {

// Okabe and Ito's colours, told apart by colour-blind readers as well (Color Universal Design, 2008).
constexpr const char* palette[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"};

constexpr double width = 720, panel_height = 260, left = 72, right = 16, top = 40, bottom = 44, gap = 26;

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

// A range of data, and where it lies on the picture.
struct Axis {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  double from = 0, to = 0;  // pixels
  bool log_scale = false;

  bool shows(double v) const { return std::isfinite(v) && (!log_scale || v > 0); }
  void take(double v) {
    if (!shows(v)) return;
    low = std::min(low, scaled(v));
    high = std::max(high, scaled(v));
  }
  double scaled(double v) const { return log_scale ? std::log10(v) : v; }
  double pixel(double v) const { return from + (scaled(v) - low) / (high - low) * (to - from); }
  // Room around the data; something to show when there is none.
  void settle(double margin) {
    if (!(low <= high)) low = 0, high = 1;
    const double room = high > low ? (high - low) * margin : std::max(std::abs(low) * 0.1, 1e-3);
    low -= room;
    high += room;
  }
  std::vector<double> marks(int count) const {
    if (!log_scale) return ticks(low, high, count);
    std::vector<double> out;
    const bool wide = high - low > 2;
    for (int e = static_cast<int>(std::floor(low)); e <= static_cast<int>(std::ceil(high)); ++e)
      for (int m : {1, 2, 5})
        if (const double v = m * std::pow(10, e); (m == 1 || !wide) && std::log10(v) >= low && std::log10(v) <= high)
          out.push_back(v);
    return out;
  }
};

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
constexpr std::size_t most_dots = 50;  // more would touch one another

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double raw = (high - low) / std::max(count, 1);
  if (!(raw > 0) || !std::isfinite(raw)) return {low};
  const double power = std::pow(10, std::floor(std::log10(raw))), lead = raw / power;
  const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  std::vector<double> out;
  for (double k = std::ceil(low / step); k * step <= high + step * 1e-9; ++k) out.push_back(k == 0 ? 0 : k * step);
  return out;
}

std::string svg(const Plot& plot) {
  const auto panels = static_cast<double>(plot.panels.size());
  const double height = top + panels * panel_height + (panels - 1) * gap + bottom;
  std::string out;
  const auto add = [&]<class... A>(fmt::format_string<A...> format, A&&... a) {
    fmt::format_to(std::back_inserter(out), format, std::forward<A>(a)...);
  };
  add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
      width, height);
  add("<title>{}</title>\n", escaped(plot.title));
  out +=
      "<style>svg{background:#fff}text{font:12px sans-serif;fill:#333}.t{font-size:15px;font-weight:600}"
      ".g{stroke:#ddd}.f{fill:none;stroke:#999}path{fill:none;stroke-width:2;stroke-linejoin:round}"
      "path.p{stroke-width:1;opacity:.35}path.d{stroke-width:6;stroke-linecap:round}"
      "@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#ccc}.g{stroke:#3a3a3a}.f{stroke:#777}}"
      "</style>\n";
  add("<text class=\"t\" x=\"{}\" y=\"24\">{}</text>\n", left, escaped(plot.title));

  Axis x;
  x.from = left;
  x.to = width - right;
  for (const Panel& p : plot.panels)
    for (const Series& s : p.series)
      for (double v : s.x) x.take(v);
  x.settle(0.01);

  std::map<std::string, const char*> colours;
  std::vector<std::string> names;
  double y0 = top;
  for (const Panel& p : plot.panels) {
    const double y1 = y0 + panel_height;
    Axis y;
    y.from = y1;
    y.to = y0;
    y.log_scale = p.log_scale;
    for (const Series& s : p.series)
      for (double v : s.y) y.take(v);
    y.settle(0.05);

    for (double v : y.marks(5)) {
      add("<path class=\"g\" style=\"stroke-width:1\" d=\"M{} {:.1f}H{}\"/>", x.from, y.pixel(v), x.to);
      add("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n", x.from - 6, y.pixel(v) + 4, v);
    }
    for (double v : x.marks(8)) {
      add("<path class=\"g\" style=\"stroke-width:1\" d=\"M{:.1f} {}V{}\"/>", x.pixel(v), y0, y1);
      if (&p == &plot.panels.back())
        add("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.6g}</text>\n", x.pixel(v), y1 + 18, v);
    }
    add("<rect class=\"f\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", x.from, y0, x.to - x.from, panel_height);
    add("<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n", (y0 + y1) / 2,
        escaped(p.y_label));

    for (const Series& s : p.series) {
      const auto [place, first] = colours.try_emplace(s.name, palette[colours.size() % std::size(palette)]);
      add("<path{} stroke=\"{}\" d=\"{}\"/>\n", s.faint ? " class=\"p\"" : "", place->second, path(s, x, y));
      if (!s.faint && s.x.size() <= most_dots)
        add("<path class=\"d\" stroke=\"{}\" d=\"{}\"/>\n", place->second, dots(s, x, y));
      if (first) names.push_back(s.name);
    }
    y0 = y1 + gap;
  }
  // One legend, above the panels, where no curve can run.
  double key = x.to;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    key -= 44 + 6.6 * static_cast<double>(name->size());
    add("<path stroke=\"{}\" d=\"M{:.0f} 20h22\"/><text x=\"{:.0f}\" y=\"24\">{}</text>\n", colours[*name], key,
        key + 28, escaped(*name));
  }
  add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</svg>\n", (x.from + x.to) / 2, height - 8,
      escaped(plot.x_label));
  return out;
}

}  // namespace oxbow::tools
