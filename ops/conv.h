// Convolution of images, sequences and volumes. Pooling and resizing are in ops/pool.h and ops/resize.h.
#pragma once

#include <oxbow/ops/windows.h>

namespace oxbow {

struct Conv2dOptions {
  PerAxis stride = 1;  ///< {down, across}
  Padding padding = Padding::same;
  PerAxis dilation = 1;     ///< pixels from one of a window's taps to the next
  std::int64_t groups = 1;  ///< of channels, next to each other, each with kernels of its own
  Value bias = {};          ///< [k], if any: added to each result's kernel
  DataFormat data_format = channels_last;
};

/// The convolution of images x [n, h, w, c] with weights [kh, kw, c / groups, k]: [n, oh, ow, k], where
/// oh = (h + top + bottom - (kh - 1) * dilation - 1) / stride + 1. The first k / groups kernels see the first
/// c / groups channels, and so on. With `channels_first` x is [n, c, h, w], the weights [k, c / groups, kh, kw] and the
/// result [n, k, oh, ow]. Floating point. Throws `Error` for other dtypes and ranks, channels that differ, groups that
/// do not divide both, or a window larger than the padded image.
Value conv2d(Value x, Value weights, Conv2dOptions options = {}, At at = At::current());

struct DepthwiseConv2dOptions {
  PerAxis stride = 1;  ///< {down, across}
  Padding padding = Padding::same;
  PerAxis dilation = 1;
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
  Value bias = {};  ///< [k], if any
  DataFormat data_format = channels_last;
};

/// The convolution of sequences x [n, w, c] with weights [kw, c / groups, k]: [n, ow, k], that of images one pixel
/// high. With `channels_first` x is [n, c, w], the weights [k, c / groups, kw] and the result [n, k, ow]. Throws
/// `Error` as `conv2d` does.
Value conv1d(Value x, Value weights, Conv1dOptions options = {}, At at = At::current());

struct Conv3dOptions {
  PerAxis stride = 1;               ///< {through the depth, down, across}
  Padding padding = Padding::same;  ///< of numbers: one for all sides, or front, back, top, bottom, left and right
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  Value bias = {};  ///< [k], if any
  DataFormat data_format = channels_last;
};

/// The convolution of volumes x [n, d, h, w, c] with weights [kd, kh, kw, c / groups, k]: [n, od, oh, ow, k], where the
/// sizes are as `conv2d` has them. With `channels_first` x is [n, c, d, h, w], the weights [k, c / groups, kd, kh, kw]
/// and the result [n, k, od, oh, ow]. It is `conv2d` of slices, whose channels are those of the kd slices that a kernel
/// reaches, one after another; so x is in memory kd times. Where the depth is a free axis, `same` with a stride pads as
/// for its example size, and volumes that are less deep than a `valid` kernel give no slices. Throws `Error` as
/// `conv2d` does.
Value conv3d(Value x, Value weights, Conv3dOptions options = {}, At at = At::current());

struct Conv2dTransposeOptions {
  PerAxis stride = 1;  ///< {down, across}
  Padding padding = Padding::same;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  PerAxis output_padding = -1;  ///< rows and columns added to the least size; -1: as Keras and PyTorch by default
  std::vector<std::int64_t> output_shape = {};  ///< rows and columns of the result: instead of numbers for the padding
  Value bias = {};                              ///< [c], if any
  DataFormat data_format = channels_last;
};

/// The transposed convolution, which enlarges images x [n, h, w, k] by weights [kh, kw, c / groups, k] to
/// [n, oh, ow, c]: the gradient of `conv2d` to its images, where x is the gradient of its result. Since a stride leaves
/// several sizes whose convolution has h rows, oh is
///   h * stride                                                with `same`, or, with output_padding p,
///   (h - 1) * stride + reach % 2 + p,                         where reach = (kh - 1) * dilation + 1;
///   (h - 1) * stride + max(reach, stride)                     with `valid`, or (h - 1) * stride + reach + p;
///   (h - 1) * stride + reach - top - bottom + max(p, 0)       with padding in numbers;
/// the rules of Keras, and of PyTorch for the last. Where an `output_shape` is given, the padding follows from it, its
/// odd row below for `same` and above for all others, as in ONNX; numbers for the padding are then not read. With
/// `channels_first` x is [n, k, h, w], the weights [k, c / groups, kh, kw] and the result [n, c, oh, ow]. Throws
/// `Error` as `conv2d` does, for an output padding that is not below the stride, and where nothing is left.
Value conv2d_transpose(Value x, Value weights, Conv2dTransposeOptions options = {}, At at = At::current());

struct Conv1dTransposeOptions {
  std::int64_t stride = 1;
  Padding padding = Padding::same;  ///< of `sides`, `left` and `right`
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  std::int64_t output_padding = -1;
  std::vector<std::int64_t> output_shape = {};  ///< one number, if any
  Value bias = {};                              ///< [c], if any
  DataFormat data_format = channels_last;
};

/// The transposed convolution of sequences x [n, w, k] by weights [kw, c / groups, k] to [n, ow, c]: that of images one
/// pixel high. With `channels_first` x is [n, k, w] and the weights [k, c / groups, kw].
Value conv1d_transpose(Value x, Value weights, Conv1dTransposeOptions options = {}, At at = At::current());

struct Conv3dTransposeOptions {
  PerAxis stride = 1;               ///< {through the depth, down, across}
  Padding padding = Padding::same;  ///< as `Conv3dOptions` has it
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  PerAxis output_padding = -1;
  std::vector<std::int64_t> output_shape = {};  ///< three numbers, if any
  Value bias = {};                              ///< [c], if any
  DataFormat data_format = channels_last;
};

/// The transposed convolution of volumes x [n, d, h, w, k] by weights [kd, kh, kw, c / groups, k] to
/// [n, od, oh, ow, c]: a `conv2d_transpose` of the slices for each tap of the depth, added up. With `channels_first` x
/// is [n, k, d, h, w] and the weights [k, c / groups, kd, kh, kw]. The sizes are as `conv2d_transpose` has them.
Value conv3d_transpose(Value x, Value weights, Conv3dTransposeOptions options = {}, At at = At::current());

struct Col2imOptions {
  PerAxis stride = 1;  ///< {down, across}
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
};

/// Columns x [n, c * kh * kw, l], of l windows row by row, added up to images [n, c, h, w], as ONNX's Col2Im and
/// PyTorch's fold: what taking such windows out of an image does, backwards. `image` and `window` are {h, w} and
/// {kh, kw}, or {d, h, w} and {kd, kh, kw} of volumes [n, c, d, h, w]. Throws `Error` unless x has as many columns as
/// the image has windows.
Value col2im(Value x, std::vector<std::int64_t> image, std::vector<std::int64_t> window, Col2imOptions options = {},
             At at = At::current());

}  // namespace oxbow
