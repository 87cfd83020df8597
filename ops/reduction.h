// Sums, products, means and extremes over axes, sums and products of all so far, order, and the sums that undo
// broadcasting.
//
//   sum(x)            all elements: a scalar
//   mean(x, -1)       over the last axis
//   max(x, {0, 2})    over two axes; with `keepdims` these stay, with size 1
//
// Each throws `Error` for an axis that x does not have or that is named twice.
// Thread safety: they append to x's graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// The axes of a reduction: one, several, or all, which is the default. A negative one counts from the end.
class Axes {
 public:
  Axes() = default;
  Axes(std::int64_t axis) : axes_{axis} {}  // implicit: sum(x, -1)
  Axes(int axis) : axes_{axis} {}
  Axes(std::initializer_list<std::int64_t> axes) : axes_(axes) {}
  Axes(std::vector<std::int64_t> axes) : axes_(std::move(axes)) {}
  /// As they were given; empty for all.
  const std::vector<std::int64_t>& list() const { return axes_; }

 private:
  std::vector<std::int64_t> axes_;
};

/// Of any dtype but bool, which it keeps: integers wrap around. The sum of nothing is 0.
Value sum(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

/// The product, of any dtype but bool, which it keeps: integers wrap around. The product of nothing is 1. The gradient
/// counts zeros: it is the product of all others.
Value prod(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

/// log(sum(e^x)) of floating point, which overflows nowhere; an infinity of x gives what its exponential does, and
/// nothing -inf. Its gradient is the softmax, all of it the largest element's where that is infinite.
Value logsumexp(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

/// sum(x) / count, of floating point; NaN where nothing is averaged.
Value mean(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

/// The largest or the smallest element, of any dtype; a NaN makes the result NaN. Of equal zeros with unlike signs
/// either one, always the same for a shape. The gradient is shared equally by the elements that are largest, as JAX
/// does. The max of nothing is what is below all numbers of the dtype, -inf or the least integer, and the min what is
/// above. `maximum` and `minimum` compare two values.
Value max(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());
Value min(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

struct VarianceOptions {
  bool keepdims = false;
  double correction = 0;  ///< taken from the count: 1 for what a sample says of the whole
};
/// The mean of the squares of x - mean(x), of floating point.
Value variance(Value x, Axes axes = {}, VarianceOptions options = {}, At at = At::current());

/// Whether one of x's elements is true, or all are; of bool. Of nothing: false, and true.
Value any(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());
Value all(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

struct ArgOptions {
  bool keepdims = false;           ///< the axis stays, with size 1
  bool select_last_index = false;  ///< of equal ones the last, else the first
};
/// The place of the largest or the smallest element along an axis, i64, without the axis; NaN wins over any number.
/// Throws `Error` for an axis that is empty.
Value argmax(Value x, std::int64_t axis = -1, ArgOptions options = {}, At at = At::current());
Value argmin(Value x, std::int64_t axis = -1, ArgOptions options = {}, At at = At::current());

struct CumulativeOptions {
  bool exclusive = false;  ///< each place has what is before it, and not its own: from 0, or from 1
  bool reverse = false;    ///< from the last element to the first
};
/// The sum or the product of all elements along an axis up to each, of any dtype but bool; integers wrap around. The
/// gradient of `cumprod` is right where x is 0.
Value cumsum(Value x, std::int64_t axis, CumulativeOptions options = {}, At at = At::current());
Value cumprod(Value x, std::int64_t axis, CumulativeOptions options = {}, At at = At::current());
/// y[i] = a[i] y[i - 1] + b[i] along an axis, where y[-1] = 0. Throws `Error` unless a and b have one type.
Value linear_scan(Value a, Value b, std::int64_t axis, CumulativeOptions options = {}, At at = At::current());

/// x summed over the axes that broadcasting `like`'s shape to x's added or stretched: the gradient of broadcasting.
/// Throws `Error` unless `like`'s shape broadcasts to x's.
Value sum_to(Value x, Value like, At at = At::current());

/// How many elements a reduction of x over `axes` makes one of: a scalar of x's dtype.
Value count_like(Value x, Axes axes = {}, At at = At::current());

/// The Euclidean (L2) norm over `axes`: the root of the sum of squares, without their overflow and underflow. Its slope
/// at 0 is 0. Throws `Error` unless x is floating point.
Value norm(Value x, Axes axes = {}, bool keepdims = false, At at = At::current());

struct TopKResult {
  Value values, indices;
};
/// The `k` largest elements along an axis, the largest first, or the smallest, the smallest first, and their places
/// there. Of equal ones the first comes first; NaN counts as larger than any number. Throws `Error` unless the axis has
/// as many.
TopKResult top_k(Value x, std::int64_t k, std::int64_t axis = -1, bool largest = true, At at = At::current());
/// `k` is a known whole number, i32 or i64: computed from `shape_of`, say.
TopKResult top_k(Value x, Value k, std::int64_t axis = -1, bool largest = true, At at = At::current());

/// All elements along an axis, the smallest first or, descending, the largest, with the places that they had: in the
/// order of `top_k`, so that equal ones stay in theirs. Gradients go back to where the elements were.
TopKResult sort(Value x, std::int64_t axis = -1, bool descending = false, At at = At::current());
Value argsort(Value x, std::int64_t axis = -1, bool descending = false, At at = At::current());

}  // namespace oxbow
