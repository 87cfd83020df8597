// Digits out of noise: a variational autoencoder (Kingma and Welling 2013, https://arxiv.org/abs/1312.6114) on the
// MNIST sample. Draws 16 new digits into vae.png. Arguments: the folder with the MNIST files, the number of epochs.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>
#include <oxbow/tools/plot/image.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

constexpr std::int64_t size = 16;  // of the code that a digit is described by

static Sequential decoder() { return {"decoder", {Dense(256, {.activation = relu}), Dense(784)}}; }

static Model build(Graph& g, const Sequential& decode = decoder()) {
  const Value x = input(g, "x", f32, {any(64), 784});
  const Sequential encode("encoder", {Dense(256, {.activation = relu}), Dense(2 * size)});

  // What the encoder says of a code: a normal distribution, from which one is drawn. The gradients reach both halves.
  const Value code = encode(x);
  const Value center = code[{range(), range(0, size)}], log_variance = code[{range(), range(size, to_end)}];
  const Value deviation = exp(0.5 * log_variance), z = center + deviation * random_normal_like(center);

  const Value error = mean(sum(binary_cross_entropy(decode(z), x, Reduction::none), 1));
  const Value squares = sum(square(concat({center, deviation}, 1)), 1), volume = sum(log_variance + 1.0, 1);
  const Value divergence = mean(squares - volume) / 2.0;
  return compile(error + divergence, optim::Adam{.learning_rate = 2e-3},
                 {.metrics = {{"error", error}, {"divergence", divergence}}});
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  Graph g;
  const Sequential decode = decoder();
  Model model = build(g, decode);

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
  const Value digits = reshape(sigmoid(decode(noise)), {16, 28, 28});
  const Program draw_digits = compile(digits, {.mode = Mode::inference});
  tools::save_image("vae.png", draw_digits.run(model.store(), {})[0], {.columns = 4, .scale = 2});
  std::printf("vae.png shows 16 digits that nobody wrote\n");
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
