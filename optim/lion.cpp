#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/unary.h>
#include <oxbow/optim/lion.h>

namespace oxbow::optim {

void Lion::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Lion::slots(const Variable& parameter) const { return {{"m", parameter.type}}; }

Updated Lion::update(const Step& s) const {
  const auto [w, g] = decayed(s, weight_decay, Convention::keras);
  const Value m = s.slots[0];
  return {w - s.rate * sign(beta_1 * m + (1 - beta_1) * g), {beta_2 * m + (1 - beta_2) * g}};
}

}  // namespace oxbow::optim
