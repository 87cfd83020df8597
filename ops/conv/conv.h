// Two-dimensional convolution (cross-correlation, as all frameworks define it) of dense NHWC images, and its two
// gradients. The three are linear in both operands and one another's gradients, so second order comes by itself.
// They lower to the nodes of ops/conv/nodes.h. Weights are [kh][kw][C][K]. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// x [n, h, w, c] by weights [kh, kw, c, k] to [n, oh, ow, k].
struct Conv2d {
  static constexpr OpInfo info{.name = "conv2d", .inputs = {"x", "weights"}};
  std::int64_t stride = 1;
  Padding padding = {};
  static void attributes(auto&& visit) {
    visit("stride", &Conv2d::stride);
    visit("padding", &Conv2d::padding);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2d&) const = default;
};

/// The gradient to x, from dy and weights; x gives its shape only.
struct Conv2dInput {
  static constexpr OpInfo info{
      .name = "conv2d_input", .inputs = {"dy", "weights", "x"}, .shape_only = {2}, .any_dtype = {2}};
  std::int64_t stride = 1;
  Padding padding = {};
  static void attributes(auto&& visit) {
    visit("stride", &Conv2dInput::stride);
    visit("padding", &Conv2dInput::padding);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2dInput&) const = default;
};

/// The gradient to the weights, from x and dy; the weights give their shape only.
struct Conv2dWeights {
  static constexpr OpInfo info{
      .name = "conv2d_weights", .inputs = {"x", "dy", "weights"}, .shape_only = {2}, .any_dtype = {2}};
  std::int64_t stride = 1;
  Padding padding = {};
  static void attributes(auto&& visit) {
    visit("stride", &Conv2dWeights::stride);
    visit("padding", &Conv2dWeights::padding);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2dWeights&) const = default;
};

}  // namespace oxbow::ops
