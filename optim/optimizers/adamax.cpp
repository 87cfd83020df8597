#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adamax.h>

namespace oxbow::optim {

void Adamax::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adamax::slots(const ops::Variable& parameter) const {
  return {{m, parameter.type}, {u, parameter.type}};
}

std::vector<SharedValue> Adamax::shared(Value rate, Value count) const {
  return {{corrected_rate, rate / bias_correction(beta_1, count)}};
}

Updated Adamax::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const bool keras = convention == Convention::keras;
  const double eps = epsilon(convention);
  const Value new_m = beta_1 * s[m] + (1 - beta_1) * g;
  const Value new_u = maximum(beta_2 * s[u], keras ? abs(g) : abs(g) + eps);
  return {moved(s, s[corrected_rate] * new_m / (keras ? new_u + eps : new_u), weight_decay, convention),
          {{m, new_m}, {u, new_u}}};
}

}  // namespace oxbow::optim
