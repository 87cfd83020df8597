// Softmax, and functions that normalise: over the batch, over the features of a sample, over groups of them. The layers
// that have their own variables are in ops/layers.h. Halves are normalised in f32 and rounded once.
#pragma once

#include <oxbow/ops/windows.h>

namespace oxbow {

/// exp(x - max x) / sum exp(x - max x) along `axis`. A NaN or +inf makes its own row NaN, a -inf has probability 0, and
/// a row of nothing but -inf is NaN. Throws `Error` for a scalar, a missing axis, or what is not floating point.
Value softmax(Value x, std::int64_t axis = -1, At at = At::current());
/// log(softmax(x)) without its rounding to log(0).
Value log_softmax(Value x, std::int64_t axis = -1, At at = At::current());

/// 1 at the largest element along `axis`, of equal ones the first, else 0, in x's dtype. It has no gradient.
Value hardmax(Value x, std::int64_t axis = -1, At at = At::current());

struct Moments {
  Value mean, variance;
};

/// Mean [c] and biased variance [c] of x [..., c] over all axes but the last. Outside training the running ones take
/// their place, which are otherwise read for their shape only. Throws `Error` unless x is floating point
/// [..., c], and the running ones are of its dtype and [c].
Moments batch_moments(Value x, Value running_mean, Value running_variance, At at = At::current());

struct BatchNormalization {
  double epsilon = 1e-5;
  double momentum = 0.9;  ///< what the running statistics keep of their value each step
  DataFormat data_format = channels_last;
};

/// scale (x - mean) / sqrt(variance + epsilon) + offset, all [c], over x [n, ..., c], or [n, c, ...] with
/// `channels_first`: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167. A scale or an offset that is an empty
/// Value is left out. Throws `Error` unless x is floating point and all others are [c].
Value batch_norm(Value x, Value scale, Value offset, Value mean, Value variance, BatchNormalization options = {},
                 At at = At::current());

struct BatchNormResult {
  Value y, running_mean, running_variance;
};
/// The same by the mean and the biased variance of the batch itself, which also move the running ones:
/// running * momentum + batch * (1 - momentum). Outside training it takes the running ones, which stay as they are.
BatchNormResult batch_norm_training(Value x, Value scale, Value offset, Value running_mean, Value running_variance,
                                    BatchNormalization options = {}, At at = At::current());

struct LayerNormalization {
  std::int64_t axis = -1;  ///< the first of those that are normalised over; the others follow it
  double epsilon = 1e-5;
};
struct LayerNormResult {
  Value y, mean, inverse_deviation;  ///< the latter two with axes of size 1, f32 also of halves
};
/// scale (x - mean) / sqrt(variance + epsilon) + offset over the last axes of x, from `axis` on: Ba, Kiros and Hinton
/// 2016, https://arxiv.org/abs/1607.06450. Scale and offset broadcast to x; either may be an empty Value. Throws
/// `Error` for what is not floating point, or an axis that x does not have.
Value layer_norm(Value x, Value scale = {}, Value offset = {}, LayerNormalization options = {}, At at = At::current());
/// The same, with the statistics.
LayerNormResult layer_norm_with_statistics(Value x, Value scale = {}, Value offset = {},
                                           LayerNormalization options = {}, At at = At::current());

/// scale x / sqrt(mean(x^2) + epsilon) over the last axes of x, from `axis` on: Zhang and Sennrich 2019,
/// https://arxiv.org/abs/1910.07467. The scale broadcasts to x, or is an empty Value. Throws `Error` as `layer_norm`.
Value rms_norm(Value x, Value scale = {}, LayerNormalization options = {}, At at = At::current());

struct GroupNormalization {
  double epsilon = 1e-5;
  DataFormat data_format = channels_last;
};
/// As `layer_norm`, over all axes but the first, in `groups` groups of neighbouring channels of x [n, ..., c]: Wu and
/// He 2018, https://arxiv.org/abs/1803.08494. Scale and offset are [c]; either may be an empty Value. Throws `Error`
/// for fewer than two axes, and groups that do not divide c.
Value group_norm(Value x, std::int64_t groups, Value scale = {}, Value offset = {}, GroupNormalization options = {},
                 At at = At::current());
/// The same with a group for each channel: Ulyanov, Vedaldi and Lempitsky 2016, https://arxiv.org/abs/1607.08022.
Value instance_norm(Value x, Value scale = {}, Value offset = {}, GroupNormalization options = {},
                    At at = At::current());

struct LocalResponseOptions {
  double alpha = 1e-4, beta = 0.75, bias = 1;
  DataFormat data_format = channels_last;
};
/// x / (bias + alpha / size * sum of x^2)^beta, summed over the `size` channels around each, (size - 1) / 2 of them
/// before it: Krizhevsky, Sutskever and Hinton 2012. Throws `Error` for what is not floating point, and a size below 1.
Value local_response_norm(Value x, std::int64_t size, LocalResponseOptions options = {}, At at = At::current());

/// (x - mean) / (deviation + 1e-9) over `axes`: ONNX's MeanVarianceNormalization.
Value mean_variance_norm(Value x, std::vector<std::int64_t> axes = {0, 2, 3}, At at = At::current());

/// x / (sum of |x|^p)^(1/p) along an axis, for a p of 1 or 2; 0 where all are 0. Throws `Error` for another p.
Value lp_normalize(Value x, std::int64_t p = 2, std::int64_t axis = -1, At at = At::current());

}  // namespace oxbow
