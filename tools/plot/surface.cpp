// Contour lines and the paths of descents on a surface of two parameters.
#include <oxbow/graph/error.h>

#include <set>

#include "plot/parts.h"

namespace oxbow::tools {
namespace {

constexpr int cells = 120, levels = 14;
constexpr double plot_height = 480;
constexpr double far = 1e5;  // pixels

// Where the surface crosses `level` within each cell of the grid: marching squares, by the cell's two triangles, which
// leaves no ambiguous case.
std::string contour(const std::vector<double>& z, double level, const Axis& x, const Axis& y) {
  std::string d;
  const auto value = [&](int i, int k) { return z[static_cast<std::size_t>(k * (cells + 1) + i)]; };
  struct Corner {
    double x, y, z;
  };
  const auto corner = [&](int i, int k) {
    return Corner{x.from + (x.to - x.from) * i / cells, y.from + (y.to - y.from) * k / cells, value(i, k) - level};
  };
  const auto triangle = [&](const Corner& a, const Corner& b, const Corner& c) {
    int found = 0;
    for (const auto& [p, q] : {std::pair{a, b}, std::pair{b, c}, std::pair{c, a}}) {
      if ((p.z < 0) == (q.z < 0)) continue;
      const double t = p.z / (p.z - q.z);
      d += fmt::format("{}{:.1f} {:.1f}", found++ == 0 ? "M" : "L", p.x + t * (q.x - p.x), p.y + t * (q.y - p.y));
    }
  };
  for (int k = 0; k < cells; ++k)
    for (int i = 0; i < cells; ++i) {
      triangle(corner(i, k), corner(i + 1, k), corner(i + 1, k + 1));
      triangle(corner(i, k), corner(i + 1, k + 1), corner(i, k + 1));
    }
  return d;
}

}  // namespace

std::string svg(const Surface& s) {
  if (!(s.right > s.left && s.top > s.bottom)) throw Error("a picture of a surface needs left < right, bottom < top");
  const Title title(s.title);
  Legend legend(title);
  for (std::size_t i = 0; i < s.paths.size(); ++i) legend.add(s.paths[i].name);
  Axis x, y;
  x.low = s.left, x.high = s.right, x.from = left, x.to = width - right;
  y.low = s.bottom, y.high = s.top, y.from = legend.bottom + plot_height, y.to = legend.bottom;

  std::vector<double> z;
  for (int k = 0; k <= cells; ++k)
    for (int i = 0; i <= cells; ++i)
      z.push_back(s.height(s.left + (s.right - s.left) * i / cells, s.bottom + (s.top - s.bottom) * k / cells));
  const auto [low, high] = std::minmax_element(z.begin(), z.end());
  if (!std::isfinite(*high - *low) || std::any_of(z.begin(), z.end(), [](double v) { return !std::isfinite(v); }))
    throw Error("a picture of a surface needs heights that are finite, and less than 1.8e308 apart");

  std::string out;
  const auto add = [&]<class... A>(fmt::format_string<A...> format, A&&... a) {
    fmt::format_to(std::back_inserter(out), format, std::forward<A>(a)...);
  };
  const double height = y.from + bottom;
  add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
      width, height);
  add("<title>{}</title>\n<style>{}</style>\n<defs>\n", dots::marked_up(s.title), style);
  add("<clipPath id=\"frame\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n", x.from, y.to,
      x.to - x.from, plot_height);
  for (std::size_t i = 0; i < s.paths.size(); ++i)
    add("<marker id=\"a{0}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"4.5\" markerHeight=\"4.5\" "
        "orient=\"auto\">"
        "<path class=\"a c{1}\" d=\"M0 0L8 4L0 8z\"/></marker>\n",
        i, legend.keys[i].colour);
  out += "</defs>\n" + title.svg() + legend.svg();
  out += "<g clip-path=\"url(#frame)\">\n";
  for (int i = 0; i < levels; ++i) {
    const double share = std::pow(10, -3.0 * (levels - 1 - i) / (levels - 1)) * 0.9;
    add("<path class=\"g\" style=\"stroke:#999;stroke-width:1;opacity:{:.2f}\" d=\"{}\"/>\n", 0.35 + 0.4 * i / levels,
        contour(z, *low + share * (*high - *low), x, y));
  }
  for (std::size_t i = 0; i < s.paths.size(); ++i) {
    const Path& p = s.paths[i];
    std::pair<double, double> end{-1, -1};
    for (std::size_t k = 1; k < std::min(p.x.size(), p.y.size()); ++k) {
      const double x0 = x.pixel(p.x[k - 1]), y0 = y.pixel(p.y[k - 1]), x1 = x.pixel(p.x[k]), y1 = y.pixel(p.y[k]);
      if (!std::isfinite(x1) || !std::isfinite(y1)) break;
      const double length = std::hypot(x1 - x0, y1 - y0);
      const double drawn = std::min(1.0, far / length);  // within the range that every viewer of SVG can draw
      add("<path {}{} d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", legend.keys[i].stroke(),
          length > 8 ? fmt::format(" marker-end=\"url(#a{})\"", i) : "", x0, y0, x0 + drawn * (x1 - x0),
          y0 + drawn * (y1 - y0));
      end = {x1, y1};
      if (x1 < x.from || x1 > x.to || y1 < y.to || y1 > y.from) break;
    }
    if (const auto [x1, y1] = end; x1 >= x.from && x1 <= x.to && y1 >= y.to && y1 <= y.from)
      add("<path {} d=\"M{:.1f} {:.1f}h0\"/>\n", legend.keys[i].stroke("d"), x1, y1);
  }
  std::set<std::pair<double, double>> starts;
  for (const Path& p : s.paths)
    if (!p.x.empty() && !p.y.empty() && std::isfinite(p.x[0]) && std::isfinite(p.y[0]) &&
        starts.emplace(p.x[0], p.y[0]).second)
      add("<circle class=\"o\" cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"4\"/><text x=\"{2:.1f}\" y=\"{3:.1f}\">start</text>\n",
          x.pixel(p.x[0]), y.pixel(p.y[0]), x.pixel(p.x[0]) + 9, y.pixel(p.y[0]) - 6);
  out += "</g>\n";
  for (double v : y.marks(6))
    add("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n", x.from - 6, y.pixel(v) + 4, v);
  for (double v : x.marks(8))
    add("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.6g}</text>\n", x.pixel(v), y.from + 18, v);
  add("<rect class=\"f\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", x.from, y.to, x.to - x.from, plot_height);
  add("<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n", (y.to + y.from) / 2,
      dots::marked_up(s.y_label));
  add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</svg>\n", (x.from + x.to) / 2, height - 8,
      dots::marked_up(s.x_label));
  return out;
}

std::string page(const Surface& surface) { return page_of(surface.title, svg(surface)); }

}  // namespace oxbow::tools
