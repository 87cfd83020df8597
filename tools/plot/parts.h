// What pictures are made of. Private to tools/plot.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dump/style.h"
#include "plot/plot.h"

namespace oxbow::tools {

inline constexpr std::size_t colours = 7;

inline constexpr double width = 720, left = 72, right = 16, bottom = 44, gap = 26;

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
    const int each = std::max(1, static_cast<int>(std::ceil((high - low) / (2 * count))));  // decades from mark to mark
    for (int e = static_cast<int>(std::floor(low)); e <= static_cast<int>(std::ceil(high)); ++e)
      for (int m : {1, 2, 5})
        if (const double v = m * std::pow(10, e);
            (m == 1 || !wide) && e % each == 0 && std::log10(v) >= low && std::log10(v) <= high)
          out.push_back(v);
    return out;
  }
};

// The look that all pictures share, on light and on dark pages. Colours are Okabe and Ito's, which are distinct to
// colour-blind readers as well (Color Universal Design, 2008); on dark pages the darker ones are lighter.
inline constexpr const char* style =
    "svg{background:#fff}text{font:12px sans-serif;fill:#333}.t{font-size:15px;font-weight:600}"
    ".g{stroke:#ddd}.f{fill:none;stroke:#999}.m{stroke:#777;stroke-width:1;stroke-dasharray:4 3}"
    ".c0{color:#0072b2}.c1{color:#d55e00}.c2{color:#009e73}.c3{color:#cc79a7}.c4{color:#e69f00}.c5{color:#56b4e9}"
    ".c6{color:#7f7f7f}path{fill:none;stroke-width:2;stroke-linejoin:round}path.c{stroke:currentColor}"
    "path.p{stroke-width:1;opacity:.4}path.d{stroke-width:6;stroke-linecap:round}path.a{fill:currentColor;stroke:none}"
    ".o{fill:#fff;stroke:#333;stroke-width:2}"
    "@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#ccc}.g{stroke:#3a3a3a}.f{stroke:#777}"
    ".o{fill:#1b1b1b;stroke:#ccc}"
    ".c0{color:#3d9be9}.c1{color:#f0803c}.c2{color:#1fbd91}.c3{color:#d98fb7}.c5{color:#8fd0f7}.c6{color:#a6a6a6}"
    "path.p{opacity:.5}}";

// The title, broken between words into the lines that it takes.
struct Title {
  std::vector<std::string> lines;
  double bottom = 18;

  explicit Title(std::string_view text) {
    constexpr std::size_t most = 68;  // characters, as wide as they may be
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      if (lines.empty() || (!lines.back().empty() && lines.back().size() + 1 + end > most)) lines.emplace_back();
      lines.back() += (lines.back().empty() ? "" : " ") + std::string(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    bottom += 18 * static_cast<double>(lines.size());
  }
  std::string svg() const {
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i)
      out +=
          fmt::format("<text class=\"t\" x=\"{}\" y=\"{}\">{}</text>\n", left, 24 + 18 * i, dots::marked_up(lines[i]));
    return out;
  }
};

// Names beside strokes of their colours, below the title, in as many rows as it takes.
struct Legend {
  struct Key {
    std::string name;
    std::size_t colour;
    const char* dash;  // distinguishes lines that share a colour
    bool faint;
    double x, y;
    // Attributes of a path: its colour and dashes, and how it looks.
    std::string stroke(std::string_view look = "") const {
      return fmt::format("class=\"c c{}{}{}\"{}", colour, look.empty() ? "" : " ", look,
                         *dash == 0 || look == "d" ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
    }
  };
  std::vector<Key> keys;
  double bottom;

  explicit Legend(const Title& above) : bottom(above.bottom) {}

  void add(const std::string& name, bool faint = false) {
    constexpr const char* dashes[] = {"", "7 3", "2 3"};
    const std::size_t n = keys.size();
    const double w = 46 + 6.6 * static_cast<double>(name.size());
    if (keys.empty()) bottom += 20;
    if (x_ + w > width && x_ > left) x_ = left, bottom += 18;
    keys.push_back({name, n % colours, dashes[n / colours % std::size(dashes)], faint, x_, bottom - 12});
    x_ += w;
  }
  std::string svg() const {
    std::string out;
    for (const Key& k : keys)
      out += fmt::format("<path {} d=\"M{:.0f} {:.0f}h22\"/><text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
                         k.stroke(k.faint ? "p" : ""), k.x, k.y - 4, k.x + 28, k.y, dots::marked_up(k.name));
    return out;
  }

 private:
  double x_ = left;
};

// Where everything of a plot lies.
struct Layout {
  double height = 0;
  Axis x = {};
  std::vector<Axis> y = {};  // a panel's
  Title title;
  Legend legend{title};
  // Of a series in the plot.
  const Legend::Key& key(const std::string& name) const {
    return *std::find_if(legend.keys.begin(), legend.keys.end(), [&](const Legend::Key& k) { return k.name == name; });
  }
};
Layout lay_out(const Plot& plot);
// For who hears a picture, or points at it: its title, or what it is of.
std::string description(const Plot& plot);
// A page around a picture, and what comes behind it.
std::string page_of(const std::string& title, const std::string& picture, const std::string& behind = "");
// Of a series with many points for each pixel of the axis, those that are seen: of each pixel the first and the last,
// the lowest and the highest.
Series thinned(const Series& series, const Axis& x);

}  // namespace oxbow::tools
