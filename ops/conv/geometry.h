// The sizes of a convolution, checked. Internal to ops/.
#pragma once

#include <oxbow/ops/conv/conv.h>

namespace oxbow::ops {

/// Of the two axes of an image.
struct DownAcross {
  std::int64_t down = 1, across = 1;
  bool operator==(const DownAcross&) const = default;
};

/// Windows along an axis: `count` of them, over `before` and `after` elements of padding too.
struct AxisWindows {
  std::int64_t reach = 1, before = 0, after = 0, count = 0;
};
/// None where they do not fit; `stride` and `dilation` are at least 1. Throws `OpError` for padding that does not
/// serve, and windows that reach too far.
AxisWindows axis_windows(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t dilation,
                         Padding::Kind kind, std::int64_t before, std::int64_t after);
/// Throws `OpError` unless there is one number, or one for each of so many axes.
void check_axes(const PerAxis& v, int axes, const char* what);

struct ConvShape {
  std::int64_t images = 0, height = 0, width = 0, channels = 0;  // x
  std::int64_t kh = 0, kw = 0, kernels = 0;                      // weights [kh][kw][channels / groups][kernels]
  std::int64_t rows = 0, columns = 0;                            // y [images][rows][columns][kernels]
  DownAcross stride = {};
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
  DownAcross dilation = {};
  std::int64_t groups = 1;

  Shape x() const { return {images, height, width, channels}; }
  Shape weights() const { return {kh, kw, channels / groups, kernels}; }
  /// Each channel has kernels of its own.
  bool is_depthwise() const { return groups > 1 && groups == channels && kernels > 0; }
  Shape y() const { return {images, rows, columns, kernels}; }
  double flops() const {
    double product = 2;
    for (const std::int64_t size : {images, rows, columns, kh, kw, channels / groups, kernels})
      product *= static_cast<double>(size);
    return product;
  }
};

/// Throws `OpError` where x and weights do not fit.
ConvShape conv_shape(const Shape& x, const Shape& weights, const ConvAttributes& options);
/// The same with a kernel a channel: throws `OpError` unless there are as many groups as channels and kernels.
ConvShape depthwise_shape(const Shape& x, const Shape& weights, const ConvAttributes& options);
/// Throws `OpError` unless it is 1: what lowering makes of several groups has one each.
void check_one_group(std::int64_t groups);
/// Throws `OpError` unless they are equal.
void check_given(std::string_view which, const Type& given, const Type& wanted);

}  // namespace oxbow::ops
