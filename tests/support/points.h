// A small classification problem with its network. For tests of Model.
#pragma once

#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/adam.h>

#include <algorithm>
#include <cmath>

namespace oxbow::test {

// Three classes of points in the plane by their angle, and a small network for them.
struct Net {
  Graph g;
  At x_at, label_at;  // where the inputs are built
  Value x, label, logits, loss, accuracy;
  Net() {
    x = input(g, "x", f32, {any(8), 2}, x_at = At::current());
    label = input(g, "label", i64, {any(8)}, label_at = At::current());
    logits = dense(dense(x, 16, {.activation = relu}), 3);
    loss = cross_entropy(logits, label);
    accuracy = mean(cast(equal(argmax(logits), label), f32));
  }
  Model compiled(const optim::Optimizer& optimizer = optim::Adam{.learning_rate = 0.02}) const {
    return compile(loss, optimizer, {.metrics = {{"accuracy", accuracy}}, .predictions = logits});
  }
};

inline Dataset points(std::int64_t n, std::uint64_t seed) {
  const Tensor x = draw({n, 2}, -1, 1, seed, f32);
  Tensor label({i64, {n}});
  for (std::int64_t i = 0; i < n; ++i) {
    const double angle = std::atan2(x.data<float>()[2 * i], x.data<float>()[2 * i + 1]) + M_PI;
    label.data<std::int64_t>()[i] = std::min<std::int64_t>(2, static_cast<std::int64_t>(angle / (2 * M_PI / 3)));
  }
  return {{"x", x}, {"label", label}};
}

}  // namespace oxbow::test
