// Matrix products.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// As NumPy has it: a vector is a row on the left and a column on the right.
Outputs product(Context& c) {
  const Value a = c[0], b = c[1];
  const bool row = a.rank() == 1, column = b.rank() == 1;
  Value y = matmul(row ? with_axes(a, {0}) : a, column ? with_axes(b, {1}) : b);
  if (column) y = squeeze(y, {-1});
  if (row) y = squeeze(y, {column ? -1 : -2});
  return y;
}

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
    {"Gemm", gemm},
    {"MatMul", product},
};

}  // namespace

Operators linalg_operators() { return list; }

}  // namespace oxbow::onnx
