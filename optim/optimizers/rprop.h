// Rprop: a step size for each weight, which grows while its gradient keeps its sign and shrinks when that turns; for
// whole batches (Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623).
//
//   d = d * eta_plus     where g keeps its sign
//   d = d * eta_minus    where it has turned; there g counts as 0, in this step and as the next one's predecessor
//   d kept between step_min and step_max;  w = w - d * sign(g)
//
// d is the learning rate at first; later rates do not matter. As in PyTorch; Keras has none.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Rprop {
  static constexpr OptimizerInfo info{.name = "rprop"};
  static constexpr SlotName last_gradient{"gradient"}, last_step{"step"};
  Rate learning_rate = 0.01;  ///< the size of the first step
  double eta_minus = 0.5;
  double eta_plus = 1.2;
  double step_min = 1e-6;
  double step_max = 50;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Rprop::learning_rate);
    visit("eta_minus", &Rprop::eta_minus);
    visit("eta_plus", &Rprop::eta_plus);
    visit("step_min", &Rprop::step_min);
    visit("step_max", &Rprop::step_max);
  }
  bool operator==(const Rprop&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
