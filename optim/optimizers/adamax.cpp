#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizers/adamax.h>

namespace oxbow::optim {

void Adamax::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adamax::slots(const ops::Variable& parameter) const {
  return {{"m", parameter.type}, {"u", parameter.type}};
}

std::vector<Value> Adamax::shared(Value rate, Value count) const { return {rate / bias_correction(beta_1, count)}; }

Updated Adamax::update(const Step& s) const {
  const Value g = decayed_gradient(s, weight_decay, convention);
  const bool keras = convention == Convention::keras;
  const double eps = epsilon(convention);
  const Value m = beta_1 * s.slots[0] + (1 - beta_1) * g;
  const Value u = maximum(beta_2 * s.slots[1], keras ? abs(g) : abs(g) + eps);
  return {moved(s, s.shared[0] * m / (keras ? u + eps : u), weight_decay, convention), {m, u}};
}

}  // namespace oxbow::optim
