// Stochastic gradient descent (Robbins and Monro 1951), with momentum (Polyak 1964) and Nesterov's form of it (Nesterov
// 1983, as in Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html).
//
//   w = w - rate * g                                            without momentum
//   v = momentum * v - rate * g;  w = w + v                     Keras: the rate is inside the velocity
//       nesterov: w = w + momentum * v - rate * g
//   v = momentum * v + (1 - dampening) * g;  w = w - rate * v   PyTorch: the rate is outside; at the first step v = g
//       nesterov: w = w - rate * (g + momentum * v)
//
// The two are the same while the rate stays as it is; once it changes, Keras's velocity still moves at the old one.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct SGD {
  static constexpr OptimizerInfo info{.name = "sgd"};
  static constexpr SlotName velocity{"velocity"};
  ByConvention<Rate> learning_rate = {0.01, 1e-3};
  double momentum = 0;
  double dampening = 0;  ///< of the gradient's share in the velocity; PyTorch's alone
  bool nesterov = false;
  double weight_decay = 0;  ///< see `decayed_gradient`
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &SGD::learning_rate);
    visit("momentum", &SGD::momentum);
    visit("dampening", &SGD::dampening);
    visit("nesterov", &SGD::nesterov);
    visit("weight_decay", &SGD::weight_decay);
    visit("convention", &SGD::convention);
  }
  bool operator==(const SGD&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
