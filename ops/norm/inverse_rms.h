// What layers that normalise multiply by: one over the root of the mean square. Regular value types, safe from any
// thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y = 1 / sqrt(mean(x x) + epsilon) over `axes` (empty: all), which stay with size 1. No square overflows or
/// vanishes: those of f32 are added in f64, which holds them all; those of f64 are scaled where they ask for it.
/// dx = -dy y y (x y) / n, n elements being the mean's.
struct InverseRms {
  static constexpr OpInfo info{.name = "inverse_rms", .inputs = {"x"}, .exact = {0}};
  std::vector<std::int64_t> axes;
  double epsilon = 1e-5;
  static void attributes(auto&& visit) {
    visit("axes", &InverseRms::axes);
    visit("epsilon", &InverseRms::epsilon);
  }
  bool operator==(const InverseRms&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
