// One axis of another size: each element of the result is a weighted sum of a few along the axis, the same ones at
// every place of the others. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/resize.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// What ops say of resizing: see `ResizeOptions`.
struct ResizeAttributes {
  std::int64_t axis = 0;
  std::int64_t size = -1;  ///< of the result; -1: by the scale
  double scale = 0;        ///< 0: the ratio of the sizes
  std::string mode = "nearest", coordinates = "half_pixel", nearest_mode = "round_prefer_floor";
  double cubic_coefficient = -0.75;
  bool exclude_outside = false, antialias = false;
  double begin = 0, end = 1, outside = 0;  ///< of tf_crop_and_resize
  bool operator==(const ResizeAttributes&) const = default;
};

template <class T>
void resize_attributes(auto&& visit) {
  visit("axis", &T::axis);
  visit("size", &T::size);
  visit("scale", &T::scale);
  visit("mode", &T::mode);
  visit("coordinates", &T::coordinates);
  visit("nearest_mode", &T::nearest_mode);
  visit("cubic_coefficient", &T::cubic_coefficient);
  visit("exclude_outside", &T::exclude_outside);
  visit("antialias", &T::antialias);
  visit("begin", &T::begin);
  visit("end", &T::end);
  visit("outside", &T::outside);
}

/// The elements of an axis that each of another one's is the sum of, with their weights, in rising order.
struct AxisSums {
  struct Term {
    std::int64_t at;
    double weight;
  };
  std::vector<std::vector<Term>> of = {};
  std::vector<bool> outside = {};  ///< which are nothing's sum, but a constant
};
/// Of a resized axis that had `size` elements.
AxisSums resized_sums(const ResizeAttributes& options, std::int64_t size);
/// How many it has then. Throws `OpError` for a size or a scale that does not serve.
std::int64_t resized_size(const ResizeAttributes& options, std::int64_t size);

/// y = x with an axis resized.
struct ResizeAxis : ResizeAttributes {
  static constexpr OpInfo info{.name = "resize_axis", .inputs = {"x"}};
  static void attributes(auto&& visit) { resize_attributes<ResizeAxis>(visit); }
  Type infer(Types in) const;
  Prepared<AxisSums> prepare(Types in) const;
  void run(const Run& r, const AxisSums& sums) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const ResizeAxis&) const = default;
};

/// dx, of floating point; x gives its shape only.
struct ResizeAxisGradient : ResizeAttributes {
  static constexpr OpInfo info{
      .name = "resize_axis_gradient", .inputs = {"dy", "x"}, .outputs = {"dx"}, .shape_only = {1}, .any_dtype = {1}};
  static void attributes(auto&& visit) { resize_attributes<ResizeAxisGradient>(visit); }
  Type infer(Types in) const;
  Prepared<AxisSums> prepare(Types in) const;
  void run(const Run& r, const AxisSums& sums) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const ResizeAxisGradient&) const = default;
};

}  // namespace oxbow::ops
