// A recurrence as ONNX's own operator, with what comes to its gates from outside taken apart again.
#include <oxbow/ops/linalg/matmul.h>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

std::string with_axis(const Written& n, const std::string& x, std::int64_t axis) {
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

// What comes in from outside: x itself and weights of ones, or of x W + b its parts.
struct Outside {
  std::string x, kernel, bias;
};
Outside taken_apart(const Written& n) {
  Value x = n.node().input(0);
  const Type type = n.type(0);
  Outside parts;
  if (x.node().op().name() == "add" && x.node().input(1).rank() == 1 && x.node().input(1).shape()[0] == type.shape[2]) {
    parts.bias = n.to().name(x.node().input(1));
    x = x.node().input(0);
  }
  if (x.node().op() == Op(ops::MatMul{}) && x.node().input(1).rank() == 2) {
    parts.x = n.to().name(x.node().input(0));
    parts.kernel = n.to().name(x.node().input(1));
  } else {
    parts.x = n.to().name(x);
    parts.kernel = n.to().constant(diagonal({type.dtype, {type.shape[2], type.shape[2]}}, 0, 1));
  }
  return parts;
}

// The gates i, f, n, o along an axis, in ONNX's order: i, o, f, c.
std::string in_order(const Written& n, const std::string& x, std::int64_t units, std::int64_t axis) {
  Sizes from;
  for (const std::int64_t gate : {0, 3, 1, 2})
    for (std::int64_t j = 0; j < units; ++j) from.push_back(gate * units + j);
  return n.to().add("Gather", {x, n.to().numbers(from)}, {{"axis", axis}});
}

}  // namespace

Names write_lstm(const Written& n) {
  constexpr int known = 3;  // states, last_h, last_c: the others are for gradients
  for (int i = known; i < n.node().output_count(); ++i)
    if (n.to().readers(n.node().output(i)) > 0)
      n.fail("its output " + std::to_string(i) + " has no counterpart in ONNX");
  Exporter& to = n.to();
  const std::int64_t units = n.type(1).shape[0];
  const bool reverse = n.get<bool>("reverse");
  const Outside parts = taken_apart(n);
  const auto weights = [&](const std::string& w) {
    return with_axis(n, to.transposed(in_order(n, w, units, 1), {1, 0}), 0);
  };
  std::string bias, lengths, kept;
  if (!parts.bias.empty()) {
    const std::string none = to.constant(diagonal({n.type(0).dtype, {4 * units}}, 0, 0));
    bias = with_axis(n, to.add("Concat", {in_order(n, parts.bias, units, 0), none}, {{"axis", std::int64_t{0}}}), 0);
  }
  if (n.node().input(4)) {
    const std::string zero = to.constant(Tensor::scalar(std::int64_t{0})),
                      one = to.constant(Tensor::scalar(std::int64_t{1}));
    const std::string time = to.add("Gather", {to.add("Shape", {parts.x}), zero});
    const std::string places = to.add("Range", {zero, time, one});
    lengths = to.add("Min", {to.add("Max", {n.in(4), zero}), time});
    kept = to.add("Less", {to.add("Unsqueeze", {places, to.numbers({1, 2})}),
                           to.add("Unsqueeze", {lengths, to.numbers({0, 2})})});
    lengths = to.add("Cast", {lengths}, {{"to", std::int64_t{TensorProto::INT32}}});
  }
  const std::string h = with_axis(n, n.in(2), 0), c = with_axis(n, n.in(3), 0);
  const Names out =
      to.add("LSTM", {parts.x, weights(parts.kernel), weights(n.in(1)), bias, lengths, h, c},
             {{"hidden_size", units}, {"direction", std::string(reverse ? "reverse" : "forward")}}, known);
  std::string states = without_axis(n, out[0], 1);
  if (!kept.empty()) states = to.add("Where", {kept, states, reverse ? h : out[1]});  // ONNX has zeros there
  return {states, without_axis(n, out[1], 0), without_axis(n, out[2], 0), "", ""};
}

}  // namespace oxbow::onnx
