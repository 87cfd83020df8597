// LARS: momentum whose rate is set for each parameter tensor by the length of its weights and of its gradient, for
// large batches (You, Gitman and Ginsburg 2017, https://arxiv.org/abs/1708.03888).
//
//   ratio = trust_coefficient * |w| / (|g| + weight_decay * |w|)
//   v = momentum * v + rate * ratio * (g + weight_decay * w)
//   w = w - v
//
// |x| is the root of the sum of all squares; where |w| or |g| is zero the ratio is 1. Neither Keras nor PyTorch has it,
// so its defaults follow no one: a step changes weights by a thousandth of their length times the rate.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct LARS {
  static constexpr OptimizerInfo info{.name = "lars"};
  static constexpr SlotName velocity{"velocity"};
  Rate learning_rate = 0.1;
  double momentum = 0.9;
  double trust_coefficient = 1e-3;
  double weight_decay = 0;
  static void attributes(auto&& visit) {
    visit("learning_rate", &LARS::learning_rate);
    visit("momentum", &LARS::momentum);
    visit("trust_coefficient", &LARS::trust_coefficient);
    visit("weight_decay", &LARS::weight_decay);
  }
  bool operator==(const LARS&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
