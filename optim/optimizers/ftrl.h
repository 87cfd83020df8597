// FTRL-proximal: follow the regularised leader, for linear models on sparse data; l1 makes weights exactly zero
// (McMahan et al. 2013, https://research.google/pubs/ad-click-prediction-a-view-from-the-trenches/).
//
//   n' = n + g^2,  n being initial_accumulator_value at first;  q(n) = n^(-learning_rate_power)
//   z = z + g + 2 * l2_shrinkage * w - (q(n') - q(n)) / rate * w
//   w = (clip(z, -l1, l1) - z) / (q(n') / rate + beta / rate + 2 * l2);  n = n'
//
// As in Keras, whose names these are in short; PyTorch has none. A weight is a function of z alone, so what it began
// with is lost at the first step unless n starts near 0. Where all of the divisor is 0, no gradient having come yet,
// the weight stays.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Ftrl {
  static constexpr OptimizerInfo info{.name = "ftrl", .squares = true, .sum = "sum"};
  static constexpr SlotName sum{"sum"}, linear{"linear"};
  Rate learning_rate = 1e-3;
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1 = 0;            ///< Keras's l1_regularization_strength
  double l2 = 0;            ///< Keras's l2_regularization_strength
  double l2_shrinkage = 0;  ///< Keras's l2_shrinkage_regularization_strength
  double beta = 0;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Ftrl::learning_rate);
    visit("learning_rate_power", &Ftrl::learning_rate_power);
    visit("initial_accumulator_value", &Ftrl::initial_accumulator_value);
    visit("l1", &Ftrl::l1);
    visit("l2", &Ftrl::l2);
    visit("l2_shrinkage", &Ftrl::l2_shrinkage);
    visit("beta", &Ftrl::beta);
  }
  bool operator==(const Ftrl&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
