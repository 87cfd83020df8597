#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/unary.h>
#include <oxbow/optim/adam.h>

namespace oxbow::optim {

void Adam::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_not_negative(info.name, "epsilon", epsilon);
}

std::vector<Slot> Adam::slots(const Variable& parameter) const {
  return {{"m", parameter.type}, {"v", parameter.type}};
}

std::vector<Value> Adam::shared(Value rate, Value count) const {
  return {rate * sqrt(bias_correction(beta_2, count)) / bias_correction(beta_1, count)};
}

Updated Adam::update(const Step& s) const {
  const Value g = s.gradient;
  const Value m = beta_1 * s.slots[0] + (1 - beta_1) * g;
  const Value v = beta_2 * s.slots[1] + (1 - beta_2) * square(g);
  return {s.parameter - s.shared[0] * m / (sqrt(v) + epsilon), {m, v}};
}

}  // namespace oxbow::optim
