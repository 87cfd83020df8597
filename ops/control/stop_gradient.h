// The identity through which no gradient flows. A regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// y = x, dx = nothing. Simplification, which comes after differentiation, removes it; what is left aliases its input.
struct StopGradient {
  static constexpr OpInfo info{.name = "stop_gradient", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  Type infer(Types in) const { return in[0]; }
  Work work(Types in) const;
  void run(const Run& r) const;
  Alias alias(Types) const { return {.input = 0}; }
  Value simplify(Values in) const { return in[0]; }
  Grads gradient(const Node&, Values) const { return {Value()}; }
  bool operator==(const StopGradient&) const = default;
};

}  // namespace oxbow::ops
