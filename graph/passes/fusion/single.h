// The op that repeats one element over all lanes, as a tape's scalar operands are. It is never part of a graph: a
// tape's plan asks each step to `absorb` it (graph/op.h). The routine of a step that does so takes a pointer to one
// element where it took an array of lanes, and holds it in a register; for any other step the element is laid out.
// Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow::internal {

/// y[i] = x[0]
struct Single {
  static constexpr OpInfo info{.name = "single", .inputs = {"x"}, .any_layout = true};
  bool operator==(const Single&) const = default;
  Type infer(Types in) const { return in[0]; }
  TileFn tile(Types in) const;
};

}  // namespace oxbow::internal
