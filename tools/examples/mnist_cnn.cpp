// Digits by a convolutional network: 3x3x32, pool, 3x3x64, pool, 128, with Adam. Takes the folder with the MNIST files.
#include <oxbow/optim/mnist.h>

#include <cstdio>

#include "examples.h"

using namespace oxbow;

static examples::Classifier build(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 784});
  const Value label = input(g, "label", i64, {any(64)});
  Value h = reshape(x, {-1, 28, 28, 1});
  h = max_pool(conv(h, 32, {.activation = relu}));
  h = max_pool(conv(h, 64, {.activation = relu}));
  h = dense(flatten(h), 128, {.activation = relu});
  const Value logits = dense(h, 10);
  const Value right = equal(argmax(logits, 1), label);
  return {.loss = cross_entropy(logits, label), .accuracy = mean(cast(right, f32)), .logits = logits};
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  Graph g;
  const auto net = build(g);
  Model model = compile(net.loss, optim::Adam{.learning_rate = 1e-3}, {.metrics = {{"accuracy", net.accuracy}}});

  const auto print = [](Progress& p) {
    const Results& r = p.history.epochs.back().results;
    std::printf("epoch %d  loss %.4f  accuracy %.4f  test accuracy %.4f\n", p.epoch, r["loss"], r["accuracy"],
                r["val_accuracy"]);
  };
  model.fit(mnist.train, {.epochs = 3, .batch_size = 64, .validation = mnist.test, .callbacks = {{.on_epoch = print}}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
