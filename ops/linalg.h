// Matrix products with transposes and batch axes, sums of products, determinants and inverses. Products are of floating
// point, and of integers of 32 and 64 bits, which wrap around.
#pragma once

#include <oxbow/graph/value.h>

#include <string_view>

namespace oxbow {

struct MatMulOptions {
  bool transpose_a = false;  ///< a is given as [..., k, m]
  bool transpose_b = false;  ///< b is given as [..., n, k]
};

/// [..., m, k] by [..., k, n] to [..., m, n]; leading axes broadcast. A vector is a row on the left and a column on the
/// right, whose axis the result lacks: [k] by [k] to []. Throws `Error` for another dtype on each side, inner sizes
/// that differ, leading axes that do not broadcast, or a scalar, and where a vector is to be transposed.
Value matmul(Value a, Value b, MatMulOptions options = {}, At at = At::current());

/// y[i, j] = sum of a[..., i] b[..., j] over all axes but the last: [..., m] by [..., n], with equal leading axes, to
/// [m, n]. A weight's gradient is one, whatever the rank of the activations.
Value contract(Value a, Value b, At at = At::current());

/// The products of elements, summed over the subscripts that the result does not have, as NumPy has it:
///   einsum("bij,bjk->bik", {a, b})   a batch of products      einsum("ii", {a})      the sum of the diagonal
///   einsum("...i,i->...", {a, b})    products with a vector   einsum("ij->ji", {a})  transposed
/// Without "->" the result has "..." and the letters that are there once, in alphabetic order. An axis of size 1
/// broadcasts. Throws `Error` for an equation that does not fit the operands.
Value einsum(std::string_view equation, Values operands, At at = At::current());

/// y[i, j] = a[i] b[j]; operands of other ranks are flattened.
Value outer(Value a, Value b, At at = At::current());

/// The determinant of each matrix [..., n, n]: [...]. Of floating point. The gradient is NaN where a is singular.
Value det(Value a, At at = At::current());
/// The inverse of each matrix [..., n, n], NaN where there is none. Of floating point.
Value inverse(Value a, At at = At::current());

}  // namespace oxbow
