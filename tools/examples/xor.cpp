// XOR by hand: a network of two layers, `gradients`, and gradient descent written out as graph. Nothing is hidden: the
// weights are variables, and `assign` writes them at the end of each run.
#include <cstdio>

#include "examples.h"

using namespace oxbow;

namespace {

struct Xor {
  Value loss, y;
  std::vector<Value> updates;
};

Xor build(Graph& g) {
  const Value x = constant(g, Tensor::of<float>({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1}));
  const Value target = constant(g, Tensor::of<float>({4, 1}, {0, 1, 1, 0}));
  const Value w1 = parameter(g, "w1", {f32, {2, 4}}), b1 = parameter(g, "b1", {f32, {4}}, init::zeros());
  const Value w2 = parameter(g, "w2", {f32, {4, 1}}), b2 = parameter(g, "b2", {f32, {1}}, init::zeros());

  const Value h = tanh(matmul(x, w1) + b1);
  const Value y = sigmoid(matmul(h, w2) + b2);
  Xor net{.loss = mean(square(y - target)), .y = y, .updates = {}};

  const std::vector<Value> parameters = {w1, b1, w2, b2};
  const std::vector<Value> slopes = gradients(net.loss, parameters);
  const OriginGuard update(g, {.phase = Phase::update});  // so that a dump shows these nodes apart from the others
  for (std::size_t i = 0; i < parameters.size(); ++i)
    net.updates.push_back(assign(parameters[i], parameters[i] - 2.0 * slopes[i]));
  return net;
}

}  // namespace

int main() {
  Graph g;
  const Xor net = build(g);
  std::vector<Value> fetches = {net.loss, net.y};
  fetches.insert(fetches.end(), net.updates.begin(), net.updates.end());

  Session session(compile(fetches), Store(g));
  for (int step = 1; step <= 2000; ++step) {
    session.run();
    if (step % 250 == 0) std::printf("step %4d  loss %.5f\n", step, session.fetch<float>(0)[0]);
  }
  const auto y = session.fetch<float>(1);
  std::printf("0^0 = %.2f  0^1 = %.2f  1^0 = %.2f  1^1 = %.2f\n", y[0], y[1], y[2], y[3]);
}
