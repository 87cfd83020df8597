#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/lion.h>

namespace oxbow::optim {

void Lion::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Lion::slots(const ops::Variable& parameter) const { return {{m, parameter.type}}; }

Updated Lion::update(const Step& s) const {
  const Value mean = s[m];
  const Value towards = s.gradient - mean;  // what both averages move along, so that they share a pass
  const Value step = s.rate * sign(mean + (1 - beta_1) * towards);
  return {moved(s, step, weight_decay, Convention::keras), {{m, mean + (1 - beta_2) * towards}}};
}

}  // namespace oxbow::optim
