#include <oxbow/graph/op.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/optimizers/muon.h>

#include <algorithm>
#include <cmath>

namespace oxbow::optim {

namespace {

// A parameter that Muon itself serves.
bool is_matrix(const ops::Variable& parameter) {
  std::string name = parameter.name;
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return parameter.type.shape.rank() == 2 && name.find("embedding") == std::string::npos;
}

// x with its singular values brought near 1. The products are taken on x's shorter side.
Value newton_schulz(Value x, std::int64_t steps) {
  const bool wide = x.shape()[0] <= x.shape()[1];
  for (std::int64_t i = 0; i < steps; ++i) {
    const Value a = wide ? matmul(x, x, {.transpose_b = true}) : matmul(x, x, {.transpose_a = true});
    const Value b = -4.7750 * a + 2.0315 * matmul(a, a);
    x = 3.4445 * x + (wide ? matmul(b, x) : matmul(x, b));
  }
  return x;
}

}  // namespace

AdamW Muon::adamw() const {
  return {.learning_rate = learning_rate,
          .beta_1 = adam_beta_1,
          .beta_2 = adam_beta_2,
          .epsilon = adam_epsilon,
          .weight_decay = adam_weight_decay,
          .convention = convention};
}

void Muon::check() const {
  check_fraction(info.name, "momentum", momentum);
  if (newton_schulz_steps < 1 || newton_schulz_steps > 100)
    throw Error("muon: newton_schulz_steps is " + std::to_string(newton_schulz_steps) + ", but must be from 1 to 100");
  check_not_negative(info.name, "weight_decay", weight_decay(convention));
  check_not_negative(info.name, "adam_rate_ratio", adam_rate_ratio);
  check_fraction(info.name, "adam_beta_1", adam_beta_1);
  check_fraction(info.name, "adam_beta_2", adam_beta_2);
  check_epsilon(info.name, "adam_epsilon", adam_epsilon(convention));
  check_not_negative(info.name, "adam_weight_decay", adam_weight_decay(convention));
}

std::vector<Slot> Muon::slots(const ops::Variable& parameter) const {
  if (!is_matrix(parameter)) return adamw().slots(parameter);
  return {{velocity, parameter.type}};
}

std::vector<SharedValue> Muon::shared(Value rate, Value count) const {
  return adamw().shared(adam_rate_ratio == 1 ? rate : adam_rate_ratio * rate, count);
}

Updated Muon::update(const Step& s) const {
  if (!is_matrix(*s.parameter.node().op().as<ops::Variable>())) return adamw().update(s);
  const bool keras = convention == Convention::keras;
  const Value g = keras ? s.gradient : (1 - momentum) * s.gradient;
  const Value new_velocity = momentum * s[velocity] + g;
  const Value x = nesterov ? g + momentum * new_velocity : new_velocity;
  const Value size = norm(x);
  const Value step = newton_schulz(x / (keras ? size + 1e-7 : maximum(size, 1e-7)), newton_schulz_steps);
  const auto rows = static_cast<double>(x.shape()[0]), columns = static_cast<double>(x.shape()[1]);
  const double stretch = keras ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns));
  return {moved(s, s.rate * stretch * step, weight_decay(convention), Convention::keras), {{velocity, new_velocity}}};
}

}  // namespace oxbow::optim
