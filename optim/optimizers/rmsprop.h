// RMSprop: the gradient divided by the root of a moving average of its squares (Hinton 2012, Coursera, lecture 6e,
// https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf).
//
//   s = rho * s + (1 - rho) * g^2
//   a = rho * a + (1 - rho) * g;  s - a^2 in place of s         centered (Graves 2013, https://arxiv.org/abs/1308.0850)
//   d = g / sqrt(s + epsilon)                                   Keras: epsilon inside the root
//   d = g / (sqrt(s) + epsilon)                                 PyTorch: outside
//   w = w - rate * d                                            without momentum
//   v = momentum * v + rate * d;  w = w - v                     Keras: the rate is inside the velocity
//   v = momentum * v + d;  w = w - rate * v                     PyTorch: outside
//
// s - a^2 is a variance; where rounding makes it negative it counts as zero.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct RMSprop {
  static constexpr OptimizerInfo info{.name = "rmsprop", .squares = true};
  static constexpr SlotName squares{"square"}, mean{"mean"}, velocity{"velocity"};
  ByConvention<Rate> learning_rate = {1e-3, 0.01};
  ByConvention<double> rho = {0.9, 0.99};  ///< PyTorch's alpha
  double momentum = 0;
  ByConvention<double> epsilon = {1e-7, 1e-8};
  bool centered = false;
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &RMSprop::learning_rate);
    visit("rho", &RMSprop::rho);
    visit("momentum", &RMSprop::momentum);
    visit("epsilon", &RMSprop::epsilon);
    visit("centered", &RMSprop::centered);
    visit("weight_decay", &RMSprop::weight_decay);
    visit("convention", &RMSprop::convention);
  }
  bool operator==(const RMSprop&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
