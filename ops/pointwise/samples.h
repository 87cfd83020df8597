// Samples of elementwise ops: the same shapes for all of them, from a formula in double. Pure functions.
#pragma once

#include <oxbow/graph/sample.h>

#include <functional>

namespace oxbow::ops {

/// Where a sample's operand is drawn from.
struct Interval {
  double low = -2, high = 2;
};

/// Scalars, empty, odd and longer shapes. `smooth` as in `Sample`.
std::vector<Sample> unary_samples(const Op& op, std::function<double(double)> f, Interval x = {}, bool smooth = true);

/// Equal shapes, rows, columns, scalars, both stretched, and empty ones.
std::vector<Sample> binary_samples(const Op& op, std::function<double(double, double)> f, Interval a = {},
                                   Interval b = {}, bool smooth = true);

/// One more sample, on integers or truth values.
Sample typed_sample(const Op& op, DType dtype, std::function<double(double, double)> f);

/// y[i] = f(inputs at i), broadcast to `shape`, by plain index arithmetic, rounded to `dtype`.
Tensor map_elements(const std::vector<Tensor>& inputs, DType dtype,
                    const std::function<double(const std::vector<double>&)>& f);

}  // namespace oxbow::ops
