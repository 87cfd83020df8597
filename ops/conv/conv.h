// Two-dimensional convolution (cross-correlation, as all frameworks define it) of dense NHWC images, and its two
// gradients. The three are linear in both operands and one another's gradients, so second order comes by itself.
// They lower to the nodes of ops/conv/nodes.h. Weights are [kh][kw][C / groups][K]. Regular value types, safe from any
// thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// What ops say of a convolution: see `Conv2dOptions`.
struct ConvAttributes {
  PerAxis stride = 1;
  Padding padding = Padding::same;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  bool operator==(const ConvAttributes&) const = default;
};

/// The attributes of an op that has `ConvAttributes`.
template <class T>
void conv_attributes(auto&& visit) {
  visit("stride", &T::stride);
  visit("padding", &T::padding);
  visit("dilation", &T::dilation);
  visit("groups", &T::groups);
}

/// Throws `OpError` unless the first two are of one floating-point dtype.
void check_same_floats(Types in);

/// x [n, h, w, c] by weights [kh, kw, c / groups, k] to [n, oh, ow, k].
struct Conv2d : ConvAttributes {
  static constexpr OpInfo info{.name = "conv2d", .inputs = {"x", "weights"}};
  static void attributes(auto&& visit) { conv_attributes<Conv2d>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2d&) const = default;
};

/// The gradient to x, from dy and weights; x gives its shape only.
struct Conv2dGradientOfX : ConvAttributes {
  static constexpr OpInfo info{
      .name = "conv2d_gradient_of_x", .inputs = {"dy", "weights", "x"}, .shape_only = {2}, .any_dtype = {2}};
  static void attributes(auto&& visit) { conv_attributes<Conv2dGradientOfX>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2dGradientOfX&) const = default;
};

/// The gradient to the weights, from x and dy; the weights give their shape only.
struct Conv2dGradientOfWeights : ConvAttributes {
  static constexpr OpInfo info{
      .name = "conv2d_gradient_of_weights", .inputs = {"x", "dy", "weights"}, .shape_only = {2}, .any_dtype = {2}};
  static void attributes(auto&& visit) { conv_attributes<Conv2dGradientOfWeights>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2dGradientOfWeights&) const = default;
};

}  // namespace oxbow::ops
