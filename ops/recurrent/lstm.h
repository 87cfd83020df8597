// Long short-term memory over all steps as one node, and its gradient as another (see ops/recurrent.h for what is
// computed). What goes in from outside, x W + b, and the sums over all steps that are the weights' gradients are
// products like any others, beside these nodes. Kept for the gradient: the gates, in the bytes of what came in, and
// both states of each step. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

namespace recurrent {
struct Plan;
}

/// Gates i, f, n, o = sigmoid, sigmoid, tanh, sigmoid of x + h U; c' = f c + i n, h' = o tanh(c'). x [time, batch, 4
/// units], recurrent [units, 4 units], h and c [batch, units], lengths i64 [batch]. A step that a sequence does not
/// have leaves its state as it was, is not read, and has gates of 0. states and cells are h' and c' of each step. With
/// rows, i64 [time, batch], x is a table [n, 4 units] of which each step reads the row of that number, counted from the
/// end where it is negative. A part is some rows of the batch.
struct Lstm {
  static constexpr OpInfo info{.name = "lstm",
                               .inputs = {"x", "recurrent", "h", "c", "lengths?", "rows?"},
                               .outputs = {"states?", "last_h?", "last_c?", "cells?", "gates?"},
                               .any_dtype = {4, 5},
                               .can_fail = true};
  bool reverse = false;
  static void attributes(auto&& visit) { visit("reverse", &Lstm::reverse); }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::vector<Value> simplify(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Lstm&) const = default;
};

/// From the last step to the first, with what flows to h' and c', dh and dc: what flows to these states themselves, and
/// what the step after has let flow. do = dh tanh(c'), dc += dh o (1 - tanh(c')^2), di = dc n, df = dc c, dn = dc i; dx
/// is these by the slopes of the gates, and on flow dx U^T and dc f. `transposed` is U^T [4 units, units]; to cells and
/// gates something flows where a gradient was differentiated.
struct LstmGradient {
  static constexpr OpInfo info{.name = "lstm_gradient",
                               .inputs = {"gates", "cells", "c", "transposed", "dstates?", "dlast_h?", "dlast_c?",
                                          "dcells?", "dgates?", "lengths?"},
                               .outputs = {"dx?", "dh?", "dc?"},
                               .may_overwrite = {0},
                               .any_dtype = {9}};
  bool reverse = false;
  static void attributes(auto&& visit) { visit("reverse", &LstmGradient::reverse); }

  std::vector<Type> infer(Types in) const;
  Prepared<recurrent::Plan> prepare(Types in) const;
  void run(const Run& r, const recurrent::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const LstmGradient&) const = default;
};

}  // namespace oxbow::ops
