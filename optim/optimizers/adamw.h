// AdamW: Adam whose weights decay beside the step, not through the gradient (Loshchilov and Hutter 2019,
// https://arxiv.org/abs/1711.05101).
//
//   w = w - rate * weight_decay * w, then Adam's step on the gradient alone
//
// So under both conventions, which differ in defaults and in Adam's epsilon (see adam.h).
#pragma once

#include <oxbow/optim/optimizers/adam.h>

namespace oxbow::optim {

struct AdamW {
  static constexpr OptimizerInfo info{.name = "adamw", .squares = true};
  Rate learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  ByConvention<double> epsilon = {1e-7, 1e-8};
  ByConvention<double> weight_decay = {0.004, 0.01};
  bool amsgrad = false;
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &AdamW::learning_rate);
    visit("beta_1", &AdamW::beta_1);
    visit("beta_2", &AdamW::beta_2);
    visit("epsilon", &AdamW::epsilon);
    visit("weight_decay", &AdamW::weight_decay);
    visit("amsgrad", &AdamW::amsgrad);
    visit("convention", &AdamW::convention);
  }
  bool operator==(const AdamW&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;

 private:
  Adam adam() const;
};

}  // namespace oxbow::optim
