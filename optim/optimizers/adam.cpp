#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adam.h>

namespace oxbow::optim {

void Adam::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adam::slots(const ops::Variable& parameter) const {
  std::vector<Slot> slots{{m, parameter.type}, {v, parameter.type}};
  if (amsgrad) slots.push_back({v_max, parameter.type});
  return slots;
}

std::vector<SharedValue> Adam::shared(Value rate, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  const Value corrected = rate * root / bias_correction(beta_1, count);
  if (convention == Convention::keras) return {{corrected_rate, corrected}};
  return {{corrected_rate, corrected}, {corrected_epsilon, epsilon(convention) * root}};
}

Updated Adam::update(const Step& s, Convention decay) const {
  const Value g = decayed_gradient(s, weight_decay, decay);
  const Value new_m = beta_1 * s[m] + (1 - beta_1) * g;
  const Value new_v = beta_2 * s[v] + (1 - beta_2) * square(g);
  std::vector<SlotValue> kept{{m, new_m}, {v, new_v}};
  if (amsgrad) kept.push_back({v_max, maximum(s[v_max], new_v)});
  const Value root = sqrt(kept.back().value);
  const Value step = s[corrected_rate] * new_m /
                     (convention == Convention::keras ? root + epsilon(convention) : root + s[corrected_epsilon]);
  return {moved(s, step, weight_decay, decay), kept};
}

}  // namespace oxbow::optim
