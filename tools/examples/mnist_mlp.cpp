// Digits by a multilayer perceptron, 784-512-256-10, with Adam. Takes the folder with the MNIST files as its argument.
#include <oxbow/optim/mnist.h>

#include <cstdio>

#include "examples.h"

using namespace oxbow;

static examples::Classifier build(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 784});
  const Value label = input(g, "label", i64, {any(64)});
  Value h = dense(x, 512, {.activation = relu});
  h = dense(h, 256, {.activation = relu});
  const Value logits = dense(h, 10);
  const Value right = equal(argmax(logits, 1), label);
  return {.loss = cross_entropy(logits, label), .accuracy = mean(cast(right, f32)), .logits = logits};
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  Graph g;
  const auto net = build(g);
  Model model = compile(net.loss, "adam", {.metrics = {{"accuracy", net.accuracy}}, .predictions = net.logits});

  const auto print = [](Progress& p) {
    const Results& r = p.history.epochs.back().results;
    std::printf("epoch %d  loss %.4f  accuracy %.4f  test accuracy %.4f\n", p.epoch, r["loss"], r["accuracy"],
                r["val_accuracy"]);
  };
  model.fit(mnist.train, {.epochs = 5, .batch_size = 64, .validation = mnist.test, .callbacks = {{.on_epoch = print}}});

  const Tensor scores = model.predict(mnist.test.rows(0, 1));
  int digit = 0;
  for (int i = 1; i < 10; ++i)
    if (scores.span<float>()[static_cast<std::size_t>(i)] > scores.span<float>()[static_cast<std::size_t>(digit)])
      digit = i;
  std::printf("the first test image shows a %d\n", digit);
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
