// Layers for images [n, h, w, c].
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>

namespace oxbow {

struct ConvOptions {
  std::int64_t size = 3;  ///< of the square window
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
};

/// activation(conv2d(x, kernel) + bias) of images [n, h, w, c] to [n, oh, ow, filters]. Variables: kernel [size, size,
/// c, filters] and bias [filters]. Its scope is "conv". A call throws `Error` as `conv2d` and `Dense` do.
class Conv2D : public Layer {
 public:
  explicit Conv2D(std::int64_t filters, ConvOptions options = {});
  Conv2D(Graph& g, std::int64_t filters, ConvOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

/// The mean, or the largest, over all axes but the first and the last: [n, ..., c] to [n, c]. A call throws `Error` for
/// fewer than three axes.
class GlobalPool : public Layer {
 public:
  enum class Kind : std::uint8_t { average, max };
  using enum Kind;
  explicit GlobalPool(Kind kind = average);
};

}  // namespace oxbow
