// Digits in few numbers: an autoencoder whose decoder has the encoder's weights, transposed, on the MNIST sample. Shows
// a test digit and what 32 numbers keep of it. Arguments: the folder with the MNIST files, the number of epochs.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

namespace {

void show(std::span<const float> before, std::span<const float> after) {
  for (std::size_t row = 0; row < 28; row += 2) {  // a letter is twice as high as wide
    for (const auto& digit : {before, after})
      for (std::size_t column = 0; column < 28; ++column) {
        const float grey = (digit[row * 28 + column] + digit[(row + 1) * 28 + column]) / 2;
        std::putchar(" .:*#@"[static_cast<std::size_t>(5.99f * grey)]);
      }
    std::putchar('\n');
  }
}

Model build(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 784});
  const Dense first(128, {.activation = relu}), second(32);
  const Value code = second(first(x));
  const Dense back(128, {.activation = relu, .transpose_of = second}), out(784, {.transpose_of = first});
  const Value logits = out(back(code));

  const Value restored = sigmoid(logits), loss = binary_cross_entropy(logits, x);
  return compile(loss, optim::Adam{.learning_rate = 2e-3},
                 {.metrics = {{"error", mean_squared_error(restored, x)}}, .predictions = restored});
}

}  // namespace

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  Graph g;
  Model model = build(g);
  const auto print = [](Progress& p) {
    const Results& r = p.history.epochs.back().results;
    std::printf("epoch %2d  loss %.4f  squared error %.4f, of test digits %.4f\n", p.epoch, r["loss"], r["error"],
                r["val_error"]);
  };
  model.fit(mnist.train, {.epochs = argc > 2 ? std::atoi(argv[2]) : 10,
                          .batch_size = 64,
                          .validation = mnist.test,
                          .callbacks = {{.on_epoch = print}}});

  const Dataset one = mnist.test.rows(0, 1);
  const Tensor restored = model.predict(one);
  show(one["x"].span<float>(), restored.span<float>());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
