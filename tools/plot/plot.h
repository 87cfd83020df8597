// Line charts and scatter plots as SVG text or as a page: loss and metric curves, rates, several runs on one axis; and
// descents on a surface of two parameters. Panels lie one below another and share the horizontal axis's meaning. The
// text depends on the data only, so the same run gives the same picture. Pure functions.
#pragma once

#include <oxbow/graph/tensor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::tools {

struct Series {
  std::string name;                    ///< in the legend; series of one name in several panels share a colour
  std::vector<double> x = {}, y = {};  ///< as many of each; a value that is not finite leaves a gap
  bool faint = false;                  ///< thin and pale, as background to another: losses step by step, say
  bool points = false;                 ///< a dot for each, and no line between them: a scatter plot
};

/// The columns of a table [n, 1 + names], f32 or f64, as lines: x, and the y of each name. Throws `Error` for others.
std::vector<Series> lines(const Tensor& table, const std::vector<std::string>& names);
/// Points [n, 2], f32 or f64: a scatter plot. Throws `Error` for others.
Series scatter(const std::string& name, const Tensor& points);

struct Panel {
  std::string y_label = {};
  std::vector<Series> series = {};
  bool log_scale = false;  ///< of y; values that are not positive leave gaps
  double height = 260;     ///< in pixels; 632 makes it a square
};

/// A vertical line with a word beside it: a suggested rate, say.
struct Mark {
  double x;
  std::string label;
};

struct Plot {
  std::string title = {};
  std::string x_label = {};
  std::vector<Panel> panels = {};
  bool log_x = false;  ///< values that are not positive leave gaps
  std::vector<Mark> marks = {};
};

/// A self-contained SVG picture, 720 pixels wide, readable on light and dark pages.
std::string svg(const Plot& plot);
/// The same picture as one HTML page that needs no network: the values under the pointer are shown beside it.
std::string page(const Plot& plot);

/// A descent on a surface: where it was before each step, and at last.
struct Path {
  std::string name;
  std::vector<double> x, y;
};
struct Surface {
  std::string title, x_label, y_label;
  std::function<double(double, double)> height;
  double left, right, bottom, top;  ///< what is shown
  std::vector<Path> paths;
};
/// Contour lines, evenly spaced in the logarithm of the height above the lowest shown, and each path with arrows, from
/// a ring to a dot. A path ends where it leaves the picture. Throws `Error` for an empty part of the plane, and for
/// heights that are not finite.
std::string svg(const Surface& surface);
std::string page(const Surface& surface);

/// Points of predictions over the truth, and the line on which perfect ones lie. As many of each, f32 or f64. Throws
/// `Error` for others.
Plot predictions_against_truth(const Tensor& predictions, const Tensor& truth, const std::string& title = {});

/// How often each class was taken for which.
struct Confusion {
  std::string title = {};
  std::vector<std::string> labels = {};
  Tensor counts = {};  ///< i64[labels, labels]: row i, column j: how many of class i were predicted to be of j
};
/// A square a pair of classes, as dark as its share of the row, with its number where it can be read. Throws `Error`
/// for counts of another type and for more than 1,000 classes.
std::string svg(const Confusion& confusion);
std::string page(const Confusion& confusion);

/// Whether a file of this name is to hold a page (".html", ".htm") and not a bare picture.
bool is_page(std::string_view path);

/// About `count` round numbers (1, 2 or 5 times a power of ten apart) that lie in [low, high].
std::vector<double> ticks(double low, double high, int count);

}  // namespace oxbow::tools
