// Adam: moving averages of the gradient and of its square, both unbiased (Kingma and Ba 2015,
// https://arxiv.org/abs/1412.6980).
//
//   m = beta_1 * m + (1 - beta_1) * g
//   v = beta_2 * v + (1 - beta_2) * g^2
//   w = w - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)
//
// The efficient order of the paper's section 2, as in Keras: the corrections are one scalar, and epsilon (the paper's
// epsilon hat) is added before them.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adam {
  static constexpr OptimizerInfo info{.name = "adam"};
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  static constexpr auto attributes =
      std::tuple{Attribute{"learning_rate", &Adam::learning_rate}, Attribute{"beta_1", &Adam::beta_1},
                 Attribute{"beta_2", &Adam::beta_2}, Attribute{"epsilon", &Adam::epsilon}};
  bool operator==(const Adam&) const = default;

  void check() const;
  std::vector<Slot> slots(const Variable& parameter) const;
  std::vector<Value> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
