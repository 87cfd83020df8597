// Every so many elements of a range of one axis, forwards or backwards, and its gradient. All dtypes. Regular value
// types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

/// The elements begin, begin + step, ... up to but without `end` along an axis; negative numbers count from its end.
/// With a negative step they go down from `begin`, and `to_end` is the first of the axis. What has the step 1 is
/// `Slice`.
struct StridedSlice {
  static constexpr OpInfo info{.name = "strided_slice", .inputs = {"x"}};
  std::int64_t axis = 0, begin = 0, end = to_end, step = 1;
  static void attributes(auto&& visit) {
    visit("axis", &StridedSlice::axis);
    visit("begin", &StridedSlice::begin);
    visit("end", &StridedSlice::end);
    visit("step", &StridedSlice::step);
  }
  bool operator==(const StridedSlice&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// dy where the slice of `like` took its elements from, and 0 elsewhere.
struct StridedSliceGradient {
  static constexpr OpInfo info{.name = "strided_slice_gradient", .inputs = {"dy", "like"}, .shape_only = {1}};
  std::int64_t axis = 0, begin = 0, end = to_end, step = 1;
  static void attributes(auto&& visit) {
    visit("axis", &StridedSliceGradient::axis);
    visit("begin", &StridedSliceGradient::begin);
    visit("end", &StridedSliceGradient::end);
    visit("step", &StridedSliceGradient::step);
  }
  bool operator==(const StridedSliceGradient&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
