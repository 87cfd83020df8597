// LAMB: Adam's step, stretched for each parameter tensor to the length of its weights, for large batches (You et al.
// 2020, https://arxiv.org/abs/1904.00962).
//
//   M, V as in Adam, unbiased
//   d = M / (sqrt(V) + epsilon) + weight_decay * w
//   w = w - rate * |w| / |d| * d                                |x|: the root of the sum of all squares
//
// Where |w| or |d| is zero the ratio is 1. Defaults and formula are Keras's (PyTorch has none), but for the decay: as
// in the paper it is part of d, while Keras shrinks the weights apart from the step.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct LAMB {
  static constexpr OptimizerInfo info{.name = "lamb", .squares = true};
  static constexpr SlotName m{"m"}, v{"v"};
  static constexpr SharedName correction{"correction"}, corrected_epsilon{"corrected_epsilon"};
  Rate learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = 0;
  static void attributes(auto&& visit) {
    visit("learning_rate", &LAMB::learning_rate);
    visit("beta_1", &LAMB::beta_1);
    visit("beta_2", &LAMB::beta_2);
    visit("epsilon", &LAMB::epsilon);
    visit("weight_decay", &LAMB::weight_decay);
  }
  bool operator==(const LAMB&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
