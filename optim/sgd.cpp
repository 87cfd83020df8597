#include <oxbow/ops/arithmetic.h>
#include <oxbow/optim/sgd.h>

namespace oxbow::optim {

void SGD::check() const {
  check_fraction(info.name, "momentum", momentum);
  if (nesterov && momentum == 0) throw Error("sgd: nesterov needs a momentum above 0, 0.9 for instance");
}

std::vector<Slot> SGD::slots(const Variable& parameter) const {
  if (momentum == 0) return {};
  return {{"velocity", parameter.type}};
}

Updated SGD::update(const Step& s) const {
  const Value step = s.rate * s.gradient;
  if (momentum == 0) return {s.parameter - step, {}};
  const Value velocity = momentum * s.slots[0] - step;
  if (nesterov) return {s.parameter + (momentum * velocity - step), {velocity}};
  return {s.parameter + velocity, {velocity}};
}

}  // namespace oxbow::optim
