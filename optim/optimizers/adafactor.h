// Adafactor: second moments of a matrix kept as one number a row and one a column, and steps relative to the weights'
// size (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235).
//
//   b = t^beta_2_decay,  p = min(rate, 1 / sqrt(t)),  a = max(epsilon_2, rms(w)) * p
//   q = g^2 + epsilon_1                                         Keras, and the paper
//   r = (1 - b) * r + b * mean of q over columns
//   c = (1 - b) * c + b * mean of q over rows
//   v = r c / mean(r)                                           over the last two axes
//   v = (1 - b) * v + b * q                                     for a vector
//   u = g / sqrt(v);  w = w - a * u / max(1, rms(u) / clip_threshold)
//
// PyTorch has q = g^2, and keeps mean(r) above epsilon_1 and v above epsilon_1^2. Its epsilon_1 is 0 by default, which
// stands for the dtype's own (2^-23 or 2^-52). Weights decay beside the step under both, but rms(w) is that of the
// decayed weights in Keras, and of those before in PyTorch.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct Adafactor {
  static constexpr OptimizerInfo info{.name = "adafactor", .squares = true};
  static constexpr SlotName v{"v"}, rows{"rows"}, columns{"columns"};
  static constexpr SharedName old_share{"old_share"}, new_share{"new_share"}, largest_step{"largest_step"};
  ByConvention<Rate> learning_rate = {1e-3, 0.01};
  double beta_2_decay = -0.8;
  ByConvention<double> epsilon_1 = {1e-30, 0};
  double epsilon_2 = 1e-3;
  double clip_threshold = 1;
  double weight_decay = 0;
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Adafactor::learning_rate);
    visit("beta_2_decay", &Adafactor::beta_2_decay);
    visit("epsilon_1", &Adafactor::epsilon_1);
    visit("epsilon_2", &Adafactor::epsilon_2);
    visit("clip_threshold", &Adafactor::clip_threshold);
    visit("weight_decay", &Adafactor::weight_decay);
    visit("convention", &Adafactor::convention);
  }
  bool operator==(const Adafactor&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
