// Fits a line to noisy points: y = w x + b by gradient descent, through `compile` and `fit`.
#include <cstdio>

#include "examples.h"

using namespace oxbow;

static Model build(Graph& g) {
  const Value x = input(g, "x", f32, {any(16)});
  const Value y = input(g, "y", f32, {any(16)});
  const Value w = parameter(g, "w", {f32, {}}, init::zeros());
  const Value b = parameter(g, "b", {f32, {}}, init::zeros());
  return compile(mean_squared_error(w * x + b, y), optim::SGD{.learning_rate = 0.1});
}

int main() {
  // Points near y = 3 x - 1.
  const Tensor x = draw({256}, -1, 1, 1, f32), noise = draw({256}, -0.1, 0.1, 2, f32);
  Tensor y({f32, {256}});
  for (std::size_t i = 0; i < 256; ++i) y.span<float>()[i] = 3 * x.span<float>()[i] - 1 + noise.span<float>()[i];

  Graph g;
  Model model = build(g);
  const History history = model.fit({{"x", x}, {"y", y}}, {.epochs = 20, .batch_size = 16});
  for (const Epoch& e : history.epochs) std::printf("epoch %2d  loss %.5f\n", e.number, e.results["loss"]);

  std::printf("w = %.3f (3), b = %.3f (-1)\n", model.store().get("w").item<float>(),
              model.store().get("b").item<float>());
}
