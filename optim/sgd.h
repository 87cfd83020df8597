// Stochastic gradient descent, with momentum and Nesterov's form of it.
//
//   w = w - rate * g                                                     without momentum
//   v = momentum * v - rate * g;  w = w + v                              Polyak 1964
//   v = momentum * v - rate * g;  w = w + momentum * v - rate * g        Nesterov 1983, as in Sutskever et al. 2013
//
// The rate is inside the velocity, as in Keras.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct SGD {
  static constexpr OptimizerInfo info{.name = "sgd"};
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  static constexpr auto attributes =
      std::tuple{Attribute{"learning_rate", &SGD::learning_rate}, Attribute{"momentum", &SGD::momentum},
                 Attribute{"nesterov", &SGD::nesterov}};
  bool operator==(const SGD&) const = default;

  void check() const;
  std::vector<Slot> slots(const Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
