// The product that MatMul and Contract lower to. Parts are tiles of the output, by shapes, layout and instruction set:
// 64 columns (96 for Eigen's blocks) by up to 128 rows, and up to 1024 columns by 64 rows where b does not stay in
// cache. An element is summed over rising k as ops/shared/gemm.h says, so its bits depend on its row of a and its
// column of b only: not on path, tile, layout of b or number of parts. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/tape.h>

namespace oxbow::ops {

/// y = a b, or a^T b, over the last two axes; leading axes broadcast. b is row-major or in panels (ops/linalg/pack.h).
/// With an epilogue the inputs go on with what its tape reads, and the outputs are the tape's.
struct Product {
  static constexpr OpInfo info{
      .name = "product", .inputs = {"a", "b", "extra..."}, .outputs = {"y..."}, .any_layout = true};
  bool transpose_a = false;
  bool sum_leading = false;  ///< with transpose_a: leading axes, equal in a and b, are summed too
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    visit("transpose_a", &Product::transpose_a);
    visit("sum_leading", &Product::sum_leading);
    visit("epilogue", &Product::epilogue);
  }

  struct Plan;  // tiles and kernels, chosen once for these types
  std::vector<Type> infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const Product&) const = default;

 private:
  Type result(Types in) const;
  bool takes_reductions(const internal::Tape& tape, Types in) const;
};

/// Elements of a right operand, at most, that stay in the second-level cache however they lie: half of one.
constexpr std::int64_t stays_in_cache = 131072;

/// Which kernel computes a product's tiles.
enum class ProductPath : std::uint8_t {
  loops,  ///< plain loops: integers, and what is too small to pay for blocks or for making a kernel
  eigen,  ///< Eigen's blocks: f64, and f32 where the instruction set has no fused multiply-add
  jit,    ///< libxsmm kernels for this very shape: f32
};
/// The path of a tile of `rows` by `columns`, summing over k, in a product of `flops` altogether.
ProductPath product_path(DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t k, double flops);

}  // namespace oxbow::ops
