#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/norm.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>

#include <cmath>
#include <limits>

namespace oxbow::ops {
namespace {

// By what f64 is multiplied so that the squares of its largest elements are ordinary numbers. Smaller ones, whose
// squares vanish then, would not change the sum.
Value scale_for(Value largest) {
  const Value one = constant(largest.graph(), 1, f64);
  const Value up = where(less(largest, 1e-140), 0x1p600, one);
  return where(greater(largest, 1e140), 0x1p-600, up);
}

}  // namespace

Type Norm::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  return Sum{.axes = axes, .keep = keep}.infer(in);
}

std::vector<Value> Norm::lower(Values in) const {
  const Value x = in[0];
  if (x.dtype() == f32) return {cast(sqrt(sum(square(cast(x, f64)), axes, keep)), f32)};
  if (x.type().count() == 0) return {sum(x, axes, keep)};
  const Value scale = scale_for(max(abs(x), axes, true));
  const Value length = sqrt(sum(square(x * scale), axes, true)) / scale;
  const std::vector<Type> types{x.type()};
  return {reshape(length, infer(types).shape.vector())};
}

Grads Norm::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), y = n.output();
  const auto missing = keep ? std::vector<std::int64_t>() : axes;
  const Value length = where(equal(y, 0), std::numeric_limits<double>::infinity(), y);  // x / length is 0 there
  const Value unit = x / broadcast_like(length, x, missing);
  return {broadcast_like(dy[0], x, missing) * unit};
}

}  // namespace oxbow::ops

namespace oxbow {

Value norm(Value x, Axes axes, bool keepdims, At at) {
  return apply(ops::Norm{.axes = axes.list(), .keep = keepdims}, {x}, at);
}

}  // namespace oxbow
