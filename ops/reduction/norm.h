// The length of vectors: the root of the sum of squares, without their overflow and underflow. Its slope at 0 is 0,
// where that of sqrt(sum(square(x))) is NaN. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// One length for each place on the other axes; that of nothing is 0. The squares of f32 are added in f64, which holds
/// them all; f64 is scaled by a power of two first, which rounds nothing, where its largest element asks for it.
/// dx = dy x / y, and 0 where y is 0.
struct Norm {
  static constexpr OpInfo info{.name = "norm", .inputs = {"x"}, .exact = {0}};
  std::vector<std::int64_t> axes;
  bool keep = false;  ///< reduced axes stay, with size 1
  static void attributes(auto&& visit) {
    visit("axes", &Norm::axes);
    visit("keep", &Norm::keep);
  }
  bool operator==(const Norm&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
