// Adagrad: the gradient divided by the root of the sum of all its squares (Duchi, Hazan and Singer 2011,
// https://jmlr.org/papers/v12/duchi11a.html).
//
//   s = s + g^2,  s being initial_accumulator_value at first
//   w = w - rate * g / sqrt(s + epsilon)                        Keras: epsilon inside the root
//   w = w - rate * g / (sqrt(s) + epsilon)                      PyTorch: outside
//
// PyTorch's lr_decay is a schedule of the rate here, as any other.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adagrad {
  static constexpr OptimizerInfo info{.name = "adagrad", .squares = true, .sum = "sum"};
  static constexpr SlotName sum{"sum"};
  ByConvention<Rate> learning_rate = {1e-3, 0.01};
  ByConvention<double> initial_accumulator_value = {0.1, 0};
  ByConvention<double> epsilon = {1e-7, 1e-10};
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Adagrad::learning_rate);
    visit("initial_accumulator_value", &Adagrad::initial_accumulator_value);
    visit("epsilon", &Adagrad::epsilon);
    visit("weight_decay", &Adagrad::weight_decay);
    visit("convention", &Adagrad::convention);
  }
  bool operator==(const Adagrad&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
