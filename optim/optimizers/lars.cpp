#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/optimizers/lars.h>

namespace oxbow::optim {

void LARS::check() const {
  check_fraction(info.name, "momentum", momentum);
  check_positive(info.name, "trust_coefficient", trust_coefficient);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> LARS::slots(const ops::Variable& parameter) const { return {{velocity, parameter.type}}; }

Updated LARS::update(const Step& s) const {
  const Value w = s.parameter, g = s.gradient;
  const Value of_w = norm(w), of_g = norm(g);
  const Value length = weight_decay == 0 ? of_g : of_g + weight_decay * of_w;
  const Value step = weight_decay == 0 ? g : g + weight_decay * w;
  const Value stretched = where(greater(of_g, 0.0), with_length(step, length, trust_coefficient * of_w), step);
  const Value new_velocity = momentum * s[velocity] + s.rate * stretched;
  return {w - new_velocity, {{velocity, new_velocity}}};
}

}  // namespace oxbow::optim
