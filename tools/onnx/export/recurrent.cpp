// A recurrence as ONNX's own operator, with what comes to its gates from outside taken apart again.
#include <oxbow/graph/leaf_ops.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/transpose.h>

#include <algorithm>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

// Of what came out of just this axis, as an import takes it, what it came out of.
std::string with_axis(const Written& n, const std::string& x, std::int64_t axis) {
  for (const NodeProto& from : n.to().graph.node())
    if (from.op_type() == "Squeeze" && from.input_size() == 2 && from.output(0) == x &&
        from.input(1) == n.to().numbers({axis}))
      return from.input(0);
  return n.to().add("Unsqueeze", {x, n.to().numbers({axis})});
}
std::string without_axis(const Written& n, const std::string& x, std::int64_t axis) {
  return n.to().add("Squeeze", {x, n.to().numbers({axis})});
}

Tensor diagonal(const Type& type, double off, double on) {  // `on` along the diagonal
  Tensor t(type);
  dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    const std::int64_t step = type.shape[-1] + 1;
    for (std::int64_t i = 0; i < t.count(); ++i) t.data<T>()[i] = static_cast<T>(i % step == 0 ? on : off);
  });
  return t;
}

// A recurrence here and in ONNX.
struct Recurrence {
  const char* type;
  Sizes order;          // ONNX's gates, by ours
  int states = 1;       // h, and c of an LSTM
  int lengths = 3;      // which input has them
  int second_bias = 0;  // which has that of the product with the state; 0: none has
  std::vector<Attribute> attributes = {};
};

// The numbers of rows or columns that are the gates in ONNX's order.
Sizes places(const Recurrence& r, std::int64_t units) {
  Sizes from;
  for (const std::int64_t gate : r.order)
    for (std::int64_t j = 0; j < units; ++j) from.push_back(gate * units + j);
  return from;
}

// What an import has brought in our order: the value that these gates were gathered from, or an empty one.
Value before_order(const Recurrence& r, Value gates, std::int64_t units, std::int64_t axis) {
  const Node n = gates.node();
  if (n.op() != Op(ops::Gather{axis})) return {};
  const auto* constant = n.input(1).node().op().as<ops::Constant>();
  if (!constant || constant->value.dtype() != i64) return {};
  const Sizes to = places(r, units);
  if (constant->value.count() != static_cast<std::int64_t>(to.size())) return {};
  for (std::size_t i = 0; i < to.size(); ++i)
    if (constant->value.data<std::int64_t>()[to[i]] != static_cast<std::int64_t>(i)) return {};
  return n.input(0);
}

// The gates along `axis` in ONNX's order.
std::string in_order(const Written& n, const Recurrence& r, Value gates, std::int64_t units, std::int64_t axis) {
  if (std::is_sorted(r.order.begin(), r.order.end())) return n.to().name(gates);
  if (const Value before = before_order(r, gates, units, axis)) return n.to().name(before);
  return n.to().add("Gather", {n.to().name(gates), n.to().numbers(places(r, units))}, {{"axis", axis}});
}

// Both biases in one, as an import takes them apart: the value of which these are the halves, or an empty one.
Value whole(Value first, Value second) {
  if (!first || !second || first.rank() != 1) return {};
  const std::int64_t half = first.shape()[0];
  const auto* low = first.node().op().as<ops::Slice>();
  const auto* high = second.node().op().as<ops::Slice>();
  const bool halves = low && high && first.node().input(0).same(second.node().input(0)) && low->begin == 0 &&
                      low->end == half && high->begin == half && high->end == 2 * half;
  return halves ? first.node().input(0) : Value();
}
Value whole_bias(const Recurrence& r, Value of_x, Value of_h, std::int64_t units) {
  if (!of_x || of_h) return whole(of_x, of_h);
  const Value before = std::is_sorted(r.order.begin(), r.order.end()) ? of_x : before_order(r, of_x, units, 0);
  return before && before.node().op().name() == "add" ? whole(before.node().input(0), before.node().input(1)) : Value();
}

// Weights [k, gates], or [gates, k] where they are turned, as ONNX's [1, gates, k].
std::string weights(const Written& n, const Recurrence& r, Value w, std::int64_t units, bool turned) {
  if (!turned && w.node().op() == Op(ops::Transpose{{1, 0}})) {
    turned = true;
    w = w.node().input(0);
  }
  const std::string gates = in_order(n, r, w, units, turned ? 0 : 1);
  return with_axis(n, turned ? gates : n.to().transposed(gates, {1, 0}), 0);
}

// What comes in from outside: x itself and weights of ones, or of x W + b its parts.
struct Outside {
  std::string x, kernel;
  Value bias;
};
Outside taken_apart(const Written& n, const Recurrence& r, std::int64_t units) {
  Value x = n.node().input(0);
  const Type type = n.type(0);
  Outside parts;
  if (x.node().op().name() == "add" && x.node().input(1).rank() == 1 && x.node().input(1).shape()[0] == type.shape[2]) {
    parts.bias = x.node().input(1);
    x = x.node().input(0);
  }
  const auto* product = x.node().op().as<ops::MatMul>();
  if (product && !product->transpose_a && x.node().input(1).rank() == 2) {
    parts.x = n.to().name(x.node().input(0));
    parts.kernel = weights(n, r, x.node().input(1), units, product->transpose_b);
  } else {
    parts.x = n.to().name(x);
    const Tensor ones = diagonal({type.dtype, {type.shape[2], type.shape[2]}}, 0, 1);
    const std::string gates = n.to().constant(ones);
    parts.kernel =
        with_axis(n,
                  std::is_sorted(r.order.begin(), r.order.end())
                      ? gates
                      : n.to().add("Gather", {gates, n.to().numbers(places(r, units))}, {{"axis", std::int64_t{0}}}),
                  0);
  }
  return parts;
}

Names write(const Written& n, const Recurrence& r) {
  const int known = 1 + r.states;  // states and the last ones: other outputs are for gradients
  for (int i = known; i < n.node().output_count(); ++i)
    if (n.to().readers(n.node().output(i)) > 0)
      n.fail("its output " + std::to_string(i) + " has no counterpart in ONNX");
  Exporter& to = n.to();
  const std::int64_t units = n.type(1).shape[0], wide = n.type(1).shape[1];
  const bool reverse = n.get<bool>("reverse");
  const Outside parts = taken_apart(n, r, units);
  const Value second = r.second_bias ? n.node().input(r.second_bias) : Value();
  std::string bias, lengths, kept;
  if (const Value all = whole_bias(r, parts.bias, second, units)) {
    bias = with_axis(n, to.name(all), 0);
  } else if (parts.bias || second) {
    const std::string none = to.constant(diagonal({n.type(0).dtype, {wide}}, 0, 0));
    const std::string of_x = parts.bias ? in_order(n, r, parts.bias, units, 0) : none,
                      of_h = second ? in_order(n, r, second, units, 0) : none;
    bias = with_axis(n, to.add("Concat", {of_x, of_h}, {{"axis", std::int64_t{0}}}), 0);
  }
  if (n.node().input(r.lengths)) {
    const std::string zero = to.constant(Tensor::scalar(std::int64_t{0})),
                      one = to.constant(Tensor::scalar(std::int64_t{1}));
    const std::string time = to.add("Gather", {to.add("Shape", {parts.x}), zero});
    const std::string places = to.add("Range", {zero, time, one});
    lengths = to.add("Min", {to.add("Max", {n.in(r.lengths), zero}), time});
    kept = to.add("Less", {to.add("Unsqueeze", {places, to.numbers({1, 2})}),
                           to.add("Unsqueeze", {lengths, to.numbers({0, 2})})});
    lengths = to.add("Cast", {lengths}, {{"to", std::int64_t{TensorProto::INT32}}});
  }
  const std::string h = with_axis(n, n.in(2), 0);
  Names inputs{parts.x, parts.kernel, weights(n, r, n.node().input(1), units, false), bias, lengths, h};
  if (r.states == 2) inputs.push_back(with_axis(n, n.in(3), 0));
  std::vector<Attribute> attributes{{"hidden_size", units},
                                    {"direction", std::string(reverse ? "reverse" : "forward")}};
  attributes.insert(attributes.end(), r.attributes.begin(), r.attributes.end());
  const Names out = to.add(r.type, inputs, attributes, known);
  std::string states = without_axis(n, out[0], 1);
  if (!kept.empty()) states = to.add("Where", {kept, states, reverse ? h : out[1]});  // ONNX has zeros there
  Names outputs{states};
  for (int i = 1; i < known; ++i) outputs.push_back(without_axis(n, out[static_cast<std::size_t>(i)], 0));
  outputs.resize(static_cast<std::size_t>(n.node().output_count()));
  return outputs;
}

}  // namespace

Names write_lstm(const Written& n) {
  return write(n, {.type = "LSTM", .order = {0, 3, 1, 2}, .states = 2, .lengths = 4});
}

Names write_gru(const Written& n) {
  return write(n, {.type = "GRU",
                   .order = {0, 1, 2},
                   .lengths = 4,
                   .second_bias = 3,
                   .attributes = {{"linear_before_reset", std::int64_t{n.get<bool>("reset_after")}}}});
}

Names write_simple_rnn(const Written& n) {
  const std::string activation = n.get<bool>("relu") ? "Relu" : "Tanh";
  return write(n, {.type = "RNN", .order = {0}, .attributes = {{"activations", Names{activation}}}});
}

}  // namespace oxbow::onnx
