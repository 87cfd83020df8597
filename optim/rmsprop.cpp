#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/unary.h>
#include <oxbow/optim/rmsprop.h>

namespace oxbow::optim {

void RMSprop::check() const {
  check_fraction(info.name, "rho", rho);
  check_fraction(info.name, "momentum", momentum);
  check_not_negative(info.name, "epsilon", epsilon);
}

std::vector<Slot> RMSprop::slots(const Variable& parameter) const {
  std::vector<Slot> slots{{"square", parameter.type}};
  if (centered) slots.push_back({"mean", parameter.type});
  if (momentum > 0) slots.push_back({"velocity", parameter.type});
  return slots;
}

Updated RMSprop::update(const Step& s) const {
  const Value g = s.gradient;
  std::vector<Value> slots{rho * s.slots[0] + (1 - rho) * square(g)};
  Value variance = slots[0];
  if (centered) {
    slots.push_back(rho * s.slots[1] + (1 - rho) * g);
    variance = maximum(variance - square(slots[1]), 0.0);
  }
  Value step = s.rate * g / sqrt(variance + epsilon);
  if (momentum > 0) {
    step = momentum * s.slots.back() + step;
    slots.push_back(step);
  }
  return {s.parameter - step, slots};
}

}  // namespace oxbow::optim
