#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adadelta.h>

namespace oxbow::optim {

void Adadelta::check() const {
  check_fraction(info.name, "rho", rho(convention));
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adadelta::slots(const ops::Variable& parameter) const {
  return {{squares, parameter.type}, {step_squares, parameter.type}};
}

Updated Adadelta::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const double keep = rho(convention), eps = epsilon(convention);
  const Value new_squares = keep * s[squares] + (1 - keep) * square(g);
  const Value step = sqrt(s[step_squares] + eps) / sqrt(new_squares + eps) * g;
  return {moved(s, s.rate * step, weight_decay, convention),
          {{squares, new_squares}, {step_squares, keep * s[step_squares] + (1 - keep) * square(step)}}};
}

}  // namespace oxbow::optim
