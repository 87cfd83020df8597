#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/optim/clip.h>
#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {
namespace {

// limit / max(length, limit): 1 unless it is longer.
Value shrink(Value length, Operand limit) { return limit.value() / maximum(length, limit.value()); }

// The length of each unit: see Clip::adaptive.
Value unit_norms(Value x) {
  if (x.rank() < 2) return norm(x);
  std::vector<std::int64_t> axes;
  for (int axis = 0; axis + 1 < x.rank(); ++axis) axes.push_back(axis);
  return sqrt(sum(square(x), axes, true));
}

}  // namespace

void Clip::check() const {
  check_not_negative("clip", "value", value);
  check_not_negative("clip", "norm", norm);
  check_not_negative("clip", "global_norm", global_norm);
  check_not_negative("clip", "adaptive", adaptive);
}

Value global_norm(const std::vector<Value>& tensors) {
  Value squares;
  for (const Value& t : tensors) {
    const Value own = cast(sum(square(t)), f64);
    squares = squares ? squares + own : own;
  }
  return sqrt(squares);
}

Clipped clipped(const Clip& clip, const std::vector<Value>& parameters, const std::vector<Value>& gradients) {
  Clipped c{gradients, {}};
  for (Value& g : c.gradients) {
    if (clip.value > 0) g = maximum(minimum(g, clip.value), -clip.value);
    if (clip.norm > 0) {
      const Value length = norm(g);
      g = g * shrink(length, constant(g.graph(), clip.norm, g.dtype()));
    }
  }
  if (clip.global_norm > 0) {
    c.global_norm = global_norm(c.gradients);
    const Value factor = shrink(c.global_norm, constant(c.global_norm.graph(), clip.global_norm, f64));
    for (Value& g : c.gradients) g = g * cast(factor, g.dtype());
  }
  if (clip.adaptive > 0)
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Value& g = c.gradients[i];
      const Value length = unit_norms(g);
      g = g * shrink(length, clip.adaptive * maximum(unit_norms(parameters[i]), 1e-3));
    }
  return c;
}

}  // namespace oxbow::optim
