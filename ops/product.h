// The product that MatMul and Contract lower to. Parts are tiles of the output: blocks of rows times groups of panels,
// by shape alone. An element is one chain of fused multiply-adds over k in rising order, so its bits depend on its row
// of a and column of b only: not on the path, the tile, the layout of b or the number of parts. Regular value types,
// safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>

namespace oxbow {

/// y = a b, or a^T b, over the last two axes. b is row-major or in panels; so is y.
struct Product {
  static constexpr OpInfo info{.name = "product", .inputs = {"a", "b"}, .any_layout = true};
  bool transpose_a = false;
  bool sum_leading = false;    ///< with transpose_a: leading axes, equal in a and b, are summed too
  std::int64_t out_panel = 0;  ///< the layout of y
  static constexpr auto attributes =
      std::tuple{Attribute{"transpose_a", &Product::transpose_a}, Attribute{"sum_leading", &Product::sum_leading},
                 Attribute{"out_panel", &Product::out_panel}};

  struct Plan;  ///< tiles and kernels, chosen once for these types
  Type infer(Types in) const;
  Work work(Types in) const;
  std::shared_ptr<const Plan> prepare(Types in) const;
  void run(const Run& r, const std::shared_ptr<const Plan>& plan) const;
  bool operator==(const Product&) const = default;
};

/// Which kernel computes a product.
enum class ProductPath : std::uint8_t {
  empty,  ///< nothing to compute, or nothing to sum
  loops,  ///< plain loops: not f32, another processor, or too small for a call to pay
  jit,    ///< libxsmm kernels for this very shape
};
ProductPath product_path(DType dtype, std::int64_t m, std::int64_t n, std::int64_t k);

}  // namespace oxbow
