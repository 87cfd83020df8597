#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/flow.h>

namespace oxbow::ops {

Value or_zero(const Flow& f) { return f.always() || f.zero_if_none ? f.sum : where(f.flows, f.sum, 0.0); }

Value or_nothing(const Flow& f) { return f.always() ? f.sum : where(f.flows, f.sum, -0.0); }

Value filled(double scalar, Value like, At at) {
  const Value c = constant(like.graph(), scalar, like.dtype(), at);
  return like.rank() == 0 ? c : broadcast_like(c, like, {}, at);
}

Flow add_flows(const Flow& before, const Flow& more) {
  if (!before) return more;
  if (!more) return before;
  Value total = add(before.sum, more.sum);
  if (!more.always()) total = where(more.flows, total, before.sum);
  if (!before.always()) total = where(before.flows, total, more.sum);
  const bool always = before.always() || more.always();
  return {total, always ? Value() : logical_or(before.flows, more.flows), more.zero_if_none};
}

}  // namespace oxbow::ops
