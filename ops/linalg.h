// Matrix products with transposes and batch axes. Floating point, and integers of 32 and 64 bits, which
// wrap around.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

struct MatMulOptions {
  bool transpose_a = false;  ///< a is given as [..., k, m]
  bool transpose_b = false;  ///< b is given as [..., n, k]
};

/// [..., m, k] by [..., k, n] to [..., m, n]; leading axes broadcast. Throws `Error` for another dtype on each side,
/// inner sizes that differ, leading axes that do not broadcast, or fewer than two axes.
Value matmul(Value a, Value b, MatMulOptions options = {}, At at = At::current());

/// y[i, j] = sum of a[..., i] b[..., j] over all axes but the last: [..., m] by [..., n], with equal leading axes, to
/// [m, n]. A weight's gradient is one, whatever the rank of the activations.
Value contract(Value a, Value b, At at = At::current());

}  // namespace oxbow
