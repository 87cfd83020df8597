#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/geometry.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
namespace {

constexpr std::int64_t furthest = 1 << 30;  // no sum of sizes overflows

}  // namespace

ConvShape conv_shape(const Shape& x, const Shape& weights, std::int64_t stride, const Padding& padding) {
  if (x.rank() != 4)
    throw OpError("x has " + std::to_string(x.rank()) + " axes where images have four",
                  "Give [images, height, width, channels]");
  if (weights.rank() != 4)
    throw OpError("the weights have " + std::to_string(weights.rank()) + " axes where a convolution's have four",
                  "Give [kernel height, kernel width, channels, kernels]");
  if (x[3] != weights[2])
    throw OpError("x has " + std::to_string(x[3]) + " channels and the weights take " + std::to_string(weights[2]),
                  "Images are [n, h, w, channels], weights [kh, kw, channels, kernels]");
  if (stride < 1 || stride > furthest)
    throw OpError("the stride is " + std::to_string(stride),
                  "It is at least 1 and at most " + std::to_string(furthest));
  ConvShape s{.images = x[0],
              .height = x[1],
              .width = x[2],
              .channels = x[3],
              .kh = weights[0],
              .kw = weights[1],
              .kernels = weights[3],
              .stride = stride};
  if (s.kh < 1 || s.kw < 1) throw OpError("the kernels have no elements", "Use weights of at least [1, 1, c, k]");
  if (padding.kind == Padding::same) {
    const auto missing = [&](std::int64_t size, std::int64_t taps) {
      return std::max<std::int64_t>(0, (std::max<std::int64_t>(size, 1) - 1) / stride * stride + taps - size);
    };
    const std::int64_t down = missing(s.height, s.kh), across = missing(s.width, s.kw);
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
  if (down < s.kh || across < s.kw)
    throw OpError("kernels of " + std::to_string(s.kh) + " by " + std::to_string(s.kw) +
                      " do not fit into padded images of " + std::to_string(down) + " by " + std::to_string(across),
                  "Use {.padding = Padding::same}, smaller kernels or larger images");
  s.rows = s.height == 0 && padding.kind == Padding::same ? 0 : (down - s.kh) / stride + 1;
  s.columns = s.width == 0 && padding.kind == Padding::same ? 0 : (across - s.kw) / stride + 1;
  return s;
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
