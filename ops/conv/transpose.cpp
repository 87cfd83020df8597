#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/transpose.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// Rows of the result, by Keras' rules, and by PyTorch's where the padding is given in numbers.
std::int64_t enlarged(const Conv2dTranspose& op, std::int64_t size, std::int64_t reach, std::int64_t sides) {
  const std::int64_t stride = op.stride, least = (size - 1) * stride;
  const bool open = op.output_padding == -1;
  switch (op.padding.kind) {
    case Padding::same:
      return open ? size * stride : least + reach % 2 + op.output_padding;
    case Padding::valid:
      return least + (open ? std::max(reach, stride) : reach + op.output_padding);
    case Padding::sides:
      break;
  }
  return least + reach - sides + (open ? 0 : op.output_padding);
}

}  // namespace

ConvShape Conv2dTranspose::shape(const Shape& x, const Shape& weights) const {
  if (x.rank() != 4)
    throw OpError("x has " + std::to_string(x.rank()) + " axes where images have four",
                  "Give [images, height, width, channels]");
  if (weights.rank() != 4)
    throw OpError("the weights have " + std::to_string(weights.rank()) + " axes where a convolution's have four",
                  "Give [kernel height, kernel width, channels of the result, channels of x]");
  if (x[3] != weights[3])
    throw OpError("x has " + std::to_string(x[3]) + " channels and the weights take " + std::to_string(weights[3]),
                  "Images are [n, h, w, channels], weights [kh, kw, channels of the result, channels of x]");
  if (output_padding < -1 || (output_padding >= stride && stride > 0))
    throw OpError(
        "the output padding is " + std::to_string(output_padding) + " and the stride " + std::to_string(stride),
        "It is less than the stride; -1 takes the usual size");
  for (const std::int64_t n : {x[1], x[2], weights[0], weights[1], weights[2], stride, dilation, groups})
    if (n > furthest) throw OpError("a size is " + std::to_string(n), "It is at most " + std::to_string(furthest));
  const auto around = [](std::int64_t a, std::int64_t b) {  // what does not serve is refused with the convolution
    return std::clamp<std::int64_t>(a, 0, furthest) + std::clamp<std::int64_t>(b, 0, furthest);
  };
  const std::int64_t down = (weights[0] - 1) * dilation + 1, across = (weights[1] - 1) * dilation + 1;
  const std::int64_t height = enlarged(*this, x[1], down, around(padding.top, padding.bottom));
  const std::int64_t width = enlarged(*this, x[2], across, around(padding.left, padding.right));
  if (stride > 0 && dilation > 0 && (std::min(height, width) < 0 || std::max(height, width) > furthest))
    throw OpError("the result would be " + std::to_string(height) + " by " + std::to_string(width),
                  "Use larger images and less padding, or smaller strides");
  const ConvShape s = conv_shape({x[0], std::max<std::int64_t>(0, height), std::max<std::int64_t>(0, width),
                                  std::max<std::int64_t>(0, weights[2] * groups)},
                                 weights, *this);
  if (s.y() != x)
    throw OpError("a result of " + std::to_string(height) + " by " + std::to_string(width) + " is of no x of " +
                      std::to_string(x[1]) + " by " + std::to_string(x[2]),
                  "Windows of an even size with {.padding = Padding::same} take an output padding of at least 1");
  return s;
}

Type Conv2dTranspose::infer(Types in) const {
  check_same_floats(in);
  return {in[0].dtype, shape(in[0].shape, in[1].shape).x()};
}

Work Conv2dTranspose::work(Types in) const {
  return {.flops = shape(in[0].shape, in[1].shape).flops(),
          .bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + infer(in).bytes())};
}

// Linear in both, as the gradient that it is: seen from x, dy is an image and x its convolution.
Grads Conv2dTranspose::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), w = n.input(1);
  return {apply(Conv2d{*this}, {dy[0], w}, Location{}),
          apply(Conv2dGradientOfWeights{*this}, {dy[0], x, w}, Location{})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value conv2d_transpose(Value x, Value weights, Conv2dTransposeOptions options, At at) {
  return apply(ops::Conv2dTranspose{{.stride = options.stride,
                                     .padding = options.padding,
                                     .dilation = options.dilation,
                                     .groups = options.groups},
                                    options.output_padding},
               {x, weights}, at);
}

}  // namespace oxbow
