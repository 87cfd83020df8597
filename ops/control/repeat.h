// A body that is done again and again, with values that it carries from one step to the next, slices of stacked values
// that it reads, and values of which it gives one a step: a loop, a recurrence, an iterative method.
// Regular value type, safe from any thread. How it is used: ops/control.h.
#pragma once

#include <oxbow/graph/subgraph.h>

namespace oxbow::ops {

/// Inputs: the first values of what is carried, the stacked values [steps, ...], what the body captures. The body takes
/// the carried values, a slice [...] of each stacked one, and the captured ones; it gives the next carried values, of
/// the same types, and what is to be stacked. Outputs: the last carried values; what was stacked, [steps, ...]; and
/// what was carried into each step, [steps, ...], which costs nothing unless it is read (backward does).
struct Repeat {
  static constexpr OpInfo info{.name = "repeat", .inputs = {"x..."}, .outputs = {"y..."}};
  std::int64_t steps = 0, carried = 0, sliced = 0;
  bool reverse = false;  ///< the last step comes first
  Subgraph body;
  static void attributes(auto&& visit) {
    visit("steps", &Repeat::steps);
    visit("carried", &Repeat::carried);
    visit("sliced", &Repeat::sliced);
    visit("reverse", &Repeat::reverse);
    visit("body", &Repeat::body);
  }
  bool operator==(const Repeat&) const = default;

  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Flow> flow_back(const Node& n, Flows dy, Flows sums) const;
};

}  // namespace oxbow::ops
