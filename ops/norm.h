// Softmax, and the statistics of a batch; the layer `batch_norm` is in ops/layers.h.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// exp(x - max x) / sum exp(x - max x) along `axis`. A NaN or +inf makes its own row NaN, a -inf has probability 0, and
/// a row of nothing but -inf is NaN. Throws `Error` for a scalar, a missing axis, or what is not floating point.
Value softmax(Value x, std::int64_t axis = -1, At at = At::current());
/// log(softmax(x)) without its rounding to log(0).
Value log_softmax(Value x, std::int64_t axis = -1, At at = At::current());

struct Moments {
  Value mean, variance;
};

/// Mean [c] and biased variance [c] of x [..., c] over all axes but the last. Outside training the running ones take
/// their place, which are otherwise read for their shape only. Throws `Error` unless x is floating point
/// [..., c], and the running ones are of its dtype and [c].
Moments batch_moments(Value x, Value running_mean, Value running_variance, At at = At::current());

}  // namespace oxbow
