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
  std::vector<Slot> slots{{"m", parameter.type}, {"v", parameter.type}};
  if (amsgrad) slots.push_back({"v_max", parameter.type});
  return slots;
}

std::vector<Value> Adam::shared(Value rate, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  const Value corrected = rate * root / bias_correction(beta_1, count);
  if (convention == Convention::keras) return {corrected};
  return {corrected, epsilon(convention) * root};
}

Updated Adam::update(const Step& s, Convention decay) const {
  const Value g = decayed_gradient(s, weight_decay, decay);
  const Value m = beta_1 * s.slots[0] + (1 - beta_1) * g;
  const Value v = beta_2 * s.slots[1] + (1 - beta_2) * square(g);
  std::vector<Value> slots{m, v};
  if (amsgrad) slots.push_back(maximum(s.slots[2], v));
  const Value root = sqrt(slots.back());
  const Value step =
      s.shared[0] * m / (convention == Convention::keras ? root + epsilon(convention) : root + s.shared[1]);
  return {moved(s, step, weight_decay, decay), slots};
}

}  // namespace oxbow::optim
