// The place of the largest element along an axis. Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// Of equal elements the first; NaN counts as larger than any number. The result is i64, without the axis.
struct ArgMax {
  static constexpr OpInfo info{.name = "argmax", .inputs = {"x"}};
  std::int64_t axis = -1;
  static void attributes(auto&& visit) { visit("axis", &ArgMax::axis); }
  bool operator==(const ArgMax&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
};

}  // namespace oxbow::ops
