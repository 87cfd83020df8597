// Images, sequences and volumes of other sizes, and values of them between their pixels.
#pragma once

#include <oxbow/ops/windows.h>

namespace oxbow {

/// How values between elements come about.
enum class Interpolation : std::uint8_t { nearest, linear, cubic };

/// Where element o of a resized axis lies on the one that it came from. By names of ONNX's Resize, whose rules they
/// are; `scale` is the ratio of sizes that was asked for.
enum class Coordinates : std::uint8_t {
  half_pixel,            ///< (o + 0.5) / scale - 0.5
  half_pixel_symmetric,  ///< the same, centred where the scale times the size is no whole number
  pytorch_half_pixel,    ///< as half_pixel, but -0.5 where the result has one element
  align_corners,         ///< o (size - 1) / (size * scale - 1): first and last ones lie on one another
  asymmetric,            ///< o / scale
  tf_half_pixel_for_nn,  ///< (o + 0.5) / scale
  tf_crop_and_resize     ///< over the region of interest alone
};

/// Which of two neighbours is nearest.
enum class NearestMode : std::uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil };

/// What `sizes` mean.
enum class AspectPolicy : std::uint8_t {
  stretch,     ///< each axis has its size
  not_larger,  ///< one scale for all axes: the largest with which none is beyond its size
  not_smaller  ///< the smallest with which all have at least their size
};

struct ResizeOptions {
  std::vector<double> scales = {};       ///< one for each axis; the result has floor(size * scale) elements
  std::vector<std::int64_t> sizes = {};  ///< or its sizes
  std::vector<std::int64_t> axes = {};   ///< those that are resized; by default all
  Interpolation mode = Interpolation::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  NearestMode nearest_mode = NearestMode::round_prefer_floor;
  double cubic_coefficient = -0.75;  ///< Keys 1981 has -0.5
  bool exclude_outside = false;      ///< elements beyond an edge count nothing; otherwise they are as the last one
  bool antialias = false;            ///< where it gets smaller, the filter gets wider
  AspectPolicy keep_aspect = AspectPolicy::stretch;  ///< by example sizes where axes are free
  std::vector<std::pair<double, double>> roi = {};   ///< of tf_crop_and_resize, from 0 to 1: one for each axis
  double extrapolation_value = 0;                    ///< of tf_crop_and_resize, beyond x
};

/// x resized along axes, one after the other: ONNX's Resize. `nearest` of any dtype, all else of floating point. Throws
/// `Error` unless there is a scale or a size for each axis.
Value resize(Value x, ResizeOptions options, At at = At::current());

enum class GridPadding : std::uint8_t {
  zeros,      ///< pixels beyond the image are 0
  border,     ///< they are as the nearest one within
  reflection  ///< they are mirrored at the edge
};

struct GridSampleOptions {
  Interpolation mode = Interpolation::linear;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;  ///< -1 and 1 are the middles of the outermost pixels, not their edges
  DataFormat data_format = channels_last;
};

/// x [n, h, w, c] at places of grid [n, oh, ow, 2], pairs of (across, down) from -1 to 1: [n, oh, ow, c]. Or volumes
/// [n, d, h, w, c] at places [n, od, oh, ow, 3], which are not cubic. The grid is the same in both data formats. Has a
/// gradient to both, if not to the grid with `nearest`. Of floating point. ONNX's GridSample, PyTorch's grid_sample.
Value grid_sample(Value x, Value grid, GridSampleOptions options = {}, At at = At::current());

/// The places [n, h, w, 2] that images of `size` {h, w} have after theta [n, 2, 3]: theta times (across, down, 1). Of
/// volumes {d, h, w} with theta [n, 3, 4]: [n, d, h, w, 3]. ONNX's AffineGrid without the batch and the channels of its
/// size, PyTorch's affine_grid.
Value affine_grid(Value theta, std::vector<std::int64_t> size, bool align_corners = false, At at = At::current());

struct RoiAlignOptions {
  std::int64_t height = 1, width = 1;  ///< bins of each region
  std::int64_t sampling_ratio = 2;     ///< so many places along each axis of a bin
  double spatial_scale = 1;            ///< pixels of x for one of those that regions are given in
  bool half_pixel = true;  ///< regions are half a pixel before; otherwise they have at least the size of a pixel
  bool largest = false;    ///< the largest of what its places are made of, as ONNX has it, instead of their mean
  DataFormat data_format = channels_last;
};

/// The mean of each bin of regions [r, 4], each (left, top, right, bottom), of images x [n, h, w, c]: [r, height,
/// width, c]; `images`, integers [r], says of which image each one is: He et al. 2017,
/// https://arxiv.org/abs/1703.06870. A place more than a pixel beyond an image is 0. Has gradients to both x and the
/// regions. A number of places that follows from a region's size (ONNX's sampling_ratio of 0) is not known while a
/// graph is built: it is an `Error`.
Value roi_align(Value x, Value regions, Value images, RoiAlignOptions options = {}, At at = At::current());

struct DeformConvOptions {
  PerAxis stride = 1;  ///< {down, across}
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  std::int64_t offset_groups = 1;  ///< of channels that are moved alike
  Value mask = {};                 ///< what each tap is multiplied by: [n, offset_groups * kh * kw, oh, ow], if any
  Value bias = {};                 ///< [k], if any
};

/// The convolution of images x [n, c, h, w] by weights [k, c / groups, kh, kw] whose taps are moved, each in each
/// place, by `offsets` [n, offset_groups * kh * kw * 2, oh, ow], pairs of (down, across) in pixels: Dai et al. 2017,
/// https://arxiv.org/abs/1703.06211, Zhu et al. 2018. Beyond an image are zeros. ONNX's DeformConv.
Value deform_conv(Value x, Value weights, Value offsets, DeformConvOptions options = {}, At at = At::current());

/// x with its axes cut or padded by zeros, as much before as behind, the odd element behind, to `shape`, one size for
/// each of `axes`, or of all. ONNX's CenterCropPad.
Value center_crop_pad(Value x, std::vector<std::int64_t> shape, std::vector<std::int64_t> axes = {},
                      At at = At::current());

}  // namespace oxbow
