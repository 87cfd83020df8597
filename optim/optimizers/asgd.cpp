#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/asgd.h>

namespace oxbow::optim {

void ASGD::check() const {
  check_not_negative(info.name, "lambda", lambda);
  check_not_negative(info.name, "alpha", alpha);
  check_not_negative(info.name, "t0", t0);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> ASGD::slots(const ops::Variable& parameter) const { return {{"average", parameter.type}}; }

std::vector<Value> ASGD::shared(Value rate, Value count) const {
  const Value before = count - 1.0;
  const Value decay = pow(1.0 + lambda * rate * before, constant(count.graph(), alpha, f64));
  const Value steps = maximum(before - t0, 1.0);
  return {rate / decay, greater(steps, 1.0), 1.0 / steps};
}

Updated ASGD::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, Convention::pytorch);
  const Value rate = s.shared[0], average = s.slots[0];
  const Value w = s.parameter - (rate * g + rate * lambda * s.parameter);
  return {w, {where(s.shared[1], average + (w - average) * s.shared[2], w)}};
}

}  // namespace oxbow::optim
