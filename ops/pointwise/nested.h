// An elementwise op and the one that computes an operand of it as one routine, so that what is between them stays in a
// register: `absorb` of the op contract. So do scalar operands, `Single`s. Each formula rounds as it does alone, so the
// bits are the same. Made while tapes are planned, never part of a graph. Internal to ops/; the table of what there is
// stands in nested.cpp. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/single.h>
#include <oxbow/ops/elementwise.h>

#include <string>

namespace oxbow::ops {

/// A loop over floats, of the formula of an op or of several within each other.
struct Routine {
  const void* formula;  ///< tells formulas apart
  unsigned singles;     ///< the set of operands that are single elements, a bit each
  TileFn (*tile)(DType);
};

/// All routines in one type of op: a type for each would take minutes to compile.
struct Joined {
  static constexpr OpInfo info{.name = "joined", .inputs = {"x..."}, .any_layout = true};
  const Routine* routine = nullptr;  ///< in the table
  bool operator==(const Joined&) const = default;

  Type infer(Types in) const { return elementwise::common(in, in[0].dtype); }
  TileFn tile(Types in) const { return routine->tile(in[0].dtype); }
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
};

/// A pair that becomes one routine: the operand number `operand` of `outer` is computed by `inner`.
struct Absorbed {
  std::string formula;  ///< "add(multiply(a, b), c)"
  Op outer, inner;
  std::size_t outer_operands, inner_operands;
  int operand;
};
/// All pairs: the rows of the table in nested.cpp, for its test and its measurement.
std::vector<Absorbed> absorbed_pairs();

}  // namespace oxbow::ops
