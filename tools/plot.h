// Line charts as SVG text: loss and metric curves. Panels stand one under another and share the horizontal axis's
// meaning. The text depends on the data only, so the same run gives the same picture. Pure functions.
#pragma once

#include <string>
#include <vector>

namespace oxbow::tools {

struct Series {
  std::string name;          ///< in the legend; series of one name in several panels share a colour
  std::vector<double> x, y;  ///< as many of each; a value that is not finite leaves a gap
  bool faint = false;        ///< thin and pale, as background to another: losses step by step, say
};

struct Panel {
  std::string y_label;
  std::vector<Series> series;
  bool log_scale = false;  ///< of y; values that are not positive leave gaps
};

struct Plot {
  std::string title;
  std::string x_label;
  std::vector<Panel> panels;
};

/// A self-contained SVG picture, 720 pixels wide, readable on light and dark pages.
std::string svg(const Plot& plot);

/// About `count` round numbers (1, 2 or 5 times a power of ten apart) that lie in [low, high].
std::vector<double> ticks(double low, double high, int count);

}  // namespace oxbow::tools
