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
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
