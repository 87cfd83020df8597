#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adadelta.h>

namespace oxbow::optim {

void Adadelta::check() const {
  check_fraction(info.name, "rho", rho(convention));
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adadelta::slots(const ops::Variable& parameter) const {
  return {{"square", parameter.type}, {"step_square", parameter.type}};
}

Updated Adadelta::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const double keep = rho(convention), eps = epsilon(convention);
  const Value squares = keep * s.slots[0] + (1 - keep) * square(g);
  const Value step = sqrt(s.slots[1] + eps) / sqrt(squares + eps) * g;
  return {moved(s, s.rate * step, weight_decay, convention), {squares, keep * s.slots[1] + (1 - keep) * square(step)}};
}

}  // namespace oxbow::optim
