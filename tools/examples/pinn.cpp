// A network that obeys an equation: a physics-informed network (Raissi et al. 2017, https://arxiv.org/abs/1711.10561)
// finds how a damped spring moves, u'' + u' / 2 + 4 u = 0 with u = 1 and at rest at first, from the equation alone.
// Draws that beside the exact solution into pinn.svg. Argument: the number of epochs.
#include <oxbow/oxbow.h>
#include <oxbow/tools/plot/plot.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numbers>

using namespace oxbow;

static Value exact(Value t) {
  const double frequency = std::sqrt(4 - 0.25 * 0.25);
  const Value turns = t * (frequency / std::numbers::pi);
  const Value wave = cospi(turns), rest = sinpi(turns) * (0.25 / frequency), damping = exp(-0.25 * t);
  return damping * (wave + rest);
}

static Model build(Graph& g) {
  const Value t = input(g, "t", f32, {any(128), 1});
  const Sequential net{Dense(64, {.activation = tanh}), Dense(64, {.activation = tanh}), Dense(1)};
  const Value says = net(t / 4.0), u = 1.0 + square(tanh(t)) * says;  // 1 and at rest at first, whatever it says

  // Each u depends on its own t alone, so that the slopes of the sum are theirs.
  const Value speed = gradients(sum(u), {t})[0];
  const Value acceleration = gradients(sum(speed), {t})[0];
  const Value friction = speed / 2.0, spring = 4.0 * u;
  const Value loss = mean(square(acceleration + friction + spring)), truth = exact(t);
  return compile(loss, optim::Adam{.learning_rate = optim::Cosine{.initial = 5e-3, .steps = 16000}},
                 {.metrics = {{"error", max(abs(u - truth))}}, .predictions = concat({t, truth, u}, 1)});
}

int main(int argc, char** argv) try {
  Graph g;
  Model model = build(g);
  const auto print = [](Progress& p) {
    if (p.epoch % 400 == 0) std::printf("epoch %4d  residual %.6f\n", p.epoch, p.history["loss"].back());
  };
  model.fit({{"t", draw({1024, 1}, 0, 8, 1, f32)}},
            {.epochs = argc > 1 ? std::atoi(argv[1]) : 2000, .batch_size = 128, .callbacks = {{.on_epoch = print}}});

  Tensor times({f32, {81, 1}});
  for (int i = 0; i <= 80; ++i) times.data<float>()[i] = 0.1f * static_cast<float>(i);
  std::printf("nowhere off by more than %.5f\n", model.evaluate({{"t", times}})["error"]);
  auto curves = tools::lines(model.predict(times), {"exact", "the network"});
  curves[1].points = true;
  std::ofstream("pinn.svg") << tools::svg({.x_label = "time", .panels = {{.y_label = "u", .series = curves}}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
