#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/nadam.h>

namespace oxbow::optim {

void Nadam::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "momentum_decay", momentum_decay(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Nadam::slots(const ops::Variable& parameter) const {
  return {
      {m, parameter.type}, {v, parameter.type}, {momentum_product, {f64, {}}, {.kind = Init::Kind::constant, .a = 1}}};
}

std::vector<SharedValue> Nadam::shared(Value rate, Value count) const {
  const Value root = sqrt(bias_correction(beta_2, count));
  return {{corrected_rate, rate * root}, {corrected_epsilon, epsilon(convention) * root}};
}

Updated Nadam::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const auto momentum = [&](Value t) {
    return beta_1 * (1.0 - 0.5 * pow(constant(t.graph(), 0.96, f64), momentum_decay(convention) * t));
  };
  const Value now = momentum(s.count), next = momentum(s.count + 1.0);
  const Value product = s[momentum_product] * now;
  const Value of_m = s[corrected_rate] * s.scalar(next / (1.0 - product * next));
  const Value of_g = s[corrected_rate] * s.scalar((1.0 - now) / (1.0 - product));
  const Value new_m = beta_1 * s[m] + (1 - beta_1) * g;
  const Value new_v = beta_2 * s[v] + (1 - beta_2) * square(g);
  const Value step = (of_m * new_m + of_g * g) / (sqrt(new_v) + s[corrected_epsilon]);
  return {moved(s, step, weight_decay, convention), {{m, new_m}, {v, new_v}, {momentum_product, product}}};
}

}  // namespace oxbow::optim
