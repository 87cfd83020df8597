// Muon: a matrix moves along its momentum with all singular values brought near 1, by five steps of a Newton-Schulz
// iteration (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/).
//
//   v = momentum * v + g;  x = g + momentum * v                                      Keras; x = v without nesterov
//   v = momentum * v + (1 - momentum) * g;  x = (1 - momentum) * g + momentum * v    PyTorch; x = v without nesterov
//   x = x / (|x| + 1e-7)                                                             Keras
//   x = x / max(|x|, 1e-7)                                                           PyTorch
//   newton_schulz_steps times:  A = x x';  x = 3.4445 * x + (-4.7750 * A + 2.0315 * A A) x
//   w = w - rate * weight_decay * w
//   w = w - rate * 0.2 * sqrt(max(rows, columns)) * x                                Keras
//   w = w - rate * sqrt(max(1, rows / columns)) * x                                  PyTorch
//
// Keras's factor of the rate is that of Liu et al. 2025, https://arxiv.org/abs/2502.16982.
// Parameters that are no matrices, and embeddings (their name has "embedding" in it), are AdamW's, with the fields
// that begin with adam. So in Keras; PyTorch refuses them. PyTorch iterates in bfloat16, this in the parameter's dtype.
#pragma once

#include <oxbow/optim/optimizers/adamw.h>

namespace oxbow::optim {

struct Muon {
  static constexpr OptimizerInfo info{.name = "muon", .squares = true};
  static constexpr SlotName velocity{"velocity"};
  Rate learning_rate = 1e-3;
  double momentum = 0.95;
  bool nesterov = true;
  std::int64_t newton_schulz_steps = 5;
  ByConvention<double> weight_decay = {0.004, 0.1};
  double adam_rate_ratio = 1;  ///< AdamW's rate over Muon's; the decay goes by Muon's
  double adam_beta_1 = 0.9;
  double adam_beta_2 = 0.999;
  ByConvention<double> adam_epsilon = {1e-7, 1e-8};
  ByConvention<double> adam_weight_decay = {0.004, 0.01};
  Convention convention = Convention::keras;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Muon::learning_rate);
    visit("momentum", &Muon::momentum);
    visit("nesterov", &Muon::nesterov);
    visit("newton_schulz_steps", &Muon::newton_schulz_steps);
    visit("weight_decay", &Muon::weight_decay);
    visit("adam_rate_ratio", &Muon::adam_rate_ratio);
    visit("adam_beta_1", &Muon::adam_beta_1);
    visit("adam_beta_2", &Muon::adam_beta_2);
    visit("adam_epsilon", &Muon::adam_epsilon);
    visit("adam_weight_decay", &Muon::adam_weight_decay);
    visit("convention", &Muon::convention);
  }
  bool operator==(const Muon&) const = default;

  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  std::vector<SharedValue> shared(Value rate, Value count) const;
  Updated update(const Step& s) const;

 private:
  AdamW adamw() const;
};

}  // namespace oxbow::optim
