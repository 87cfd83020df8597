#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/geometry.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

DownAcross numbers_of(const PerAxis& v, const char* what) {
  check_axes(v, 2, what);
  return {v.down(), v.across()};
}

void check_step(const char* what, const PerAxis& v, const char* remedy) {
  for (const std::int64_t step : {v.down(), v.across()})
    if (step < 1 || step > furthest)
      throw OpError("the " + std::string(what) + " is " + to_string(v), remedy + std::to_string(furthest));
}

}  // namespace

void check_axes(const PerAxis& v, int axes, const char* what) {
  if (v.count() != 1 && v.count() != axes)
    throw OpError("the " + std::string(what) + " is " + to_string(v),
                  "Give one number, or one for each of " + std::to_string(axes) + " axes");
}

AxisWindows axis_windows(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t dilation,
                         Padding::Kind kind, std::int64_t before, std::int64_t after) {
  if (taps > furthest / dilation)
    throw OpError("taps " + std::to_string(dilation) + " apart reach beyond " + std::to_string(furthest),
                  "Use a smaller dilation");
  AxisWindows w{.reach = (taps - 1) * dilation + 1};
  const bool same = kind == Padding::same || kind == Padding::same_lower;
  if (same) {
    const std::int64_t missing =
        std::max<std::int64_t>(0, (std::max<std::int64_t>(size, 1) - 1) / stride * stride + w.reach - size);
    w.before = (missing + (kind == Padding::same_lower ? 1 : 0)) / 2;
    w.after = missing - w.before;
  } else if (kind == Padding::sides) {
    w.before = before, w.after = after;
    if (before < 0 || after < 0) throw OpError("padding cannot be negative", "Use slice to cut an image's edges off");
    if (std::max(before, after) > furthest)
      throw OpError("the padding is beyond " + std::to_string(furthest), "Pad by less than the kernels' size");
  }
  const std::int64_t all = size + w.before + w.after;
  if (all >= w.reach && !(same && size == 0)) w.count = (all - w.reach) / stride + 1;
  return w;
}

ConvShape conv_shape(const Shape& x, const Shape& weights, const ConvAttributes& options) {
  const auto& [stride, padding, dilation, groups] = options;
  if (x.rank() != 4)
    throw OpError("x has " + std::to_string(x.rank()) + " axes where images have four",
                  "Give [images, height, width, channels]");
  if (weights.rank() != 4)
    throw OpError("the weights have " + std::to_string(weights.rank()) + " axes where a convolution's have four",
                  "Give [kernel height, kernel width, channels, kernels]");
  if (groups < 1)
    throw OpError("there cannot be " + std::to_string(groups) + " groups", "1 connects all channels to all kernels");
  if (x[3] % groups != 0 || weights[3] % groups != 0)
    throw OpError(std::to_string(groups) + " groups do not divide " + std::to_string(x[3]) + " channels and " +
                      std::to_string(weights[3]) + " kernels",
                  "Give a number that divides both");
  if (groups > 1 && x[3] / groups != weights[2])
    throw OpError("each of " + std::to_string(groups) + " groups has " + std::to_string(x[3] / groups) +
                      " of x's channels, and the weights take " + std::to_string(weights[2]),
                  "Images are [n, h, w, channels], weights [kh, kw, channels / groups, kernels]");
  if (x[3] / groups != weights[2])
    throw OpError("x has " + std::to_string(x[3]) + " channels and the weights take " + std::to_string(weights[2]),
                  "Images are [n, h, w, channels], weights [kh, kw, channels, kernels]");
  const DownAcross steps = numbers_of(stride, "stride"), apart = numbers_of(dilation, "dilation");
  check_step("stride", stride, "It is at least 1 and at most ");
  check_step("dilation", dilation, "It is at least 1, for taps that touch, and at most ");
  ConvShape s{.images = x[0],
              .height = x[1],
              .width = x[2],
              .channels = x[3],
              .kh = weights[0],
              .kw = weights[1],
              .kernels = weights[3],
              .stride = steps,
              .dilation = apart,
              .groups = groups};
  if (s.kh < 1 || s.kw < 1) throw OpError("the kernels have no elements", "Use weights of at least [1, 1, c, k]");
  const AxisWindows down =
      axis_windows(s.height, s.kh, steps.down, apart.down, padding.kind, padding.top, padding.bottom);
  const AxisWindows across =
      axis_windows(s.width, s.kw, steps.across, apart.across, padding.kind, padding.left, padding.right);
  s.top = down.before, s.bottom = down.after, s.rows = down.count;
  s.left = across.before, s.right = across.after, s.columns = across.count;
  const std::int64_t high = s.height + s.top + s.bottom, wide = s.width + s.left + s.right;
  if (high < down.reach || wide < across.reach)
    throw OpError("kernels of " + std::to_string(down.reach) + " by " + std::to_string(across.reach) +
                      " do not fit into padded images of " + std::to_string(high) + " by " + std::to_string(wide),
                  "Use {.padding = Padding::same}, smaller kernels or larger images");
  return s;
}

ConvShape depthwise_shape(const Shape& x, const Shape& weights, const ConvAttributes& options) {
  const ConvShape s = conv_shape(x, weights, options);
  if (s.groups != s.channels || s.kernels != s.channels)
    throw OpError("its kernel is for a group a channel, not for " + std::to_string(s.groups) + " groups of " +
                  std::to_string(s.channels) + " channels and " + std::to_string(s.kernels) + " kernels");
  return s;
}

void check_one_group(std::int64_t groups) {
  if (groups != 1) throw OpError("its kernel is for one group, not for " + std::to_string(groups));
}

void check_given(std::string_view which, const Type& given, const Type& wanted) {
  if (given != wanted)
    throw OpError(std::string(which) + " is " + to_string(given) + " where " + to_string(wanted) + " fits");
}

}  // namespace oxbow::ops
