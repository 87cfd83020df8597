#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/loss_scale.h>
#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

void LossScale::check() const {
  check_positive("loss_scale", "initial", initial);
  if (!(growth > 1 && shrink > 0 && shrink < 1))
    throw Error("loss_scale: growth must be above 1, and shrink lie between 0 and 1");
  if (interval < 1) throw Error("loss_scale: interval is " + std::to_string(interval) + ", but must be at least 1");
}

LossScale::Next LossScale::next(Value scale, Value good, Value finite) const {
  const Value counted = good + 1.0;
  const Value grows = greater_equal(counted, static_cast<double>(interval));
  constexpr double largest = 0x1p126, least = 0x1p-126;  // both they and their inverses are normal in f32
  const Value grown = where(grows, minimum(scale * growth, largest), scale);
  const Value begins_anew = logical_or(grows, logical_not(finite));
  return {where(finite, grown, maximum(scale * shrink, least)), where(begins_anew, 0.0, counted)};
}

}  // namespace oxbow::optim
