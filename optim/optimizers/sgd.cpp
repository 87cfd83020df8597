#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/sgd.h>

namespace oxbow::optim {

void SGD::check() const {
  check_fraction(info.name, "momentum", momentum);
  check_not_negative(info.name, "weight_decay", weight_decay);
  check_not_negative(info.name, "dampening", dampening);
  if (dampening != 0 && convention == Convention::keras)
    throw Error("sgd: dampening is PyTorch's: set convention to Convention::pytorch, or dampening to 0");
  if (nesterov && momentum == 0) throw Error("sgd: nesterov needs a momentum above 0, 0.9 for instance");
  if (nesterov && dampening != 0) throw Error("sgd: nesterov goes without dampening: set it to 0");
}

std::vector<Slot> SGD::slots(const ops::Variable& parameter) const {
  if (momentum == 0) return {};
  return {{velocity, parameter.type}};
}

Updated SGD::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  if (momentum == 0) return {moved(s, s.rate * g, weight_decay, convention), {}};
  if (convention == Convention::keras) {
    const Value step = s.rate * g;
    const Value new_velocity = momentum * s[velocity] - step;
    return {moved(s, nesterov ? step - momentum * new_velocity : negate(new_velocity), weight_decay, convention),
            {{velocity, new_velocity}}};
  }
  // The velocity is zero before the first step, whose gradient counts whole.
  const Value share = s.scalar(where(equal(s.count, 1.0), constant(g.graph(), 1, f64), 1 - dampening));
  const Value new_velocity = momentum * s[velocity] + (dampening == 0 ? g : share * g);
  return {s.parameter - s.rate * (nesterov ? g + momentum * new_velocity : new_velocity), {{velocity, new_velocity}}};
}

}  // namespace oxbow::optim
