// Adadelta: steps in the parameter's own units, by the ratio of two moving averages (Zeiler 2012,
// https://arxiv.org/abs/1212.5701).
//
//   s = rho * s + (1 - rho) * g^2
//   d = sqrt(u + epsilon) / sqrt(s + epsilon) * g
//   u = rho * u + (1 - rho) * d^2
//   w = w - rate * d
//
// The same under both conventions, but not its defaults: the paper's rate is 1, as is PyTorch's; Keras's 0.001 crawls.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adadelta {
  static constexpr OptimizerInfo info{.name = "adadelta", .squares = true};
  static constexpr SlotName squares{"square"}, step_squares{"step_square"};
  ByConvention<Rate> learning_rate = {1e-3, 1.0};
  ByConvention<double> rho = {0.95, 0.9};
  ByConvention<double> epsilon = {1e-7, 1e-6};
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Adadelta::learning_rate);
    visit("rho", &Adadelta::rho);
    visit("epsilon", &Adadelta::epsilon);
    visit("weight_decay", &Adadelta::weight_decay);
    visit("convention", &Adadelta::convention);
  }
  bool operator==(const Adadelta&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
