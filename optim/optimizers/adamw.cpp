#include <oxbow/optim/optimizers/adamw.h>

namespace oxbow::optim {

Adam AdamW::adam() const {
  return {.learning_rate = learning_rate,
          .beta_1 = beta_1,
          .beta_2 = beta_2,
          .epsilon = epsilon,
          .weight_decay = weight_decay(convention),
          .amsgrad = amsgrad,
          .convention = convention};
}

void AdamW::check() const {
  check_fraction(info.name, "beta_1", beta_1);
  check_fraction(info.name, "beta_2", beta_2);
  check_epsilon(info.name, "epsilon", epsilon(convention));
  check_not_negative(info.name, "weight_decay", weight_decay(convention));
}

std::vector<Slot> AdamW::slots(const ops::Variable& parameter) const { return adam().slots(parameter); }

std::vector<SharedValue> AdamW::shared(Value rate, Value count) const { return adam().shared(rate, count); }

Updated AdamW::update(const Step& s) const { return adam().update(s, Convention::keras); }

}  // namespace oxbow::optim
