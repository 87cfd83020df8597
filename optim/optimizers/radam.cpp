#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/radam.h>

namespace oxbow::optim {

void RAdam::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> RAdam::slots(const ops::Variable& parameter) const {
  return {{m, parameter.type}, {v, parameter.type}};
}

std::vector<SharedValue> RAdam::shared(Value rate, Value count) const {
  const Value plain = rate / bias_correction(beta_1, count);
  const double longest = 2 / (1 - beta_2) - 1;
  const Value bias = bias_correction(beta_2, count);
  const Value length = longest - 2.0 * count * (1.0 - bias) / bias;
  const Value rectified = greater(length, 5.0);
  const Value part = (length - 4.0) * (length - 2.0) / length * (longest / ((longest - 4) * (longest - 2)));
  return {{is_sure, rectified}, {plain_rate, plain}, {sure_rate, plain * sqrt(bias * maximum(part, 0.0))}};
}

Updated RAdam::update(const Step& s) const {
  const Convention decay = decoupled_weight_decay ? Convention::keras : Convention::pytorch;
  const Value g = decayed_gradient(s, weight_decay, decay);
  const Value new_m = beta_1 * s[m] + (1 - beta_1) * g;
  const Value new_v = beta_2 * s[v] + (1 - beta_2) * square(g);
  const Value step = where(s[is_sure], s[sure_rate] * new_m / (sqrt(new_v) + epsilon), s[plain_rate] * new_m);
  return {moved(s, step, weight_decay, decay), {{m, new_m}, {v, new_v}}};
}

}  // namespace oxbow::optim
