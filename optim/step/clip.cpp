#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/clip.h>
#include <oxbow/optim/optimizer.h>

#include <limits>

namespace oxbow::optim {
namespace {

// g limit / max(length, limit): g unless that is longer. A factor that its type does not hold, below 1.2e-38 in f32,
// would make all of g 0: the smallest are two, of which the second is 1 as a rule.
Value shrunk(Value g, Value length, Value limit) {
  const Value far = greater(length, limit * 0x1p100);
  const Value factor = where(far, limit * 0x1p100, limit) / maximum(length, limit);
  const Value rest = where(far, 0x1p-100, constant(g.graph(), 1, length.dtype()));
  return g * cast(factor, g.dtype()) * cast(rest, g.dtype());
}

// The length of a vector of f64 scalars, divided by the largest first.
Value length_of(const std::vector<Value>& parts) {
  Value largest = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) largest = maximum(largest, parts[i]);
  const Value one = constant(largest.graph(), 1, f64);
  const Value some = greater(largest, 0.0), finite = less(largest, std::numeric_limits<double>::infinity());
  const Value unit = where(logical_and(some, finite), largest, one);
  Value squares;
  for (const Value& p : parts) {
    const Value own = square(p / unit);
    squares = squares ? squares + own : own;
  }
  return unit * sqrt(squares);
}

// The length of each unit: see Clip::adaptive.
Value unit_norms(Value x) {
  if (x.rank() < 2) return norm(x);
  std::vector<std::int64_t> axes;
  for (int axis = 0; axis + 1 < x.rank(); ++axis) axes.push_back(axis);
  return norm(x, axes, true);
}

}  // namespace

void Clip::check() const {
  check_not_negative("clip", "value", value);
  check_not_negative("clip", "norm", norm);
  check_not_negative("clip", "global_norm", global_norm);
  check_not_negative("clip", "adaptive", adaptive);
}

Value global_norm(const std::vector<Value>& tensors) {
  Value squares;  // of the f32 ones, which f64 holds
  std::vector<Value> lengths;
  for (const Value& t : tensors) {
    if (t.dtype() == f64) {
      lengths.push_back(norm(t));
      continue;
    }
    const Value own = sum(square(cast(t, f64)));
    squares = squares ? squares + own : own;
  }
  if (squares) lengths.push_back(sqrt(squares));
  return lengths.size() == 1 ? lengths[0] : length_of(lengths);
}

Clipped clipped(const Clip& clip, const std::vector<Value>& parameters, const std::vector<Value>& gradients) {
  Clipped c{gradients, {}};
  for (Value& g : c.gradients) {
    if (clip.value > 0) g = maximum(minimum(g, clip.value), -clip.value);
    if (clip.norm > 0) {
      g = shrunk(g, global_norm({g}), constant(g.graph(), clip.norm, f64));
    }
  }
  if (clip.global_norm > 0) {
    c.global_norm = global_norm(c.gradients);
    const Value limit = constant(c.global_norm.graph(), clip.global_norm, f64);
    for (Value& g : c.gradients) g = shrunk(g, c.global_norm, limit);
  }
  if (clip.adaptive > 0)
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Value& g = c.gradients[i];
      g = shrunk(g, unit_norms(g), clip.adaptive * maximum(unit_norms(parameters[i]), 1e-3));
    }
  return c;
}

}  // namespace oxbow::optim
