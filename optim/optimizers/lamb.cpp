#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/optimizers/lamb.h>

namespace oxbow::optim {

void LAMB::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> LAMB::slots(const ops::Variable& parameter) const {
  return {{m, parameter.type}, {v, parameter.type}};
}

std::vector<SharedValue> LAMB::shared(Value, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  return {{correction, root / bias_correction(beta_1, count)}, {corrected_epsilon, epsilon * root}};
}

Updated LAMB::update(const Step& s) const {
  const Value w = s.parameter, g = s.gradient;
  const Value new_m = beta_1 * s[m] + (1 - beta_1) * g;
  const Value new_v = beta_2 * s[v] + (1 - beta_2) * square(g);
  Value step = s[correction] * new_m / (sqrt(new_v) + s[corrected_epsilon]);
  if (weight_decay != 0) step = step + weight_decay * w;
  return {w - s.rate * with_length(step, norm(step), norm(w)), {{m, new_m}, {v, new_v}}};
}

}  // namespace oxbow::optim
