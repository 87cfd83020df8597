#include <oxbow/graph/leaves.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops::recurrent {

Value as_lengths(Value lengths, At at) {
  return lengths && is_integer(lengths.dtype()) ? cast(lengths, i64, at) : lengths;
}

// Both terms read whole slices along the axis of time, which are bytes of their values.
Value to_recurrent(Value states, Value before, Value dz, bool reverse) {
  const Value inner =
      reverse ? contract(slice(states, 0, 1), slice(dz, 0, 0, -1)) : contract(slice(states, 0, 0, -1), slice(dz, 0, 1));
  return inner + contract(before, dz[reverse ? -1 : 0]);
}

Value before_each(Value x, Value first, bool reverse) {
  const Value own = stack({first});
  return reverse ? concat({slice(x, 0, 1), own}) : concat({own, slice(x, 0, 0, -1)});
}

Value within(Value like, Value lengths) {
  if (!lengths) return {};
  const Value zero = constant(like.graph(), 0, i64), one = constant(like.graph(), 1, i64);
  const Value places = arange(zero, reshape(shape_of(like)[range(0, 1)], {}), one);
  return less(reshape(places, {-1, 1, 1}), reshape(lengths, {1, -1, 1}));
}

}  // namespace oxbow::ops::recurrent
