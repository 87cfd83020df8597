// Schedule-free AdamW: an average of the weights in place of a decaying rate (Defazio et al. 2024,
// https://arxiv.org/abs/2405.15682).
//
//   v = beta_2 * v + (1 - beta_2) * g^2                         g: the gradient at y, which is the parameter
//   d = g / (sqrt(v / (1 - beta_2^t)) + epsilon) + weight_decay * y
//   z = z - rate * d
//   x = (1 - c) * x + c * z,  c = R_t^2 / (R_1^2 + ... + R_t^2),  R_t: the largest rate so far
//   y = (1 - beta_1) * z + beta_1 * x
//
// z and x start as the parameter. Training runs at y; evaluation and prediction take x, the slot "x". The rate may be
// warmed up by a schedule, and should not fall. As in the authors' package; Keras's differs where the rate is warmed up
// (c = 1 / t) and in the decay of the weights, which it shrinks apart from the step. PyTorch itself has none.
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct ScheduleFreeAdamW {
  static constexpr OptimizerInfo info{.name = "schedule_free_adamw", .average = "x", .squares = true};
  static constexpr SlotName v{"v"}, z{"z"}, x{"x"}, largest_rate{"largest_rate"}, weight_sum{"weight_sum"};
  static constexpr SharedName is_first{"is_first"}, corrected_rate{"corrected_rate"},
      corrected_epsilon{"corrected_epsilon"};
  Rate learning_rate = 0.0025;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  static void attributes(auto&& visit) {
    visit("learning_rate", &ScheduleFreeAdamW::learning_rate);
    visit("beta_1", &ScheduleFreeAdamW::beta_1);
    visit("beta_2", &ScheduleFreeAdamW::beta_2);
    visit("epsilon", &ScheduleFreeAdamW::epsilon);
    visit("weight_decay", &ScheduleFreeAdamW::weight_decay);
  }
  bool operator==(const ScheduleFreeAdamW&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;
};

}  // namespace oxbow::optim
