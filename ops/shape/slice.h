// A range of one axis, its gradient, and how the gradients of many ranges add up. All dtypes. Regular value types, safe
// from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/widen.h>

#include <limits>

namespace oxbow::ops {

/// The elements [begin, end) along an axis; negative numbers count from its end. A slice of the first axis that is not
/// of size 1 is its input's bytes.
struct Slice {
  static constexpr OpInfo info{.name = "slice", .inputs = {"x"}};
  std::int64_t axis = 0, begin = 0, end = to_end;
  static void attributes(auto&& visit) {
    visit("axis", &Slice::axis);
    visit("begin", &Slice::begin);
    visit("end", &Slice::end);
  }
  bool operator==(const Slice&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Alias alias(Types in) const;
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// Zeros like `like`, to which dy is added where the slice took its elements from, so that -0.0 becomes 0.0: the
/// gradient of a slice. What a later `SliceAdd` does to the same elements gives the same bits.
struct SliceGradient {
  static constexpr OpInfo info{.name = "slice_gradient", .inputs = {"dy", "like"}, .shape_only = {1}};
  std::int64_t axis = 0, begin = 0, end = to_end;
  static void attributes(auto&& visit) {
    visit("axis", &SliceGradient::axis);
    visit("begin", &SliceGradient::begin);
    visit("end", &SliceGradient::end);
  }
  bool operator==(const SliceGradient&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value add_to(Values in, Value sum, Value flows) const;
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with `part` added to its elements [begin, end) along an axis. Of numbers. In place where nobody else reads x, so
/// that it takes time in proportion to the part.
struct SliceAdd {
  static constexpr OpInfo info{.name = "slice_add", .inputs = {"x", "part"}, .may_overwrite = {0}};
  std::int64_t axis = 0, begin = 0, end = to_end;
  static void attributes(auto&& visit) {
    visit("axis", &SliceAdd::axis);
    visit("begin", &SliceAdd::begin);
    visit("end", &SliceAdd::end);
  }
  bool operator==(const SliceAdd&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
