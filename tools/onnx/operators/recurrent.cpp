// RNN, GRU and LSTM over whole sequences [time, batch, features], in one direction or both: a node a direction
// (ops/recurrent.h) where its activations are the usual ones, and by `repeat` with others, clipping, peepholes or
// coupled gates. See their formulas in ONNX's reference.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <functional>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

using Activation = std::function<Value(Value)>;

Activation activation(Context& c, const std::string& name, std::optional<double> given_alpha,
                      std::optional<double> given_beta) {
  const auto alpha = [&](double otherwise) { return given_alpha.value_or(otherwise); };
  const auto beta = [&](double otherwise) { return given_beta.value_or(otherwise); };
  if (name == "Tanh") return [](Value x) { return tanh(x); };
  if (name == "Sigmoid") return [](Value x) { return sigmoid(x); };
  if (name == "Relu") return [](Value x) { return relu(x); };
  if (name == "Softsign") return [](Value x) { return softsign(x); };
  if (name == "Softplus") return [](Value x) { return softplus(x); };
  if (name == "Affine") return [a = alpha(1), b = beta(0)](Value x) { return x * a + b; };
  if (name == "ScaledTanh") return [a = alpha(1), b = beta(1)](Value x) { return tanh(x * b) * a; };
  if (name == "LeakyRelu") return [a = alpha(0.01)](Value x) { return where(less(x, 0), x * a, x); };
  if (name == "ThresholdedRelu") return [a = alpha(1)](Value x) { return where(greater(x, a), x, 0); };
  if (name == "HardSigmoid")
    return [a = alpha(0.2), b = beta(0.5)](Value x) { return minimum(maximum(x * a + b, 0), 1); };
  if (name == "Elu") return [a = alpha(1)](Value x) { return where(less(x, 0), (exp(minimum(x, 0)) - 1.0) * a, x); };
  c.fail("there is no activation " + name);
}

enum class Kind { rnn, gru, lstm };

// What one direction computes with.
struct Direction {
  Value x = {}, w = {}, r = {}, wb = {}, rb = {},
        peepholes = {};            // x [time, batch, features], w [gates h, features], r [gates h, h]
  Value lengths = {};              // [batch], or empty
  std::vector<Value> states = {};  // [batch, h] each
  std::vector<Activation> activations = {};
  std::vector<std::string> names = {};  // of the activations
  double clip = 0;
  bool reverse = false;
};
// The next states, of which the first is what is given, from x's product of this step.
using Cell = std::function<std::vector<Value>(const Direction& d, Value x, const std::vector<Value>& states)>;

Value clipped(const Direction& d, Value v) { return d.clip > 0 ? minimum(maximum(v, -d.clip), d.clip) : v; }

// Part i of `count` along the last axis.
Value gate(Value all, int i, int count) {
  const std::int64_t h = all.shape()[-1] / count;
  return slice(all, -1, i * h, (i + 1) * h);
}
Value rows(Value all, int i, int count) {
  const std::int64_t h = all.shape()[0] / count;
  return slice(all, 0, i * h, (i + 1) * h);
}

// What an operator computes in a step. `as_node`: it is what an op does for the activations that are usual.
struct Recurrence {
  Kind kind;
  Cell cell;
  std::vector<std::string> activations;
  int states = 1;
  bool as_node = true, linear_before_reset = false;
};

bool is_one_node(const Recurrence& r, const Direction& d) {
  if (!r.as_node || d.clip > 0 || d.peepholes || d.x.shape()[0] < 1) return false;
  return d.names == r.activations || (r.kind == Kind::rnn && d.names == std::vector<std::string>{"Relu"});
}

// The outputs, and the states after the last step; both are 0 or stay as they were beyond a sequence's length.
struct Run {
  Value outputs;  // [time, batch, h]
  std::vector<Value> last;
};

// An LSTM's gates i, o, f, c as those of `lstm`: i, f, c, o. Others have the same order.
Value in_order(const Recurrence& r, Value rows) {
  if (r.kind != Kind::lstm || !rows) return rows;
  const std::int64_t h = rows.shape()[0] / 4;
  std::vector<std::int64_t> from;
  for (const std::int64_t gate : {0, 2, 3, 1})
    for (std::int64_t j = 0; j < h; ++j) from.push_back(gate * h + j);
  return gather(rows, numbers(rows.graph(), from), 0);
}

Run run_as_node(const Recurrence& r, const Direction& d) {
  const auto turned = [&](Value w) { return transpose(in_order(r, w), {1, 0}); };
  // Both biases come in from outside, but for a product that a gate is applied to.
  const bool apart = r.kind == Kind::gru && r.linear_before_reset;
  const Value bias = d.wb && !apart ? d.wb + d.rb : d.wb, kernel = turned(d.w), recurrent = turned(d.r);
  Value x = matmul(d.x, kernel);
  if (bias) x = x + in_order(r, bias);
  Run done;
  if (r.kind == Kind::lstm) {
    const LstmResult all =
        oxbow::lstm(x, recurrent, d.states[0], d.states[1], {.lengths = d.lengths, .reverse = d.reverse});
    done = {all.states, {all.h, all.c}};
  } else {
    const StatesResult all =
        r.kind == Kind::gru
            ? oxbow::gru(x, recurrent, d.states[0],
                         {.lengths = d.lengths,
                          .reverse = d.reverse,
                          .reset_after = r.linear_before_reset,
                          .recurrent_bias = apart ? d.rb : Value()})
            : oxbow::simple_rnn(x, recurrent, d.states[0],
                                {.lengths = d.lengths, .reverse = d.reverse, .relu = d.names[0] == "Relu"});
    done = {all.states, {all.h}};
  }
  if (d.lengths) {
    const Value steps =
        arange(constant(x.graph(), 0, i64), reshape(slice(shape_of(x), 0, 0, 1), {}), constant(x.graph(), 1, i64));
    const Value there = less(reshape(steps, {-1, 1, 1}), reshape(cast(d.lengths, i64), {1, -1, 1}));
    done.outputs = where(there, done.outputs, 0);
  }
  return done;
}

// Outputs [time, batch, h] and the last states. Beyond its length a sequence's states stay and its outputs are 0.
Run run_in_steps(const Direction& d, const Cell& cell) {
  Value x = matmul(d.x, d.w, {.transpose_b = true});
  if (d.wb) x = x + d.wb;
  std::vector<Value> slices{x};
  const std::int64_t steps = x.shape()[0];
  if (d.lengths) slices.push_back(cast(arange(x.graph(), steps), d.lengths.dtype()));
  const auto step = [&](const RepeatStep& s) {
    std::vector<Value> next = cell(d, s.slices[0], s.carried);
    Value y = next[0];
    if (d.lengths) {
      const Value runs = with_axes(less(s.slices[1], d.lengths), {1});
      for (std::size_t i = 0; i < next.size(); ++i) next[i] = where(runs, next[i], s.carried[i]);
      y = where(runs, y, 0);
    }
    return RepeatNext{.carried = next, .stacked = {y}};
  };
  const RepeatResult done = repeat(steps, d.states, step, {.slices = slices, .reverse = d.reverse});
  return {done.stacked[0], done.carried};
}

std::vector<Value> rnn_cell(const Direction& d, Value x, const std::vector<Value>& states) {
  Value sum = x + matmul(states[0], d.r, {.transpose_b = true});
  if (d.rb) sum = sum + d.rb;
  return {d.activations[0](clipped(d, sum))};
}

template <bool linear_before_reset>
std::vector<Value> gru_cell(const Direction& d, Value x, const std::vector<Value>& states) {
  const Value h = states[0];
  const auto part = [&](int i, Value from) {
    Value y = matmul(from, rows(d.r, i, 3), {.transpose_b = true});
    return d.rb ? y + rows(d.rb, i, 3) : y;
  };
  const auto f = [&](std::size_t i, Value v) { return d.activations[i](clipped(d, v)); };
  const Value update = f(0, gate(x, 0, 3) + part(0, h)), reset = f(0, gate(x, 1, 3) + part(1, h));
  const Value inner = linear_before_reset ? reset * part(2, h) : part(2, reset * h);
  const Value fresh = f(1, gate(x, 2, 3) + inner);
  return {(1.0 - update) * fresh + update * h};
}

// Gates in the order i, o, f, c; peepholes i, o, f.
template <bool coupled>
std::vector<Value> lstm_cell(const Direction& d, Value x, const std::vector<Value>& states) {
  const Value h = states[0], c = states[1];
  Value all = x + matmul(h, d.r, {.transpose_b = true});
  if (d.rb) all = all + d.rb;
  const auto f = [&](std::size_t i, Value v) { return d.activations[i](clipped(d, v)); };
  const auto sees = [&](int i, Value g, Value cell) { return d.peepholes ? g + rows(d.peepholes, i, 3) * cell : g; };
  const Value in = f(0, sees(0, gate(all, 0, 4), c));
  const Value forget = coupled ? 1.0 - in : f(0, sees(2, gate(all, 2, 4), c));
  const Value cell = forget * c + in * f(1, gate(all, 3, 4));
  const Value out = f(0, sees(1, gate(all, 1, 4), cell));
  return {out * d.activations[2](cell), cell};
}

// Both directions, and the layouts of inputs and outputs.
Outputs recurrent(Context& c, const Recurrence& r) {
  std::vector<std::string> names = r.activations;
  const int state_count = r.states;
  const bool batch_first = c.flag("layout");
  const std::string direction = c.text("direction", "forward");
  const int count = direction == "bidirectional" ? 2 : 1;
  const auto in_time = [&](Value v) { return batch_first ? transpose(v, {1, 0, 2}) : v; };
  const Value x = in_time(c[0]), w = c[1], u = c[2], bias = c.optional(3), lengths = c.optional(4);
  const Value peepholes = c.optional(7);
  for (const Value& v : {x, w, u})
    if (v.rank() != 3) c.fail("its sequences and weights have three axes, not " + to_string(v.type()));
  if (bias && bias.rank() != 2) c.fail("its bias has two axes, not " + to_string(bias.type()));
  const std::int64_t hidden = u.shape()[-1];
  const std::size_t each = names.size();
  const std::vector<std::string> once = names;
  if (count == 2) names.insert(names.end(), once.begin(), once.end());
  if (const auto given = c.texts("activations"); !given.empty()) names = given;
  if (names.size() != each * static_cast<std::size_t>(count)) c.fail("it has another number of activations");
  const auto alphas = c.numbers("activation_alpha"), betas = c.numbers("activation_beta");
  std::size_t alpha = 0, beta = 0;

  std::vector<Value> ys;
  std::vector<std::vector<Value>> last(static_cast<std::size_t>(state_count));
  for (int i = 0; i < count; ++i) {
    const auto of = [&](Value v) { return !v ? Value() : count == 1 ? squeeze(v, {0}) : v[i]; };
    Direction d{.x = x, .w = of(w), .r = of(u), .peepholes = of(peepholes), .lengths = lengths};
    d.clip = c.number("clip", 0);
    d.reverse = direction == "reverse" || i == 1;
    if (bias) {
      const std::int64_t half = bias.shape()[-1] / 2;
      const Value both = of(bias);
      d.wb = slice(both, 0, 0, half);
      d.rb = slice(both, 0, half, 2 * half);
    }
    for (int s = 0; s < state_count; ++s) {
      const Value given = c.optional(5 + s);
      const Value first = given ? batch_first ? transpose(given, {1, 0, 2}) : given : Value();
      d.states.push_back(first ? of(first)
                               : broadcast_to(constant(c.graph(), 0, x.dtype()),
                                              concat({slice(shape_of(x), 0, 1, 2), numbers(c.graph(), {hidden})})));
    }
    for (std::size_t a = 0; a < each; ++a) {
      const std::string& name = names[static_cast<std::size_t>(i) * each + a];
      // Those that take numbers share the list, in order.
      const bool both = name == "Affine" || name == "ScaledTanh" || name == "HardSigmoid";
      const bool one = both || name == "LeakyRelu" || name == "ThresholdedRelu" || name == "Elu";
      const auto next = [](const std::optional<std::vector<double>>& list, std::size_t& at) {
        return list && at < list->size() ? std::optional((*list)[at++]) : std::nullopt;
      };
      const auto first = one ? next(alphas, alpha) : std::nullopt;
      const auto second = both ? next(betas, beta) : std::nullopt;
      d.activations.push_back(activation(c, name, first, second));
      d.names.push_back(name);
    }
    const auto [y, states] = is_one_node(r, d) ? run_as_node(r, d) : run_in_steps(d, r.cell);
    ys.push_back(expand_dims(y, 1));
    for (std::size_t s = 0; s < last.size(); ++s) last[s].push_back(expand_dims(states[s], 0));
  }
  const auto together = [&](const std::vector<Value>& all, std::int64_t axis) {
    return all.size() == 1 ? all[0] : concat(all, axis);
  };
  const Value y = together(ys, 1);  // [time, directions, batch, h]
  std::vector<Value> results{batch_first ? transpose(y, {2, 0, 1, 3}) : y};
  for (const auto& states : last) results.push_back(in_time(together(states, 0)));
  return results;
}

Outputs rnn(Context& c) { return recurrent(c, {.kind = Kind::rnn, .cell = rnn_cell, .activations = {"Tanh"}}); }
Outputs gru(Context& c) {
  const bool linear = c.flag("linear_before_reset");
  return recurrent(c, {.kind = Kind::gru,
                       .cell = linear ? gru_cell<true> : gru_cell<false>,
                       .activations = {"Sigmoid", "Tanh"},
                       .linear_before_reset = linear});
}
Outputs lstm(Context& c) {
  const bool coupled = c.flag("input_forget");
  return recurrent(c, {.kind = Kind::lstm,
                       .cell = coupled ? lstm_cell<true> : lstm_cell<false>,
                       .activations = {"Sigmoid", "Tanh", "Tanh"},
                       .states = 2,
                       .as_node = !coupled});
}

constexpr Operator list[] = {
    {"GRU", gru, 7},
    {"LSTM", lstm, 7},
    {"RNN", rnn, 7},
};

}  // namespace

Operators recurrent_operators() { return list; }

}  // namespace oxbow::onnx
