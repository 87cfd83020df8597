// Nadam: Adam with Nesterov's look ahead and a momentum that warms up (Dozat 2016,
// https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).
//
//   mu_t = beta_1 * (1 - 0.96^(t * momentum_decay) / 2),  P_t = mu_1 * ... * mu_t
//   m = beta_1 * m + (1 - beta_1) * g
//   v = beta_2 * v + (1 - beta_2) * g^2
//   M = mu_(t+1) * m / (1 - P_(t+1)) + (1 - mu_t) * g / (1 - P_t)
//   w = w - rate * M / (sqrt(v / (1 - beta_2^t)) + epsilon)
//
// The conventions differ in defaults: Keras's momentum_decay is 1, PyTorch's and the paper's 0.004. P is a scalar that
// is kept for each parameter.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Nadam {
  static constexpr OptimizerInfo info{.name = "nadam", .squares = true};
  static constexpr SlotName m{"m"}, v{"v"}, momentum_product{"momentum_product"};
  static constexpr SharedName corrected_rate{"corrected_rate"}, corrected_epsilon{"corrected_epsilon"};
  ByConvention<Rate> learning_rate = {1e-3, 2e-3};
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  ByConvention<double> epsilon = {1e-7, 1e-8};
  ByConvention<double> momentum_decay = {1, 0.004};
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Nadam::learning_rate);
    visit("beta_1", &Nadam::beta_1);
    visit("beta_2", &Nadam::beta_2);
    visit("epsilon", &Nadam::epsilon);
    visit("momentum_decay", &Nadam::momentum_decay);
    visit("weight_decay", &Nadam::weight_decay);
    visit("convention", &Nadam::convention);
  }
  bool operator==(const Nadam&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
