// Convolution and pooling of images [n, h, w, c]; convolution of sequences and of volumes.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

struct AttrValue;

/// Rows and columns of zeros around an image.
struct Padding {
  enum class Kind : std::uint8_t {
    valid,  ///< none
    same,   ///< so that the output has ceil(size / stride) rows and columns, the odd one below and right
    sides   ///< as many as `top`, `bottom`, `left` and `right` say
  };
  using enum Kind;
  Kind kind = same;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  Padding() = default;
  Padding(Kind k) : kind(k) {}                                // implicit: {.padding = Padding::valid}
  Padding(std::int64_t all) : Padding(all, all, all, all) {}  // implicit: {.padding = 2}
  Padding(int all) : Padding(std::int64_t{all}) {}
  Padding(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : kind(sides), top(t), bottom(b), left(l), right(r) {}
  bool operator==(const Padding&) const = default;
};
/// "valid", "same", or the four numbers.
AttrValue to_attr(const Padding& v);
/// Throws `Error` for anything else.
void from_attr(const AttrValue& a, Padding& v);

struct Conv2dOptions {
  std::int64_t stride = 1;  ///< down and across
  Padding padding = Padding::same;
  std::int64_t dilation = 1;  ///< pixels from one of a window's taps to the next, down and across
  std::int64_t groups = 1;    ///< of channels, next to each other, each with kernels of its own
  bool operator==(const Conv2dOptions&) const = default;
};

/// The convolution of images x [n, h, w, c] with weights [kh, kw, c / groups, k]: [n, oh, ow, k], where
/// oh = (h + top + bottom - (kh - 1) * dilation - 1) / stride + 1. The first k / groups kernels see the first
/// c / groups channels, and so on. Floating point. Throws `Error` for other dtypes and ranks, channels that differ,
/// groups that do not divide both, or a window larger than the padded image.
Value conv2d(Value x, Value weights, Conv2dOptions options = {}, At at = At::current());

struct DepthwiseConv2dOptions {
  std::int64_t stride = 1;  ///< down and across
  Padding padding = Padding::same;
  std::int64_t dilation = 1;
};

/// Each channel of x [n, h, w, c] by kernels of its own, weights [kh, kw, c, m]: [n, oh, ow, c * m], where results
/// i * m and the m - 1 after it are of channel i. It is `conv2d` in c groups, by the same weights as [kh, kw, 1, c *
/// m]. Throws `Error` as that does.
Value depthwise_conv2d(Value x, Value weights, DepthwiseConv2dOptions options = {}, At at = At::current());

struct Conv1dOptions {
  std::int64_t stride = 1;
  Padding padding = Padding::same;  ///< of `sides`, `left` and `right`: {0, 0, (kw - 1) * dilation, 0} is causal
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};

/// The convolution of sequences x [n, w, c] with weights [kw, c / groups, k]: [n, ow, k], that of images one pixel
/// high. Throws `Error` as `conv2d` does.
Value conv1d(Value x, Value weights, Conv1dOptions options = {}, At at = At::current());

struct Conv3dOptions {
  std::int64_t stride = 1;          ///< along all three axes, as what follows
  Padding padding = Padding::same;  ///< of numbers, one for all sides: {.padding = 1}
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};

/// The convolution of volumes x [n, d, h, w, c] with weights [kd, kh, kw, c / groups, k]: [n, od, oh, ow, k], where the
/// sizes are as `conv2d` has them. It is `conv2d` of slices, whose channels are those of the kd slices that a kernel
/// reaches, one after another; so x is in memory kd times. Where the depth is a free axis, `same` with a stride pads as
/// for its example size, and volumes that are less deep than a `valid` kernel give no slices. Throws `Error` as
/// `conv2d` does.
Value conv3d(Value x, Value weights, Conv3dOptions options = {}, At at = At::current());

struct Conv2dTransposeOptions {
  std::int64_t stride = 1;  ///< down and across
  Padding padding = Padding::same;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  std::int64_t output_padding = -1;  ///< rows and columns added to the least size; -1: as Keras and PyTorch by default
};

/// The transposed convolution, which enlarges images x [n, h, w, k] by weights [kh, kw, c / groups, k] to
/// [n, oh, ow, c]: the gradient of `conv2d` to its images, where x is the gradient of its result. Since a stride leaves
/// several sizes whose convolution has h rows, oh is
///   h * stride                                                with `same`, or, with output_padding p,
///   (h - 1) * stride + reach % 2 + p,                         where reach = (kh - 1) * dilation + 1;
///   (h - 1) * stride + max(reach, stride)                     with `valid`, or (h - 1) * stride + reach + p;
///   (h - 1) * stride + reach - top - bottom + max(p, 0)       with padding in numbers;
/// the rules of Keras, and of PyTorch for the last. Throws `Error` as `conv2d` does, for an output padding that is not
/// below the stride, and where nothing is left.
Value conv2d_transpose(Value x, Value weights, Conv2dTransposeOptions options = {}, At at = At::current());

struct MaxPoolOptions {
  std::int64_t size = 2;    ///< of the square window
  std::int64_t stride = 0;  ///< 0: as the size, so that windows touch and do not overlap
};

/// The largest of each window and channel; NaN if it holds one. Windows lie within the image: an edge too narrow for
/// one more window is left out. x [n, h, w, c] to [n, (h - size) / stride + 1, (w - size) / stride + 1, c]. Throws
/// `Error` unless x has four axes and holds a window.
Value max_pool(Value x, MaxPoolOptions options = {}, At at = At::current());

}  // namespace oxbow
