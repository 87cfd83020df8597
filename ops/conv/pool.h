// Max pooling over windows of NHWC images. Which element was the largest is found again from x in backward, which is
// cheaper than keeping it. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y = the largest of each window and channel; NaN if it holds one. Windows lie within the image: an edge too narrow
/// for one more window is left out.
struct MaxPool {
  static constexpr OpInfo info{.name = "max_pool", .inputs = {"x"}};
  std::int64_t size = 2, stride = 2;
  static void attributes(auto&& visit) {
    visit("size", &MaxPool::size);
    visit("stride", &MaxPool::stride);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPool&) const = default;
};

/// dx: each dy goes to the first largest element of its window, row by row (of several NaNs, the last), as PyTorch
/// does.
struct MaxPoolGradient {
  static constexpr OpInfo info{.name = "max_pool_gradient", .inputs = {"x", "dy"}};
  std::int64_t size = 2, stride = 2;
  static void attributes(auto&& visit) {
    visit("size", &MaxPoolGradient::size);
    visit("stride", &MaxPoolGradient::stride);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPoolGradient&) const = default;
};

/// The gradient of MaxPoolGradient to dy: v where x is largest, one element a window.
struct MaxPoolGradientGradient {
  static constexpr OpInfo info{.name = "max_pool_gradient_gradient", .inputs = {"x", "v"}};
  std::int64_t size = 2, stride = 2;
  static void attributes(auto&& visit) {
    visit("size", &MaxPoolGradientGradient::size);
    visit("stride", &MaxPoolGradientGradient::stride);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPoolGradientGradient&) const = default;
};

}  // namespace oxbow::ops
