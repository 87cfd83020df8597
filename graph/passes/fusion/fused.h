// The node that runs elementwise ops: a tape over arrays of one shape, in one pass over memory, with broadcast operands
// and with reductions at its ends. `lower` makes one of each elementwise op and of each op with `consume`; `fuse`
// merges.
#pragma once

#include <oxbow/graph/passes/fusion/tape.h>

namespace oxbow::internal {

/// Outputs: the tape's, then one for each reduction. All arrays have the tape's shape, inputs broadcast to it.
struct Fused {
  static constexpr OpInfo info{.name = "fused", .inputs = {"x..."}, .outputs = {"y..."}, .any_layout = true};

  using Reduction = Tape::Reduction;
  Tape tape;
  std::vector<Reduction> reductions;
  static void attributes(auto&& visit) {
    visit("tape", &Fused::tape);
    visit("reductions", &Fused::reductions);
  }
  bool operator==(const Fused&) const = default;

  /// A single elementwise op, or a single op with `consume`, as a fused node on its own inputs.
  static Fused of(const Op& op, int inputs);

  struct Plan;  // what depends on shapes only, made once a plan
  std::vector<Type> infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  std::vector<InputSet> overwrites(Types in) const;
};

}  // namespace oxbow::internal
