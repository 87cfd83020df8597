// The transposed convolution: what Conv2dGradientOfX computes, of an image whose size is not given by another value.
// Regular value type, safe from any thread.
#pragma once

#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/geometry.h>

namespace oxbow::ops {

/// x [n, h, w, k] by weights [kh, kw, c / groups, k] to [n, oh, ow, c].
struct Conv2dTranspose : ConvAttributes {
  static constexpr OpInfo info{.name = "conv2d_transpose", .inputs = {"x", "weights"}};
  PerAxis output_padding = -1;
  static void attributes(auto&& visit) {
    conv_attributes<Conv2dTranspose>(visit);
    visit("output_padding", &Conv2dTranspose::output_padding);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Conv2dTranspose&) const = default;

  /// Of the convolution from the result to x. Throws `OpError` where x and weights do not fit.
  ConvShape shape(const Shape& x, const Shape& weights) const;
};

}  // namespace oxbow::ops
