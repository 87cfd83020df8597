#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>

using namespace oxbow;

int main() {
  // 256 points of a sine.
  Tensor x({f32, {256, 1}}), y({f32, {256, 1}});
  for (std::size_t i = 0; i < 256; ++i) {
    x.span<float>()[i] = static_cast<float>(i) / 128 - 1;
    y.span<float>()[i] = std::sin(3 * x.span<float>()[i]);
  }

  Graph g;
  const Value in = input(g, "x", f32, {any(32), 1});  // any number of samples; 32 serves the checks
  const Value truth = input(g, "y", f32, {any(32), 1});
  const Value hidden = dense(in, 32, {.activation = tanh});
  const Value guess = dense(hidden, 1).named("guess");

  Model model = compile(mean_squared_error(guess, truth), optim::Adam{.learning_rate = 0.01}, {.predictions = guess});
  const History history = model.fit({{"x", x}, {"y", y}}, {.epochs = 200, .batch_size = 32});
  std::printf("loss %.2f after one epoch, %.2f after %d\n", history.epochs.front().results["loss"],
              history.epochs.back().results["loss"], history.epochs.back().number);

  model.export_model("sine.oxb");
  const SavedModel served = load_model("sine.oxb");  // in another program: it needs none of the lines above
  const Tensor guessed = served.predict(Tensor::of<float>({2, 1}, {-0.5, 0.5}));
  std::printf("sin(3 x) is about %.1f at x = -0.5, %.1f at 0.5\n", guessed.span<float>()[0], guessed.span<float>()[1]);
}
