// What convolutions are computed by: kernels of one group, of a channel a group, or convolutions of the single groups.
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/transpose.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {
namespace {

Value part_of(Value v, std::int64_t group, std::int64_t groups) {
  const std::int64_t each = v.shape()[3] / groups;
  return slice(v, 3, group * each, (group + 1) * each);
}

// What `build` makes of each group's part of the inputs, side by side again.
template <class F>
Value by_group(std::int64_t groups, Values in, F&& build) {
  std::vector<Value> parts;
  for (std::int64_t group = 0; group < groups; ++group) {
    std::vector<Value> own;
    for (int i = 0; i < in.size(); ++i) own.push_back(part_of(in[i], group, groups));
    parts.push_back(build(own));
  }
  return concat(parts, 3);
}

template <class T>
T of_one_group(T options) {
  options.groups = 1;
  return options;
}

Conv2dOptions depthwise(Conv2dOptions options, std::int64_t kernels) {
  options.groups = kernels;
  return options;
}

// Each channel as often as it has kernels.
Value repeated(Value x, std::int64_t kernels) {
  const Shape& s = x.shape();
  if (s[3] == kernels) return x;
  const Value apart = reshape(x, {s[0], s[1], s[2], s[3], 1});
  return reshape(broadcast_to(apart, {s[0], s[1], s[2], s[3], kernels / s[3]}), {s[0], s[1], s[2], kernels});
}

// dx [n, height, width, c] of what dy is the output of.
Value gradient_of_x(const Conv2dOptions& options, Value dy, Value w, std::int64_t height, std::int64_t width) {
  const std::int64_t channels = w.shape()[2] * options.groups;
  const ConvShape s = conv_shape({dy.shape()[0], height, width, channels}, w.shape(), options);
  if (s.is_depthwise()) {
    const Value dx = apply(DepthwiseAdjoint{depthwise(options, s.kernels), height, width}, {dy, w}, Location{});
    if (s.kernels == channels) return dx;
    return sum(reshape(dx, {s.images, height, width, channels, s.kernels / channels}), {4});
  }
  if (s.groups > 1)
    return by_group(s.groups, {dy, w},
                    [&](Values own) { return gradient_of_x(of_one_group(options), own[0], own[1], height, width); });
  if (s.dilation == 1 && ConvStrips::pays(s.x(), w.shape())) {
    const Value packed = pack(reshape(w, {w.shape().count(0, 3), s.kernels}), true);
    return apply(
        ConvStrips{
            .height = height, .width = width, .kh = s.kh, .kw = s.kw, .stride = s.stride, .padding = options.padding},
        {dy, packed}, Location{});
  }
  return apply(ConvAdjoint{options, height, width}, {dy, pack(w, true)}, Location{});
}

}  // namespace

std::vector<Value> Conv2d::lower(Values in) const {
  const ConvShape s = conv_shape(in[0].shape(), in[1].shape(), *this);
  if (s.is_depthwise())
    return {apply(DepthwiseForward{depthwise(*this, s.kernels)}, {repeated(in[0], s.kernels), in[1]}, Location{})};
  if (groups > 1)
    return {by_group(groups, in, [&](Values own) { return apply(of_one_group(*this), own, Location{}); })};
  return {apply(ConvForward{*this}, in, Location{})};
}

std::vector<Value> Conv2dGradientOfX::lower(Values in) const {
  const Shape& x = in[2].shape();
  return {gradient_of_x(*this, in[0], in[1], x[1], x[2])};
}

std::vector<Value> Conv2dTranspose::lower(Values in) const {
  const ConvShape s = shape(in[0].shape(), in[1].shape());
  return {gradient_of_x(*this, in[0], in[1], s.height, s.width)};
}

std::vector<Value> Conv2dGradientOfWeights::lower(Values in) const {
  const ConvShape s = conv_shape(in[0].shape(), in[2].shape(), *this);
  if (s.is_depthwise())
    return {sum(apply(DepthwiseWeightChunks{depthwise(*this, s.kernels)}, {repeated(in[0], s.kernels), in[1], in[2]},
                      Location{}),
                {0})};
  if (groups > 1)
    return {by_group(groups, in, [&](Values own) { return apply(of_one_group(*this), own, Location{}); })};
  return {sum(apply(ConvWeightChunks{*this}, in, Location{}), {0})};
}

}  // namespace oxbow::ops
