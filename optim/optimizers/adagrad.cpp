#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adagrad.h>

namespace oxbow::optim {

void Adagrad::check() const {
  check_not_negative(info.name, "initial_accumulator_value", initial_accumulator_value(convention));
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adagrad::slots(const ops::Variable& parameter) const {
  return {{sum, parameter.type, {.kind = Init::Kind::constant, .a = initial_accumulator_value(convention)}}};
}

Updated Adagrad::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const double eps = epsilon(convention);
  const Value new_sum = s[sum] + square(g);
  const Value step = s.rate * g / (convention == Convention::keras ? sqrt(new_sum + eps) : sqrt(new_sum) + eps);
  return {moved(s, step, weight_decay, convention), {{sum, new_sum}}};
}

}  // namespace oxbow::optim
