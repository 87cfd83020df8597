// Batch normalisation, which is one node of ONNX and several ops.
#include <oxbow/graph/leaf_ops.h>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

// The other operand of an op of two, where `v` is one and one operand is what `is` says.
template <class Is>
std::optional<Value> beside(Value v, std::string_view op, const Is& is) {
  if (v.node().op().name() != op) return std::nullopt;
  for (const int i : {0, 1})
    if (is(v.node().input(i))) return v.node().input(1 - i);
  return std::nullopt;
}

}  // namespace

// (x - mean) (scale / sqrt(variance + epsilon)) + offset, each but x a row along its last axis.
std::optional<Names> write_batch_normalisation(const Written& n) {
  const Value y = n.node().output();
  const int rank = y.rank();
  if (rank < 2 || !is_float(y.dtype())) return std::nullopt;
  const auto is_row = [&](Value v) { return v.rank() == 1 && v.shape()[0] == y.shape()[-1]; };
  const auto is = [](std::string_view op) { return [op](Value v) { return v.node().op().name() == op; }; };

  const auto scaled = beside(y, "add", is_row);
  if (!scaled || n.to().readers(*scaled) != 1) return std::nullopt;
  const auto factor = beside(*scaled, "multiply", is("subtract"));
  if (!factor || !is_row(*factor)) return std::nullopt;
  const auto scale = beside(*factor, "multiply", is("rsqrt"));
  if (!scale || !is_row(*scale)) return std::nullopt;
  const auto sides = [](Value v) { return std::pair{v.node().input(0), v.node().input(1)}; };
  const auto [a, b] = sides(*scaled);
  const auto [x, mean] = sides(is("subtract")(a) ? a : b);
  const auto [c, d] = sides(*factor);
  const Value deviation = is("rsqrt")(c) ? c : d, sum = deviation.node().input(0);
  const auto variance = beside(sum, "add", [](Value v) { return v.rank() == 0 && v.node().op().is<ops::Constant>(); });
  if (!variance || !is_row(*variance) || !is_row(mean) || x.rank() != rank) return std::nullopt;
  const auto [e, f] = sides(sum);
  const Value offset = is_row(n.node().input(0)) ? n.node().input(0) : n.node().input(1);
  const Tensor epsilon = (e.rank() == 0 ? e : f).node().op().as<ops::Constant>()->value;
  const double small = dispatch(epsilon.dtype(), [&]<class T>(std::type_identity<T>) {
    return static_cast<double>(static_cast<float>(epsilon.item<T>()));
  });

  std::vector<std::int64_t> first{0, rank - 1}, last{0};
  for (std::int64_t i = 1; i + 1 < rank; ++i) {
    first.push_back(i);
    last.push_back(i + 1);
  }
  last.push_back(1);
  const auto name = [&](Value v) { return n.to().name(v); };
  const std::string normal =
      n.to().add("BatchNormalization",
                 {n.to().transposed(name(x), first), name(*scale), name(offset), name(mean), name(*variance)},
                 {{"epsilon", small}});
  return Names{n.to().transposed(normal, last)};
}

}  // namespace oxbow::onnx
