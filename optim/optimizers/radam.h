// RAdam: Adam that leaves out its second moment while that rests on too few gradients (Liu et al. 2020,
// https://arxiv.org/abs/1908.03265).
//
//   m, v as in Adam;  M = m / (1 - beta_1^t)
//   R = 2 / (1 - beta_2) - 1,  r = R - 2 * t * beta_2^t / (1 - beta_2^t)
//   w = w - rate * M                                                                 where r <= 5: the first steps
//   w = w - rate * c * M * sqrt(1 - beta_2^t) / (sqrt(v) + epsilon)                  afterwards, with
//       c = sqrt((r - 4) * (r - 2) * R / ((R - 4) * (R - 2) * r))
//
// As in PyTorch; Keras has none. Weights decay through the gradient unless decoupled_weight_decay is set.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct RAdam {
  static constexpr OptimizerInfo info{.name = "radam", .squares = true};
  static constexpr SlotName m{"m"}, v{"v"};
  static constexpr SharedName is_sure{"is_sure"}, plain_rate{"plain_rate"}, sure_rate{"sure_rate"};
  Rate learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;
  static void attributes(auto&& visit) {
    visit("learning_rate", &RAdam::learning_rate);
    visit("beta_1", &RAdam::beta_1);
    visit("beta_2", &RAdam::beta_2);
    visit("epsilon", &RAdam::epsilon);
    visit("weight_decay", &RAdam::weight_decay);
    visit("decoupled_weight_decay", &RAdam::decoupled_weight_decay);
  }
  bool operator==(const RAdam&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
