// Digits out of noise: a variational autoencoder (Kingma and Welling 2013, https://arxiv.org/abs/1312.6114) on the
// MNIST sample. Draws 16 new digits into vae.pgm. Arguments: the folder with the MNIST files, the number of epochs.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

using namespace oxbow;

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  constexpr std::int64_t size = 16;  // of the code that a digit is described by

  Graph g;
  const Value x = input(g, "x", f32, {any(64), 784});
  const Sequential encode("encoder", {Dense(256, {.activation = relu}), Dense(2 * size)});
  const Sequential decode("decoder", {Dense(256, {.activation = relu}), Dense(784)});

  // What the encoder says of a code: a normal distribution, from which one is drawn. The gradients reach both halves.
  const Value code = encode(x);
  const Value center = code[{range(), range(0, size)}], log_variance = code[{range(), range(size, to_end)}];
  const Value z = center + exp(0.5 * log_variance) * random_normal_like(center);

  const Value error = mean(sum(binary_cross_entropy(decode(z), x, Reduction::none), 1));
  const Value divergence = mean(sum(square(center) + exp(log_variance) - log_variance - 1.0, 1)) / 2.0;
  Model model = compile(error + divergence, optim::Adam{.learning_rate = 2e-3},
                        {.metrics = {{"error", error}, {"divergence", divergence}}});

  const auto print = [](Progress& p) {
    const Results& r = p.history.epochs.back().results;
    std::printf("epoch %2d  loss %.1f = error %.1f + divergence %.1f, test loss %.1f\n", p.epoch, r["loss"], r["error"],
                r["divergence"], r["val_loss"]);
  };
  model.fit(mnist.train, {.epochs = argc > 2 ? std::atoi(argv[2]) : 20,
                          .batch_size = 64,
                          .validation = mnist.test,
                          .callbacks = {{.on_epoch = print}}});

  // New codes, from the distribution towards which the divergence drew those of digits. They are drawn in inference,
  // too.
  const Value noise = random_normal(g, {16, size}, {.in_inference = true});
  const Value digits = reshape(sigmoid(decode(noise)), {4, 4, 28, 28});
  const Value page = cast(255.0 * transpose(digits, {0, 2, 1, 3}), u8);  // four rows of four
  const Tensor pixels = compile(page, {.mode = Mode::inference}).run(model.store(), {})[0];
  std::ofstream("vae.pgm", std::ios::binary)
      .write("P5 112 112 255\n", 15)
      .write(reinterpret_cast<const char*>(pixels.bytes()), pixels.count());
  std::printf("vae.pgm shows 16 digits that nobody wrote\n");
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
