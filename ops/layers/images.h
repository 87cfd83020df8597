// Layers for images [n, h, w, c], sequences and volumes.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>
#include <oxbow/ops/pool.h>

namespace oxbow {

struct ConvOptions {
  std::int64_t size = 3;  ///< of the window, along each axis
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
};

/// activation(conv2d(x, kernel) + bias) of images [n, h, w, c] to [n, oh, ow, filters]. Variables: kernel [size, size,
/// c / groups, filters] and bias [filters]. Its scope is "conv". A call throws `Error` as `conv2d` and `Dense` do.
class Conv2D : public Layer {
 public:
  explicit Conv2D(std::int64_t filters, ConvOptions options = {});
  Conv2D(Graph& g, std::int64_t filters, ConvOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

/// activation(conv1d(x, kernel) + bias) of sequences [n, steps, c] to [n, osteps, filters]; of a padding in numbers
/// `left` and `right` count. Variables: kernel [size, c / groups, filters] and bias [filters]. Its scope is "conv1d". A
/// call throws `Error` as `Conv2D` does.
class Conv1D : public Layer {
 public:
  explicit Conv1D(std::int64_t filters, ConvOptions options = {});
  Conv1D(Graph& g, std::int64_t filters, ConvOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

/// activation(conv3d(x, kernel) + bias) of volumes [n, d, h, w, c] to [n, od, oh, ow, filters]; a padding in numbers is
/// one for all sides. Variables: kernel [size, size, size, c / groups, filters] and bias [filters]. Its scope is
/// "conv3d". A call throws `Error` as `conv3d` and `Dense` do.
class Conv3D : public Layer {
 public:
  explicit Conv3D(std::int64_t filters, ConvOptions options = {});
  Conv3D(Graph& g, std::int64_t filters, ConvOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

struct ConvTransposeOptions {
  std::int64_t size = 3;  ///< of the square window
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  std::int64_t output_padding = -1;  ///< see `conv2d_transpose`
  std::int64_t dilation = 1;
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
};

/// activation(conv2d_transpose(x, kernel) + bias), which enlarges images [n, h, w, c] to [n, oh, ow, filters]: by the
/// stride, with `same`. Variables: kernel [size, size, filters, c] and bias [filters]. Its scope is "conv_transpose". A
/// call throws `Error` as `conv2d_transpose` and `Dense` do.
class Conv2DTranspose : public Layer {
 public:
  explicit Conv2DTranspose(std::int64_t filters, ConvTransposeOptions options = {});
  Conv2DTranspose(Graph& g, std::int64_t filters, ConvTransposeOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

struct DepthwiseConvOptions {
  std::int64_t size = 3;  ///< of the square window
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  std::int64_t dilation = 1;
  std::int64_t depth_multiplier = 1;  ///< kernels a channel
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
};

/// activation(depthwise_conv2d(x, kernel) + bias): each channel of images [n, h, w, c] by kernels of its own, to
/// [n, oh, ow, c * depth_multiplier]. Variables: depthwise_kernel [size, size, c, depth_multiplier] and bias. Its scope
/// is "depthwise_conv". A call throws `Error` as `Conv2D` does.
class DepthwiseConv2D : public Layer {
 public:
  explicit DepthwiseConv2D(DepthwiseConvOptions options = {});
  explicit DepthwiseConv2D(Graph& g, DepthwiseConvOptions options = {});
  Value kernel() const { return variable("depthwise_kernel"); }
  Value bias() const { return variable("bias"); }
};

struct SeparableConvOptions {
  std::int64_t size = 3;  ///< of the square window
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  std::int64_t dilation = 1;
  std::int64_t depth_multiplier = 1;
  Activation activation = {};
  Initializer depthwise_init = init::glorot_uniform();
  Initializer pointwise_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
};

/// A depthwise convolution, then one of single pixels, which mixes the channels: activation(conv2d(depthwise_conv2d(x,
/// depthwise_kernel), pointwise_kernel) + bias), to [n, oh, ow, filters]. Variables: depthwise_kernel [size, size, c,
/// depth_multiplier], pointwise_kernel [1, 1, c * depth_multiplier, filters] and bias [filters]. Its scope is
/// "separable_conv". A call throws `Error` as `Conv2D` does.
class SeparableConv2D : public Layer {
 public:
  explicit SeparableConv2D(std::int64_t filters, SeparableConvOptions options = {});
  SeparableConv2D(Graph& g, std::int64_t filters, SeparableConvOptions options = {});
  Value depthwise_kernel() const { return variable("depthwise_kernel"); }
  Value pointwise_kernel() const { return variable("pointwise_kernel"); }
  Value bias() const { return variable("bias"); }
};

/// `max_pool` of ops/conv.h: the largest of each window, by default of 2x2 that touch and do not overlap, [n, h, w, c]
/// to [n, h / 2, w / 2, c]. A call throws `Error` as that does.
class MaxPool2D : public Layer {
 public:
  explicit MaxPool2D(MaxPoolOptions options = {});
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
