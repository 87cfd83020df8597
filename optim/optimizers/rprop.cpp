#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/rprop.h>

#include <cmath>

namespace oxbow::optim {

void Rprop::check() const {
  if (!(eta_minus > 0 && eta_minus < 1 && eta_plus > 1 && std::isfinite(eta_plus)))
    throw Error("rprop: eta_minus must lie between 0 and 1, and eta_plus above 1");
  check_not_negative(info.name, "step_min", step_min);
  check_positive(info.name, "step_max", step_max);
  if (step_min > step_max) throw Error("rprop: step_min must not be above step_max");
}

std::vector<Slot> Rprop::slots(const ops::Variable& parameter) const {
  return {{last_gradient, parameter.type}, {last_step, parameter.type}};
}

Updated Rprop::update(const Step& s) const {
  const Value agree = sign(s.gradient) * sign(s[last_gradient]);
  const Value turned = less(agree, 0.0);
  const Value one = constant(s.parameter.graph(), 1, s.parameter.dtype());
  const Value factor = where(greater(agree, 0.0), eta_plus, where(turned, eta_minus, one));
  const Value before = where(equal(s.count, 1.0), s.rate, s[last_step]);
  const Value step = minimum(maximum(before * factor, step_min), step_max);
  const Value g = where(turned, 0.0, s.gradient);
  return {s.parameter - step * sign(g), {{last_gradient, g}, {last_step, step}}};
}

}  // namespace oxbow::optim
