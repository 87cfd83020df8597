// Values of images between their pixels, composed of gathers and elementwise ops: what `grid_sample` and `deform_conv`
// share. Internal to ops/. They append to the graph.
#pragma once

#include <oxbow/ops/resize.h>

namespace oxbow::ops {

/// Places along one axis: in pixels, of any shape, floating point.
struct PlacesAlong {
  Value places;
  Value size;  ///< pixels of the axis: a scalar i64, which may follow from a free axis
};

/// How places become pixels.
struct Between {
  Interpolation mode = Interpolation::linear;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;
  double cubic_coefficient = -0.75;
};

/// The rows of table [rows, c] that lie at these places, outermost axis first, and so weighted and added up: [..., c].
/// Pixel p, q of axes of sizes s, t is row ((first + p) * t + q) * groups + group, where `first` counts in pixels of
/// the outermost axis. `first` and `group`, i64, broadcast to the places; an empty `group` is 0.
Value interpolated(Value table, Value first, const std::vector<PlacesAlong>& axes, Value group, std::int64_t groups,
                   const Between& how, At at);
/// The same before it is added up: each of the pixels around, weighted.
std::vector<Value> weighted(Value table, Value first, const std::vector<PlacesAlong>& axes, Value group,
                            std::int64_t groups, const Between& how, At at);

}  // namespace oxbow::ops
