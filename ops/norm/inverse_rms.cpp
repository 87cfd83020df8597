#include <oxbow/ops/norm/inverse_rms.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

Type InverseRms::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  if (!(epsilon >= 0)) throw OpError("epsilon is negative", "Give a small number, such as 1e-5");
  return Sum{.axes = axes, .keep = true}.infer(in);
}

std::vector<Value> InverseRms::lower(Values in) const {
  const Value x = in[0];
  if (x.dtype() == f32) return {cast(rsqrt(mean(square(cast(x, f64)), axes, true) + epsilon), f32)};
  const Value rms = norm(x, axes, true) / sqrt(count_like(x, axes));
  const Value ordinary = rsqrt(square(rms) + epsilon), alone = reciprocal(rms);  // beside it epsilon is nothing
  const Value y = where(greater(rms, 1e150), alone, ordinary);
  return {epsilon > 1e-290 ? y : where(less(rms, 1e-150), alone, y)};
}

Grads InverseRms::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), y = n.output();
  return {x * y * (-(dy[0] * y) * y / count_like(x, axes))};
}

}  // namespace oxbow::ops
