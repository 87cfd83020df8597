// Axes in another order. All dtypes. Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// Axis i of the result is axis permutation[i] of x; an empty permutation reverses the axes.
struct Transpose {
  static constexpr OpInfo info{.name = "transpose", .inputs = {"x"}};
  std::vector<std::int64_t> permutation;
  static void attributes(auto&& visit) { visit("permutation", &Transpose::permutation); }
  bool operator==(const Transpose&) const = default;

  struct Plan;  ///< loops over neighbouring axes merged
  Type infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& plan) const;
  Value add_to(Values in, Value sum, Value flows) const;
  Value simplify(Values in) const;
  std::vector<int> moved_axes(Types in) const;
  Op with_moved_axes(const std::vector<int>& axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with axes of size 1 before its own, so that it has as many as `axes`, and those in that order; without leading
/// axes of size 1 where no element moves. What broadcasts against others broadcasts so against them transposed.
Value aligned_and_moved(Value x, std::span<const int> axes);
/// Where axis `axis`, of `axes` many, is after a transposition.
std::int64_t moved_axis(std::int64_t axis, std::span<const int> axes);
/// A shape after a transposition.
Shape moved_shape(const Shape& x, std::span<const int> axes);

}  // namespace oxbow::ops
