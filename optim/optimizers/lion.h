// Lion: the sign of an average of momentum and gradient, so every weight moves by the same amount (Chen et al. 2023,
// https://arxiv.org/abs/2302.06675).
//
//   w = w - rate * sign(beta_1 * m + (1 - beta_1) * g)
//   m = beta_2 * m + (1 - beta_2) * g
//
// As in Keras; PyTorch has none. A good rate is 3 to 10 times smaller than Adam's. Weights decay beside the step.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Lion {
  static constexpr OptimizerInfo info{.name = "lion"};
  static constexpr SlotName m{"m"};
  Rate learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  double weight_decay = 0;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Lion::learning_rate);
    visit("beta_1", &Lion::beta_1);
    visit("beta_2", &Lion::beta_2);
    visit("weight_decay", &Lion::weight_decay);
  }
  bool operator==(const Lion&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
