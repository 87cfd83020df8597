// Operators that ONNX Runtime's optimizer makes of several: domain com.microsoft, and one that it puts into ONNX's own.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <cmath>
#include <numbers>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// gelu by tanh.
Value fast_gelu(Value x) {
  return 0.5 * x * (1.0 + tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

struct Normalised {
  Value y, mean, deviation;
};

// Over the axes from `first` on, in f32 at least; without a mean, the root of the mean square.
Normalised normalised(Value x, std::int64_t first, double epsilon, bool centred) {
  std::vector<std::int64_t> axes;
  for (std::int64_t i = from_first(first, x.rank()); i < x.rank(); ++i) axes.push_back(i);
  Value wide = cast(x, compute_type(x.dtype())), centre;
  if (centred) {
    centre = mean(wide, axes, true);
    wide = wide - centre;
  }
  const Value deviation = rsqrt(mean(square(wide), axes, true) + epsilon);
  return {cast(wide * deviation, x.dtype()), centre, deviation};
}

Outputs simplified_layer_normalisation(Context& c) {
  const Value x = c[0], scale = c[1];
  const Normalised n = normalised(x, c.integer("axis", -1), c.number("epsilon", 1e-5), false);
  return {n.y * scale, n.deviation};
}

// Of the sum of two inputs and a bias, which is an output as well.
Outputs skip_layer_normalisation(Context& c) {
  const Value x = c[0], skip = c[1], scale = c[2], offset = c.optional(3), bias = c.optional(4);
  Value sum = x + skip;
  if (bias) sum = sum + bias;
  const Normalised n = normalised(sum, -1, c.number("epsilon", 1e-12), true);
  return {offset ? n.y * scale + offset : n.y * scale, n.mean, n.deviation, sum};
}

Outputs skip_simplified_layer_normalisation(Context& c) {
  const Value x = c[0], skip = c[1], scale = c[2], bias = c.optional(3);
  Value sum = x + skip;
  if (bias) sum = sum + bias;
  const Normalised n = normalised(sum, -1, c.number("epsilon", 1e-12), false);
  return {n.y * scale, Value(), n.deviation, sum};
}

Outputs fused_product(Context& c) {
  const Value a = c[0], b = c[1];
  if (c.flag("transBatchA") || c.flag("transBatchB")) c.fail("batches that are transposed are not there yet");
  const Value y = matmul(a, b, {.transpose_a = c.flag("transA"), .transpose_b = c.flag("transB")});
  const double alpha = c.number("alpha", 1);
  return alpha == 1 ? y : y * alpha;
}

constexpr Operator list[] = {
    {.name = "BiasGelu",
     .convert = [](Context& c) -> Outputs {
       const Value x = c[0], bias = c[1];
       return gelu(x + bias);
     },
     .domain = microsoft},
    {.name = "FastGelu",
     .convert = [](Context& c) -> Outputs {
       const Value x = c[0], bias = c.optional(1);
       return fast_gelu(bias ? x + bias : x);
     },
     .domain = microsoft},
    {.name = "FusedMatMul", .convert = fused_product, .domain = microsoft},
    {.name = "Gelu", .convert = [](Context& c) -> Outputs { return gelu(c[0]); }, .domain = microsoft},
    {.name = "QuickGelu",
     .convert = [](Context& c) -> Outputs {
       const Value x = c[0];
       return x * sigmoid(x * c.number("alpha", 1.702));
     },
     .domain = microsoft},
    {.name = "SimplifiedLayerNormalization", .convert = simplified_layer_normalisation},
    {.name = "SimplifiedLayerNormalization", .convert = simplified_layer_normalisation, .domain = microsoft},
    {.name = "SkipLayerNormalization", .convert = skip_layer_normalisation, .domain = microsoft},
    {.name = "SkipSimplifiedLayerNormalization", .convert = skip_simplified_layer_normalisation, .domain = microsoft},
};

}  // namespace

Operators microsoft_operators() { return list; }

}  // namespace oxbow::onnx
