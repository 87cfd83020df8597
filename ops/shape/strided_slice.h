// Every so many elements of a range of one axis, forwards or backwards, its gradient, and how the gradients of many add
// up. All dtypes. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/widen.h>

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

/// Zeros like `like`, to which dy is added where the slice took its elements from, so that -0.0 becomes 0.0.
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
  Value add_to(Values in, Value sum, Value flows) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with `part` added to the elements that the slice takes. Of numbers. In place where nobody else reads x, so that it
/// takes time in proportion to the part.
struct StridedSliceAdd {
  static constexpr OpInfo info{.name = "strided_slice_add", .inputs = {"x", "part"}, .may_overwrite = {0}};
  std::int64_t axis = 0, begin = 0, end = to_end, step = 1;
  static void attributes(auto&& visit) {
    visit("axis", &StridedSliceAdd::axis);
    visit("begin", &StridedSliceAdd::begin);
    visit("end", &StridedSliceAdd::end);
    visit("step", &StridedSliceAdd::step);
  }
  bool operator==(const StridedSliceAdd&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
