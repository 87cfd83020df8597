// Matrix products with transposes and batch axes. Both ops here lower to packing (ops/linalg/pack.h) and `Product`
// (ops/linalg/product.h), which do the work; see there for kernels and summation order.
// Floating-point dtypes, and integers of 32 and 64 bits, which wrap around. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y = a b over the last two axes; leading axes broadcast.
struct MatMul {
  static constexpr OpInfo info{.name = "matmul", .inputs = {"a", "b"}};
  bool transpose_a = false, transpose_b = false;
  static void attributes(auto&& visit) {
    visit("transpose_a", &MatMul::transpose_a);
    visit("transpose_b", &MatMul::transpose_b);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MatMul&) const = default;
};

/// y[i, j] = sum of a[..., i] b[..., j] over all axes but the last: what a weight's gradient is, whatever the rank of
/// the activations. For matrices the same as matmul(a, b, {.transpose_a = true}).
struct Contract {
  static constexpr OpInfo info{.name = "contract", .inputs = {"a", "b"}};
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Contract&) const = default;
};

/// Whether a product of so many rows repays copying its right operand into panels, because its kernels go over that in
/// strips; and whether the gradient to a weight, whose right operand is read once for all, does.
bool pays_to_pack(std::int64_t rows, const Type& b);
bool pays_to_pack_gradient(std::int64_t rows, const Type& b);

}  // namespace oxbow::ops
