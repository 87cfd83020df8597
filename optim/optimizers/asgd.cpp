#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/asgd.h>

namespace oxbow::optim {

void ASGD::check() const {
  check_not_negative(info.name, "lambda", lambda);
  check_not_negative(info.name, "alpha", alpha);
  check_not_negative(info.name, "t0", t0);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> ASGD::slots(const ops::Variable& parameter) const { return {{average, parameter.type}}; }

std::vector<SharedValue> ASGD::shared(Value rate, Value count) const {
  const Value before = count - 1.0;
  const Value decay = pow(1.0 + lambda * rate * before, constant(count.graph(), alpha, f64));
  const Value steps = maximum(before - t0, 1.0);
  return {{decayed_rate, rate / decay}, {averages, greater(steps, 1.0)}, {share, 1.0 / steps}};
}

Updated ASGD::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, Convention::pytorch);
  const Value rate = s[decayed_rate], before = s[average];
  const Value w = s.parameter - (rate * g + rate * lambda * s.parameter);
  return {w, {{average, where(s[averages], before + (w - before) * s[share], w)}}};
}

}  // namespace oxbow::optim
