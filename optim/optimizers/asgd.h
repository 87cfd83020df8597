// Averaged stochastic gradient descent: a decaying rate, and the mean of the weights from step t0 on (Polyak and
// Juditsky 1992, https://doi.org/10.1137/0330046; the rate is that of Xu 2011, https://arxiv.org/abs/1107.2490).
//
//   e = rate / (1 + lambda * rate * (t - 1))^alpha
//   w = w - e * lambda * w - e * g
//   a = a + (w - a) / max(1, t - 1 - t0)
//
// Evaluation takes a, which is w itself up to step t0. As in PyTorch; Keras has none.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct ASGD {
  static constexpr OptimizerInfo info{.name = "asgd", .average = "average"};
  static constexpr SlotName average{"average"};
  static constexpr SharedName decayed_rate{"decayed_rate"}, averages{"averages"}, share{"share"};
  Rate learning_rate = 0.01;
  double lambda = 1e-4;
  double alpha = 0.75;
  double t0 = 1e6;          ///< the step after which the mean is taken
  double weight_decay = 0;  ///< added to the gradient, times w
  static void attributes(auto&& visit) {
    visit("learning_rate", &ASGD::learning_rate);
    visit("lambda", &ASGD::lambda);
    visit("alpha", &ASGD::alpha);
    visit("t0", &ASGD::t0);
    visit("weight_decay", &ASGD::weight_decay);
  }
  bool operator==(const ASGD&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
