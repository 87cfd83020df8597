// One of two branches, chosen when the graph runs: only the one that is taken computes.
// Regular value type, safe from any thread. How it is used: ops/control.h.
#pragma once

#include <oxbow/graph/subgraph.h>

namespace oxbow::ops {

/// Both graphs take the captured values and give values of the same types.
struct Cond {
  static constexpr OpInfo info{.name = "cond", .inputs = {"predicate", "captured..."}, .outputs = {"y..."}};
  Subgraph then, otherwise;
  static void attributes(auto&& visit) {
    visit("then", &Cond::then);
    visit("otherwise", &Cond::otherwise);
  }
  bool operator==(const Cond&) const = default;

  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> simplify(Values in) const;
  std::vector<Flow> flow_back(const Node& n, Flows dy, Flows sums) const;
};

}  // namespace oxbow::ops
