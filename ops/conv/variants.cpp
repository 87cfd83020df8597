// Convolutions that are `conv2d` of the same elements in other shapes.
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/shape.h>

#include <algorithm>

namespace oxbow {

using namespace ops;

Value depthwise_conv2d(Value x, Value weights, DepthwiseConv2dOptions options, At at) {
  check_ranks("depthwise_conv2d", x, weights, 4, "[images, height, width, channels]",
              "[kernel height, kernel width, channels, kernels a channel]", at);
  const Shape w = weights.shape();
  if (w[2] != x.shape()[3])
    refuse_convolution(
        "depthwise_conv2d",
        "x has " + std::to_string(x.shape()[3]) + " channels and the weights are for " + std::to_string(w[2]), x,
        weights, at, "Images are [n, h, w, channels], weights [kh, kw, channels, kernels a channel]");
  return as_called("depthwise_conv2d", [&] {
    return conv2d(x, reshape(weights, {w[0], w[1], 1, w[2] * w[3]}, at),
                  {.stride = options.stride,
                   .padding = options.padding,
                   .dilation = options.dilation,
                   .groups = std::max<std::int64_t>(1, w[2])},
                  at);
  });
}

Value conv1d(Value x, Value weights, Conv1dOptions options, At at) {
  check_ranks("conv1d", x, weights, 3, "[sequences, length, channels]", "[kernel length, channels, kernels]", at);
  const DataFormat format = options.data_format;
  x = to_channels_last(x, 3, format, at);
  weights = weights_last(weights, 3, format, at);
  Padding padding = options.padding;
  padding.top = padding.bottom = 0;
  const Shape w = weights.shape();
  return as_called("conv1d", [&] {
    const Value y = conv2d(
        reshape(x, {0, 1, -1, x.shape()[2]}, at), reshape(weights, {1, w[0], w[1], w[2]}, at),
        {.stride = options.stride, .padding = padding, .dilation = options.dilation, .groups = options.groups}, at);
    return with_bias("conv1d", squeeze(y, {1}, at), options.bias, format, at);
  });
}

}  // namespace oxbow
