#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/schedule_free.h>

namespace oxbow::optim {

void ScheduleFreeAdamW::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> ScheduleFreeAdamW::slots(const ops::Variable& parameter) const {
  return {{"v", parameter.type},
          {"z", parameter.type},
          {"x", parameter.type},
          {"largest_rate", {f64, {}}},
          {"weight_sum", {f64, {}}}};
}

std::vector<Value> ScheduleFreeAdamW::shared(Value rate, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  return {equal(count, 1.0), rate * root, epsilon * root};
}

Updated ScheduleFreeAdamW::update(const Step& s) const {
  const Value y = s.parameter, g = s.gradient, first = s.shared[0];
  const Value largest = maximum(s.slots[3], cast(s.rate, f64));
  const Value weight = square(largest);
  const Value sum = s.slots[4] + weight;
  const Value c = s.scalar(where(greater(sum, 0.0), weight / sum, 0.0));

  const Value v = beta_2 * s.slots[0] + (1 - beta_2) * square(g);
  Value step = s.shared[1] * g / (sqrt(v) + s.shared[2]);
  if (weight_decay != 0) step = step + s.rate * weight_decay * y;
  const Value z = where(first, y - step, s.slots[1] - step);
  const Value x = where(first, z, (1.0 - c) * s.slots[2] + c * z);
  return {(1 - beta_1) * z + beta_1 * x, {v, z, x, largest, sum}};
}

}  // namespace oxbow::optim
