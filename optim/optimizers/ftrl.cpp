#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/ftrl.h>

#include <cmath>

namespace oxbow::optim {

void Ftrl::check() const {
  if (!(learning_rate_power <= 0 && std::isfinite(learning_rate_power)))
    throw Error("ftrl: learning_rate_power must be a number that is not above 0, -0.5 for instance");
  check_not_negative(info.name, "initial_accumulator_value", initial_accumulator_value);
  check_not_negative(info.name, "l1", l1);
  check_not_negative(info.name, "l2", l2);
  check_not_negative(info.name, "l2_shrinkage", l2_shrinkage);
  check_not_negative(info.name, "beta", beta);
}

std::vector<Slot> Ftrl::slots(const ops::Variable& parameter) const {
  return {{sum, parameter.type, {.kind = Init::Kind::constant, .a = initial_accumulator_value}},
          {linear, parameter.type}};
}

Updated Ftrl::update(const Step& s) const {
  const Value w = s.parameter, g = s.gradient, before = s[sum];
  const auto q = [&](Value n) { return learning_rate_power == -0.5 ? sqrt(n) : pow(n, -learning_rate_power); };
  const Value new_sum = before + square(g);
  const Value shrunk = l2_shrinkage == 0 ? g : g + 2 * l2_shrinkage * w;
  const Value new_linear = s[linear] + (shrunk - (q(new_sum) - q(before)) / s.rate * w);
  Value divisor = q(new_sum) / s.rate;
  if (beta != 0 || l2 != 0) divisor = divisor + (beta / s.rate + 2 * l2);
  const Value rest = l1 == 0 ? -new_linear : minimum(maximum(new_linear, -l1), l1) - new_linear;
  return {where(equal(divisor, 0.0), w, rest / divisor), {{sum, new_sum}, {linear, new_linear}}};
}

}  // namespace oxbow::optim
