// RMSprop: the gradient divided by the root of a moving average of its squares (Hinton 2012, Coursera, lecture 6e).
//
//   s = rho * s + (1 - rho) * g^2
//   a = rho * a + (1 - rho) * g                                          if centered (Graves 2013): a^2 is taken off s
//   d = rate * g / sqrt(s - a^2 + epsilon)                               epsilon inside the root, as in Keras
//   w = w - d                                                            or, with momentum: v = momentum * v + d;  w =
//   w - v
//
// s - a^2 is a variance; where rounding makes it negative it counts as zero.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct RMSprop {
  static constexpr OptimizerInfo info{.name = "rmsprop"};
  double learning_rate = 1e-3;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  static constexpr auto attributes =
      std::tuple{Attribute{"learning_rate", &RMSprop::learning_rate}, Attribute{"rho", &RMSprop::rho},
                 Attribute{"momentum", &RMSprop::momentum}, Attribute{"epsilon", &RMSprop::epsilon},
                 Attribute{"centered", &RMSprop::centered}};
  bool operator==(const RMSprop&) const = default;

  void check() const;
  std::vector<Slot> slots(const Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
