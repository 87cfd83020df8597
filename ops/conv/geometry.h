// The sizes of a convolution, checked. Internal to ops/.
#pragma once

#include <oxbow/ops/conv/conv.h>

namespace oxbow::ops {

struct ConvShape {
  std::int64_t images = 0, height = 0, width = 0, channels = 0;  // x
  std::int64_t kh = 0, kw = 0, kernels = 0;                      // weights [kh][kw][channels / groups][kernels]
  std::int64_t rows = 0, columns = 0;                            // y [images][rows][columns][kernels]
  std::int64_t stride = 1, top = 0, left = 0;
  std::int64_t bottom = 0, right = 0;
  std::int64_t dilation = 1, groups = 1;

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
ConvShape conv_shape(const Shape& x, const Shape& weights, const Conv2dOptions& options);
/// The same with a kernel a channel: throws `OpError` unless there are as many groups as channels and kernels.
ConvShape depthwise_shape(const Shape& x, const Shape& weights, const Conv2dOptions& options);
/// Throws `OpError` unless it is 1: what lowering makes of several groups has one each.
void check_one_group(std::int64_t groups);
/// Throws `OpError` unless they are equal.
void check_given(std::string_view which, const Type& given, const Type& wanted);

}  // namespace oxbow::ops
