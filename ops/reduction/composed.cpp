// Reductions that are made of others.
#include <oxbow/graph/graph.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <cmath>
#include <limits>

namespace oxbow {
namespace {

void check_truth(std::string_view op, const Value& x, At at) {
  if (x && x.dtype() != boolean)
    throw BuildError(op,
                     "x is " + to_string(x.type()) + ", not bool" + at_line(at) + "\n  Compare it: not_equal(x, 0)");
}

}  // namespace

Value any(Value x, Axes axes, bool keepdims, At at) {
  check_truth("any", x, at);
  return as_called("any", [&] { return max(x, axes, keepdims, at); });
}

Value all(Value x, Axes axes, bool keepdims, At at) {
  check_truth("all", x, at);
  return as_called("all", [&] { return min(x, axes, keepdims, at); });
}

// Of infinities nothing is subtracted: those of the largest element are left to the exponentials. What is subtracted
// has no slope, since it cancels. The sum may count more than a narrow dtype holds.
Value logsumexp(Value x, Axes axes, bool keepdims, At at) {
  if (x && !is_float(x.dtype()))
    throw BuildError("logsumexp", "x is " + to_string(x.type()) + at_line(at) + "\n  Cast it to f32 or f64 first");
  return as_called("logsumexp", [&] {
    if (x && size_of(x.dtype()) < size_of(f32))
      return cast(logsumexp(cast(x, f32, at), axes, keepdims, at), x.dtype(), at);
    const Value largest = max(x, axes, true, at), most = stop_gradient(largest, at);
    const Value shift = where(isfinite(most, at), most, 0, at);
    const Value sums = log(sum(exp(subtract(x, shift, at), at), axes, true, at), at);
    // An infinite one is all that counts, and has the whole slope.
    const Value y = where(equal(most, std::numeric_limits<double>::infinity(), at), largest, add(sums, shift, at), at);
    return keepdims ? y : sum(y, axes, false, at);
  });
}

Value variance(Value x, Axes axes, VarianceOptions options, At at) {
  if (x && !is_float(x.dtype()))
    throw BuildError("variance", "x is " + to_string(x.type()) + at_line(at) + "\n  Cast it to f32 or f64 first");
  if (x && is_narrow(x.dtype()))  // rounded once, as the mean
    return cast(variance(cast(x, compute_type(x.dtype()), at), axes, options, at), x.dtype(), at);
  return as_called("variance", [&] {
    const Value rest = subtract(x, mean(x, axes, true, at), at);
    const Value count = subtract(count_like(x, axes, at), options.correction, at);
    return divide(sum(square(rest, at), axes, options.keepdims, at), count, at);
  });
}

}  // namespace oxbow
