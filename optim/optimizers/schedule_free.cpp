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
  return {{v, parameter.type},
          {z, parameter.type},
          {x, parameter.type},
          {largest_rate, {f64, {}}},
          {weight_sum, {f64, {}}}};
}

std::vector<SharedValue> ScheduleFreeAdamW::shared(Value rate, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  return {{is_first, equal(count, 1.0)}, {corrected_rate, rate * root}, {corrected_epsilon, epsilon * root}};
}

Updated ScheduleFreeAdamW::update(const Step& s) const {
  const Value y = s.parameter, g = s.gradient, first = s[is_first];
  const Value largest = maximum(s[largest_rate], cast(s.rate, f64));
  const Value weight = square(largest);
  const Value sum = s[weight_sum] + weight;
  const Value c = s.scalar(where(greater(sum, 0.0), weight / sum, 0.0));

  const Value new_v = beta_2 * s[v] + (1 - beta_2) * square(g);
  Value step = s[corrected_rate] * g / (sqrt(new_v) + s[corrected_epsilon]);
  if (weight_decay != 0) step = step + s.rate * weight_decay * y;
  const Value new_z = where(first, y - step, s[z] - step);
  const Value new_x = where(first, new_z, (1.0 - c) * s[x] + c * new_z);
  return {(1 - beta_1) * new_z + beta_1 * new_x,
          {{v, new_v}, {z, new_z}, {x, new_x}, {largest_rate, largest}, {weight_sum, sum}}};
}

}  // namespace oxbow::optim
