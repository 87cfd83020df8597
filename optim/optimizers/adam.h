// Adam: moving averages of the gradient and of its square, both unbiased (Kingma and Ba 2015,
// https://arxiv.org/abs/1412.6980).
//
//   m = beta_1 * m + (1 - beta_1) * g
//   v = beta_2 * v + (1 - beta_2) * g^2
//   M = m / (1 - beta_1^t),  V = v / (1 - beta_2^t)
//   w = w - rate * M / (sqrt(V) + epsilon / sqrt(1 - beta_2^t))   Keras: epsilon meets sqrt(v), before the correction
//   w = w - rate * M / (sqrt(V) + epsilon)                        PyTorch, and the paper's algorithm 1
//
// Both are computed in the efficient order of the paper's section 2, where the corrections are one scalar. amsgrad
// takes the largest v so far in v's place (Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237); the name
// "amsgrad" stands for Adam{.amsgrad = true}.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adam {
  static constexpr OptimizerInfo info{.name = "adam", .squares = true};
  static constexpr SlotName m{"m"}, v{"v"}, v_max{"v_max"};
  static constexpr SharedName corrected_rate{"corrected_rate"}, corrected_epsilon{"corrected_epsilon"};
  Rate learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  ByConvention<double> epsilon = {1e-7, 1e-8};
  double weight_decay = 0;  ///< see `decayed_gradient`
  bool amsgrad = false;
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Adam::learning_rate);
    visit("beta_1", &Adam::beta_1);
    visit("beta_2", &Adam::beta_2);
    visit("epsilon", &Adam::epsilon);
    visit("weight_decay", &Adam::weight_decay);
    visit("amsgrad", &Adam::amsgrad);
    visit("convention", &Adam::convention);
  }
  bool operator==(const Adam&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const { return update(s, convention); }
  /// With weights that decay by another convention.
  Updated update(const Step& s, Convention decay) const;
};

}  // namespace oxbow::optim
