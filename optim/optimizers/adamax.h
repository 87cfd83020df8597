// Adamax: Adam with the largest gradient, slowly forgotten, in place of the mean square (Kingma and Ba 2015,
// section 7.1, https://arxiv.org/abs/1412.6980).
//
//   m = beta_1 * m + (1 - beta_1) * g
//   u = max(beta_2 * u, |g|);  w = w - rate / (1 - beta_1^t) * m / (u + epsilon)     Keras: epsilon at the division
//   u = max(beta_2 * u, |g| + epsilon);  w = w - rate / (1 - beta_1^t) * m / u       PyTorch: in the maximum
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adamax {
  static constexpr OptimizerInfo info{.name = "adamax"};
  static constexpr SlotName m{"m"}, u{"u"};
  static constexpr SharedName corrected_rate{"corrected_rate"};
  ByConvention<Rate> learning_rate = {1e-3, 2e-3};
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  ByConvention<double> epsilon = {1e-7, 1e-8};
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Adamax::learning_rate);
    visit("beta_1", &Adamax::beta_1);
    visit("beta_2", &Adamax::beta_2);
    visit("epsilon", &Adamax::epsilon);
    visit("weight_decay", &Adamax::weight_decay);
    visit("convention", &Adamax::convention);
  }
  bool operator==(const Adamax&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
