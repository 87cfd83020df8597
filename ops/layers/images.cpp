#include <oxbow/ops/layers.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shared/layer_state.h>

#include <numeric>

namespace oxbow {
namespace ops {
namespace {

template <class Options>
Value with_bias(LayerCall& here, Value y, const Options& options, At at) {
  if (!options.use_bias) return y;
  return add(y, here.parameter("bias", {y.dtype(), {y.shape()[-1]}}, options.bias_init), at);
}

class ConvState : public LayerState {
 public:
  ConvState(std::int64_t filters, ConvOptions options)
      : LayerState("Conv2D", "conv", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("conv", x, 4, "[images, height, width, channels]", at);
    check_layer_size("conv", "filters", filters_, x, at);
    check_layer_size("conv", "rows and columns of its window", options_.size, x, at);
    check_layer_size("conv", "groups", options_.groups, x, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const Type kernel{x.dtype(), {options_.size, options_.size, x.shape()[-1] / options_.groups, filters_}};
    const Value y = as_called("conv", [&] {
      const Value w = here.parameter("kernel", kernel, options_.kernel_init);
      const Value products = conv2d(x, w,
                                    {.stride = options_.stride,
                                     .padding = options_.padding,
                                     .dilation = options_.dilation,
                                     .groups = options_.groups},
                                    at);
      return with_bias(here, products, options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  ConvOptions options_;
};

class Conv1DState : public LayerState {
 public:
  Conv1DState(std::int64_t filters, ConvOptions options)
      : LayerState("Conv1D", "conv1d", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 3, "[sequences, length, channels]", at);
    check_layer_size(word(), "filters", filters_, x, at);
    check_layer_size(word(), "steps of its window", options_.size, x, at);
    check_layer_size(word(), "groups", options_.groups, x, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const Type kernel{x.dtype(), {options_.size, x.shape()[-1] / options_.groups, filters_}};
    const Value y = as_called(word(), [&] {
      const Value products = conv1d(x, here.parameter("kernel", kernel, options_.kernel_init),
                                    {.stride = options_.stride,
                                     .padding = options_.padding,
                                     .dilation = options_.dilation,
                                     .groups = options_.groups},
                                    at);
      return with_bias(here, products, options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  ConvOptions options_;
};

class Conv3DState : public LayerState {
 public:
  Conv3DState(std::int64_t filters, ConvOptions options)
      : LayerState("Conv3D", "conv3d", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 5, "[volumes, depth, height, width, channels]", at);
    check_layer_size(word(), "filters", filters_, x, at);
    check_layer_size(word(), "slices, rows and columns of its window", options_.size, x, at);
    check_layer_size(word(), "groups", options_.groups, x, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const Type kernel{x.dtype(),
                      {options_.size, options_.size, options_.size, x.shape()[-1] / options_.groups, filters_}};
    const Value y = as_called(word(), [&] {
      const Value products = conv3d(x, here.parameter("kernel", kernel, options_.kernel_init),
                                    {.stride = options_.stride,
                                     .padding = options_.padding,
                                     .dilation = options_.dilation,
                                     .groups = options_.groups},
                                    at);
      return with_bias(here, products, options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  ConvOptions options_;
};

class ConvTransposeState : public LayerState {
 public:
  ConvTransposeState(std::int64_t filters, ConvTransposeOptions options)
      : LayerState("Conv2DTranspose", "conv_transpose", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 4, "[images, height, width, channels]", at);
    check_layer_size(word(), "filters", filters_, x, at);
    check_layer_size(word(), "rows and columns of its window", options_.size, x, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const Type kernel{x.dtype(), {options_.size, options_.size, filters_, x.shape()[-1]}};
    const Value y = as_called(word(), [&] {
      const Value products = conv2d_transpose(x, here.parameter("kernel", kernel, options_.kernel_init),
                                              {.stride = options_.stride,
                                               .padding = options_.padding,
                                               .dilation = options_.dilation,
                                               .output_padding = options_.output_padding},
                                              at);
      return with_bias(here, products, options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  ConvTransposeOptions options_;
};

// The kernel that DepthwiseConv2D and SeparableConv2D have in common, and what it gives.
template <class Options>
Value each_channel(LayerCall& here, Value x, const Options& options, const Initializer& initializer, At at) {
  const Type kernel{x.dtype(), {options.size, options.size, x.shape()[-1], options.depth_multiplier}};
  return depthwise_conv2d(x, here.parameter("depthwise_kernel", kernel, initializer),
                          {.stride = options.stride, .padding = options.padding, .dilation = options.dilation}, at);
}

class DepthwiseConvState : public LayerState {
 public:
  explicit DepthwiseConvState(DepthwiseConvOptions options)
      : LayerState("DepthwiseConv2D", "depthwise_conv", options.name, options.trainable),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 4, "[images, height, width, channels]", at);
    check_layer_size(word(), "rows and columns of its window", options_.size, x, at);
    check_layer_size(word(), "kernels a channel", options_.depth_multiplier, x, at);
    LayerCall here(*this, x, {"depthwise_kernel"}, at);
    const Value y = as_called(word(), [&] {
      return with_bias(here, each_channel(here, x, options_, options_.kernel_init, at), options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  DepthwiseConvOptions options_;
};

class SeparableConvState : public LayerState {
 public:
  SeparableConvState(std::int64_t filters, SeparableConvOptions options)
      : LayerState("SeparableConv2D", "separable_conv", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 4, "[images, height, width, channels]", at);
    check_layer_size(word(), "filters", filters_, x, at);
    check_layer_size(word(), "rows and columns of its window", options_.size, x, at);
    check_layer_size(word(), "kernels a channel", options_.depth_multiplier, x, at);
    LayerCall here(*this, x, {"depthwise_kernel"}, at);
    const Value y = as_called(word(), [&] {
      const Value each = each_channel(here, x, options_, options_.depthwise_init, at);
      const Type kernel{x.dtype(), {1, 1, each.shape()[-1], filters_}};
      const Value mixed = conv2d(each, here.parameter("pointwise_kernel", kernel, options_.pointwise_init), {}, at);
      return with_bias(here, mixed, options_, at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  SeparableConvOptions options_;
};

class MaxPoolState : public LayerState {
 public:
  explicit MaxPoolState(MaxPoolOptions options) : LayerState("MaxPool2D", "max_pool"), options_(options) {}
  Value call(Value x, At at) override { return max_pool(x, options_, at); }

 private:
  MaxPoolOptions options_;
};

class GlobalPoolState : public LayerState {
 public:
  explicit GlobalPoolState(GlobalPool::Kind how) : LayerState("GlobalPool", "global_pool"), how_(how) {}

  Value call(Value x, At at) override {
    check_layer_input("global_pool", x, 3, "[images, height, width, channels]", at);
    std::vector<std::int64_t> axes(static_cast<std::size_t>(x.rank()) - 2);
    std::iota(axes.begin(), axes.end(), 1);
    return as_called("global_pool", [&] {
      return how_ == GlobalPool::average ? mean(x, std::move(axes), false, at) : max(x, std::move(axes), false, at);
    });
  }

 private:
  GlobalPool::Kind how_;
};

}  // namespace
}  // namespace ops

Conv2D::Conv2D(std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::ConvState>(nullptr, filters, std::move(options))) {}
Conv2D::Conv2D(Graph& g, std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::ConvState>(&g, filters, std::move(options))) {}

Conv1D::Conv1D(std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::Conv1DState>(nullptr, filters, std::move(options))) {}
Conv1D::Conv1D(Graph& g, std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::Conv1DState>(&g, filters, std::move(options))) {}

Conv3D::Conv3D(std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::Conv3DState>(nullptr, filters, std::move(options))) {}
Conv3D::Conv3D(Graph& g, std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::Conv3DState>(&g, filters, std::move(options))) {}

Conv2DTranspose::Conv2DTranspose(std::int64_t filters, ConvTransposeOptions options)
    : Layer(ops::new_layer<ops::ConvTransposeState>(nullptr, filters, std::move(options))) {}
Conv2DTranspose::Conv2DTranspose(Graph& g, std::int64_t filters, ConvTransposeOptions options)
    : Layer(ops::new_layer<ops::ConvTransposeState>(&g, filters, std::move(options))) {}

DepthwiseConv2D::DepthwiseConv2D(DepthwiseConvOptions options)
    : Layer(ops::new_layer<ops::DepthwiseConvState>(nullptr, std::move(options))) {}
DepthwiseConv2D::DepthwiseConv2D(Graph& g, DepthwiseConvOptions options)
    : Layer(ops::new_layer<ops::DepthwiseConvState>(&g, std::move(options))) {}

SeparableConv2D::SeparableConv2D(std::int64_t filters, SeparableConvOptions options)
    : Layer(ops::new_layer<ops::SeparableConvState>(nullptr, filters, std::move(options))) {}
SeparableConv2D::SeparableConv2D(Graph& g, std::int64_t filters, SeparableConvOptions options)
    : Layer(ops::new_layer<ops::SeparableConvState>(&g, filters, std::move(options))) {}

MaxPool2D::MaxPool2D(MaxPoolOptions options) : Layer(ops::new_layer<ops::MaxPoolState>(nullptr, options)) {}

GlobalPool::GlobalPool(Kind kind) : Layer(ops::new_layer<ops::GlobalPoolState>(nullptr, kind)) {}

Value conv(Value x, std::int64_t filters, ConvOptions options, At at) {
  return Conv2D(filters, std::move(options))(x, at);
}

}  // namespace oxbow
