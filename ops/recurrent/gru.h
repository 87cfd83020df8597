// Gated recurrent units over all steps as one node, and their gradient as another (see ops/recurrent.h for what is
// computed). Kept for the gradient: the gates, in the bytes of what came in, the state of each step, and of the
// candidate what came from the state. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

namespace recurrent {
struct Plan;
}

/// Gates z, r = sigmoid of x + h U + b, n = tanh(x + r (h U + b)), or, with the reset before, tanh(x + (r h) U + b);
/// h' = z h + (1 - z) n. x [time, batch, 3 units], recurrent [units, 3 units], h [batch, units], recurrent_bias
/// [3 units], lengths i64 [batch]. A step that a sequence does not have leaves its state as it was, is not read, and
/// has gates and inner ones of 0. states are h' of each step, gates z, r, n, inner h U + b of the candidate or, with
/// the reset before, r h. A part is some rows of the batch.
struct Gru {
  static constexpr OpInfo info{.name = "gru",
                               .inputs = {"x", "recurrent", "h", "recurrent_bias?", "lengths?"},
                               .outputs = {"states?", "last_h?", "gates?", "inner?"},
                               .any_dtype = {4}};
  bool reset_after = true, reverse = false;
  static void attributes(auto&& visit) {
    visit("reset_after", &Gru::reset_after);
    visit("reverse", &Gru::reverse);
  }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<InputSet> overwrites(Types) const { return {{}, {}, {0}, {}}; }
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Gru&) const = default;
};

/// From the last step to the first, with what flows to h', dh: to the states themselves, and from the step after.
/// dz = dh (h - n), dn = dh (1 - z), each by the slope of its gate; then dr = dn p and dp = dn r, of the candidate's
/// part p = h U + b; on flow dh z and dproduct U^T, where dproduct is what flows to h U + b. dx is the same but for the
/// candidate, to which dn flows. With the reset before, dn U^T = dq flows to q = r h: dr = dq h, on flows dq r, and
/// dproduct is dx, which is all that is given then. `transposed` is U^T [3 units, units]; to gates and inner something
/// flows where a gradient was differentiated.
struct GruGradient {
  static constexpr OpInfo info{.name = "gru_gradient",
                               .inputs = {"gates", "inner", "states", "h", "transposed", "dstates?", "dlast_h?",
                                          "dgates?", "dinner?", "lengths?"},
                               .outputs = {"dx?", "dproduct?", "dh?"},
                               .may_overwrite = {0},
                               .any_dtype = {9}};
  bool reset_after = true, reverse = false;
  static void attributes(auto&& visit) {
    visit("reset_after", &GruGradient::reset_after);
    visit("reverse", &GruGradient::reverse);
  }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const GruGradient&) const = default;
};

}  // namespace oxbow::ops
