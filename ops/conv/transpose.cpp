#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/transpose.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// Rows of the result, by Keras' rules, and by PyTorch's where the padding is given in numbers.
std::int64_t enlarged(Padding::Kind kind, std::int64_t size, std::int64_t stride, std::int64_t reach,
                      std::int64_t sides, std::int64_t added) {
  const std::int64_t least = (size - 1) * stride;
  const bool open = added == -1;
  switch (kind) {
    case Padding::same:
    case Padding::same_lower:
      return open ? size * stride : least + reach % 2 + added;
    case Padding::valid:
      return least + (open ? std::max(reach, stride) : reach + added);
    case Padding::sides:
      break;
  }
  return least + reach - sides + (open ? 0 : added);
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
  check_axes(output_padding, 2, "output padding");
  const auto serves = [](std::int64_t added, std::int64_t step) { return added >= -1 && (added < step || step <= 0); };
  if (!serves(output_padding.down(), stride.down()) || !serves(output_padding.across(), stride.across()))
    throw OpError("the output padding is " + to_string(output_padding) + " and the stride " + to_string(stride),
                  "It is less than the stride; -1 takes the usual size");
  for (const std::int64_t n : {x[1], x[2], weights[0], weights[1], weights[2], stride.down(), stride.across(),
                               dilation.down(), dilation.across(), groups})
    if (n > furthest) throw OpError("a size is " + std::to_string(n), "It is at most " + std::to_string(furthest));
  const auto around = [](std::int64_t a, std::int64_t b) {  // what does not serve is refused with the convolution
    return std::clamp<std::int64_t>(a, 0, furthest) + std::clamp<std::int64_t>(b, 0, furthest);
  };
  const std::int64_t down = (weights[0] - 1) * dilation.down() + 1, across = (weights[1] - 1) * dilation.across() + 1;
  const std::int64_t height =
      enlarged(padding.kind, x[1], stride.down(), down, around(padding.top, padding.bottom), output_padding.down());
  const std::int64_t width = enlarged(padding.kind, x[2], stride.across(), across, around(padding.left, padding.right),
                                      output_padding.across());
  const auto positive = [](const PerAxis& v) { return std::min(v.down(), v.across()) > 0; };
  if (positive(stride) && positive(dilation) && (std::min(height, width) < 0 || std::max(height, width) > furthest))
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
