#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/rmsprop.h>

namespace oxbow::optim {

void RMSprop::check() const {
  check_fraction(info.name, "rho", rho(convention));
  check_fraction(info.name, "momentum", momentum);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> RMSprop::slots(const ops::Variable& parameter) const {
  std::vector<Slot> slots{{squares, parameter.type}};
  if (centered) slots.push_back({mean, parameter.type});
  if (momentum > 0) slots.push_back({velocity, parameter.type});
  return slots;
}

Updated RMSprop::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const double keep = rho(convention), eps = epsilon(convention);
  const bool keras = convention == Convention::keras;
  const Value new_squares = keep * s[squares] + (1 - keep) * square(g);
  std::vector<SlotValue> kept{{squares, new_squares}};
  Value variance = new_squares;
  if (centered) {
    const Value new_mean = keep * s[mean] + (1 - keep) * g;
    variance = maximum(variance - square(new_mean), 0.0);
    kept.push_back({mean, new_mean});
  }
  Value step = (keras ? s.rate * g : g) / (keras ? sqrt(variance + eps) : sqrt(variance) + eps);
  if (momentum > 0) {
    step = momentum * s[velocity] + step;
    kept.push_back({velocity, step});
  }
  return {moved(s, keras ? step : s.rate * step, weight_decay, convention), kept};
}

}  // namespace oxbow::optim
