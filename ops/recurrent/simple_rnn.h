// A plain recurrence over all steps as one node, and its gradient as another (see ops/recurrent.h for what is
// computed). Kept for the gradient: the state of each step. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

namespace recurrent {
struct Plan;
}

/// h' = tanh(x + h U), or relu. x [time, batch, units], recurrent [units, units], h [batch, units], lengths i64
/// [batch]. A step that a sequence does not have leaves its state as it was, and is not read. states are h' of each
/// step. A part is some rows of the batch.
struct SimpleRnn {
  static constexpr OpInfo info{.name = "simple_rnn",
                               .inputs = {"x", "recurrent", "h", "lengths?"},
                               .outputs = {"states?", "last_h?"},
                               .may_overwrite = {0},
                               .any_dtype = {3}};
  bool relu = false, reverse = false;
  static void attributes(auto&& visit) {
    visit("relu", &SimpleRnn::relu);
    visit("reverse", &SimpleRnn::reverse);
  }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const SimpleRnn&) const = default;
};

/// From the last step to the first, with what flows to h', dh: to the states themselves, and from the step after. dx =
/// dh (1 - h'^2), or dh where h' > 0; on flows dx U^T. `transposed` is U^T [units, units].
struct SimpleRnnGradient {
  static constexpr OpInfo info{.name = "simple_rnn_gradient",
                               .inputs = {"states", "transposed", "dstates?", "dlast_h?", "lengths?"},
                               .outputs = {"dx?", "dh?"},
                               .may_overwrite = {0, 2},
                               .any_dtype = {4}};
  bool relu = false, reverse = false;
  static void attributes(auto&& visit) {
    visit("relu", &SimpleRnnGradient::relu);
    visit("reverse", &SimpleRnnGradient::reverse);
  }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const SimpleRnnGradient&) const = default;
};

}  // namespace oxbow::ops
