#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/geometry.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
ConvShape conv_shape(const Shape& x, const Shape& weights, const Conv2dOptions& options) {
  const auto [stride, padding, dilation, groups] = options;
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
  if (stride < 1 || stride > furthest)
    throw OpError("the stride is " + std::to_string(stride),
                  "It is at least 1 and at most " + std::to_string(furthest));
  if (dilation < 1 || dilation > furthest)
    throw OpError("the dilation is " + std::to_string(dilation),
                  "It is at least 1, for taps that touch, and at most " + std::to_string(furthest));
  ConvShape s{.images = x[0],
              .height = x[1],
              .width = x[2],
              .channels = x[3],
              .kh = weights[0],
              .kw = weights[1],
              .kernels = weights[3],
              .stride = stride,
              .dilation = dilation,
              .groups = groups};
  if (s.kh < 1 || s.kw < 1) throw OpError("the kernels have no elements", "Use weights of at least [1, 1, c, k]");
  if (std::max(s.kh, s.kw) > furthest / dilation)
    throw OpError("taps " + std::to_string(dilation) + " apart reach beyond " + std::to_string(furthest),
                  "Use a smaller dilation");
  const std::int64_t reach_down = (s.kh - 1) * dilation + 1, reach_across = (s.kw - 1) * dilation + 1;
  if (padding.kind == Padding::same) {
    const auto missing = [step = stride](std::int64_t size, std::int64_t reach) {
      return std::max<std::int64_t>(0, (std::max<std::int64_t>(size, 1) - 1) / step * step + reach - size);
    };
    const std::int64_t down = missing(s.height, reach_down), across = missing(s.width, reach_across);
    s.top = down / 2, s.bottom = down - s.top;
    s.left = across / 2, s.right = across - s.left;
  } else if (padding.kind == Padding::sides) {
    s.top = padding.top, s.bottom = padding.bottom, s.left = padding.left, s.right = padding.right;
    if (s.top < 0 || s.bottom < 0 || s.left < 0 || s.right < 0)
      throw OpError("padding cannot be negative", "Use slice to cut an image's edges off");
    if (std::max({s.top, s.bottom, s.left, s.right}) > furthest)
      throw OpError("the padding is beyond " + std::to_string(furthest), "Pad by less than the kernels' size");
  }
  const std::int64_t down = s.height + s.top + s.bottom, across = s.width + s.left + s.right;
  if (down < reach_down || across < reach_across)
    throw OpError("kernels of " + std::to_string(reach_down) + " by " + std::to_string(reach_across) +
                      " do not fit into padded images of " + std::to_string(down) + " by " + std::to_string(across),
                  "Use {.padding = Padding::same}, smaller kernels or larger images");
  s.rows = s.height == 0 && padding.kind == Padding::same ? 0 : (down - reach_down) / stride + 1;
  s.columns = s.width == 0 && padding.kind == Padding::same ? 0 : (across - reach_across) / stride + 1;
  return s;
}

ConvShape depthwise_shape(const Shape& x, const Shape& weights, const Conv2dOptions& options) {
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

namespace oxbow {

namespace {
constexpr std::array<std::string_view, 2> kinds{"valid", "same"};  // of Padding::Kind
}

AttrValue to_attr(const Padding& v) {
  if (v.kind != Padding::sides) return std::string(kinds[static_cast<std::size_t>(v.kind)]);
  return to_attr(std::vector<std::int64_t>{v.top, v.bottom, v.left, v.right});
}

void from_attr(const AttrValue& a, Padding& v) {
  if (std::holds_alternative<std::string>(a)) {
    v = static_cast<Padding::Kind>(word_of(a, "padding", kinds, "Or four numbers: top, bottom, left, right"));
    return;
  }
  std::vector<std::int64_t> sides;
  from_attr(a, sides);
  if (sides.size() != 4) throw Error("padding is a name or four numbers: top, bottom, left, right");
  v = Padding(sides[0], sides[1], sides[2], sides[3]);
}

}  // namespace oxbow
