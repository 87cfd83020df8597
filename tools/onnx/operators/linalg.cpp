// Matrix products.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// alpha a b + beta c
Outputs gemm(Context& c) {
  const Value a = c[0], b = c[1], offset = c.optional(2);
  const double alpha = c.number("alpha", 1), beta = c.number("beta", 1);
  Value y = matmul(a, b, {.transpose_a = c.flag("transA"), .transpose_b = c.flag("transB")});
  if (alpha != 1) y = y * c.like(y, alpha);
  if (!offset || beta == 0) return y;
  return y + (beta == 1 ? offset : offset * c.like(offset, beta));
}

constexpr Operator list[] = {
    {"Det", [](Context& c) -> Outputs { return det(c[0]); }},
    {"Einsum", [](Context& c) -> Outputs { return einsum(c.text("equation", ""), c.all()); }},
    {"Gemm", gemm},
    {"MatMul",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = c[1];
       return matmul(a, b);
     }},
};

}  // namespace

Operators linalg_operators() { return list; }

}  // namespace oxbow::onnx
