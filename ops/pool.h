// Pooling of sequences, images and volumes: the largest, the mean or a norm of each window, or of everything.
//
// x is [n, w, c], [n, h, w, c] or [n, d, h, w, c]; with `channels_first` [n, c, w] and so on. A window lies along all
// axes but the batch and the channels, where it has `size` elements, `dilation` apart; windows are `stride` apart. What
// is padded has no value: it is never the largest. There are
//   (size of x + padding - (size - 1) * dilation - 1) / stride + 1
// windows along an axis, rounded up with `ceil_mode`: the last one then may reach beyond the padding, but begins
// before the padding behind x. Each throws `Error` for another number of axes, and where no window fits.
#pragma once

#include <oxbow/ops/windows.h>

namespace oxbow {

struct MaxPoolOptions {
  PerAxis size = 2;    ///< of the window: one number, or one for each axis, {down, across}
  PerAxis stride = 0;  ///< 0: as the size, so that windows touch and do not overlap
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
  bool ceil_mode = false;
  DataFormat data_format = channels_last;
};

/// The largest of each window and channel, of any numbers; NaN if it holds one. By default an edge too narrow for one
/// more window is left out. The gradient goes to the first of the largest, row by row.
Value max_pool(Value x, MaxPoolOptions options = {}, At at = At::current());

struct MaxPoolResult {
  Value values, indices;
};
/// The same, and for each result the number i64 of the element that it is, when all elements of x, in the data format
/// that it has, are counted one after another; of equal ones the first. With `column_major` elements of an image are
/// counted with its first axis running fastest (ONNX's storage_order). An index of a window that holds no element of x
/// is -1.
MaxPoolResult max_pool_with_indices(Value x, MaxPoolOptions options = {}, bool column_major = false,
                                    At at = At::current());

/// Puts each of x's elements where its index says, into zeros of `shape`, which is all axes of the result: `max_pool`
/// backwards, as ONNX's MaxUnpool and PyTorch's. Several at one place add up. An index out of range fails the run.
Value max_unpool(Value x, Value indices, std::vector<std::int64_t> shape, At at = At::current());

struct AveragePoolOptions {
  PerAxis size = 2;
  PerAxis stride = 0;  ///< 0: as the size
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
  bool ceil_mode = false;
  bool count_include_pad = false;  ///< padding counts as zeros; otherwise the mean is over x's elements alone
  DataFormat data_format = channels_last;
};

/// The mean of each window and channel, of floating point. A window without elements gives NaN.
Value average_pool(Value x, AveragePoolOptions options = {}, At at = At::current());

struct LpPoolOptions {
  double p = 2;  ///< at least 1
  PerAxis size = 2;
  PerAxis stride = 0;  ///< 0: as the size
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
  bool ceil_mode = false;
  DataFormat data_format = channels_last;
};

/// (sum of |x|^p)^(1/p) of each window and channel, of floating point. The slope where all are 0 is 0.
Value lp_pool(Value x, LpPoolOptions options = {}, At at = At::current());

/// The mean, the largest, or the norm, over all axes but the batch and the channels, which stay with size 1. Throws
/// `Error` for fewer than three axes.
Value global_average_pool(Value x, DataFormat format = channels_last, At at = At::current());
Value global_max_pool(Value x, DataFormat format = channels_last, At at = At::current());
Value global_lp_pool(Value x, double p = 2, DataFormat format = channels_last, At at = At::current());

}  // namespace oxbow
