// A training whose parts are one's own: a schedule, an optimizer, a metric, a callback. Argument: the number of epochs.
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace oxbow;

struct InverseRoot {  // a rate that falls as the square root of time
  static constexpr optim::ScheduleInfo info{.name = "inverse_root"};
  double initial = 0.005;
  static void attributes(auto&& visit) { visit("initial", &InverseRoot::initial); }
  bool operator==(const InverseRoot&) const = default;
  Value rate(Value step) const { return initial * rsqrt(1.0 + step / 20.0); }
};

// Signum (Bernstein et al. 2018, https://arxiv.org/abs/1802.04434): steps of one size, along the sign of the gradients'
// mean.
struct Signum {
  static constexpr optim::OptimizerInfo info{.name = "signum"};
  static constexpr optim::SlotName m{"m"};
  optim::Rate learning_rate = InverseRoot{};
  double beta = 0.9;
  static void attributes(auto&& visit) { visit("learning_rate", &Signum::learning_rate), visit("beta", &Signum::beta); }
  bool operator==(const Signum&) const = default;
  std::vector<optim::Slot> slots(const ops::Variable& p) const { return {{m, p.type}}; }
  optim::Updated update(const optim::Step& s) const {
    const Value mean = beta * s[m] + (1 - beta) * s.gradient;
    return {s.parameter - s.rate * sign(mean), {{m, mean}}};
  }
};

static Model build(Graph& g) {
  const Value x = input(g, "x", f32, {any(32), 2}), y = input(g, "y", f32, {any(32), 1});
  const Value guess = Sequential{Dense(64, {.activation = tanh}), Dense(1)}(x);
  const Value near = mean(cast(abs(guess - y) < 0.1, f32));  // a metric: how many are off by less than 0.1
  return compile(mean_squared_error(guess, y), Signum{}, {.metrics = {{"near", near}}});
}

int main(int argc, char** argv) try {
  const Tensor x = draw({1024, 2}, -1, 1, 1, f32);
  Tensor y({f32, {1024, 1}});
  for (std::size_t i = 0; i < 1024; ++i)
    y.span<float>()[i] = std::sin(3 * x.span<float>()[2 * i] + x.span<float>()[2 * i + 1]);
  Graph g;
  Model model = build(g);
  const auto [train, test] = Dataset({{"x", x}, {"y", y}}).split(0.2);
  const auto enough = [](Progress& p) {  // a callback: prints, and ends the training when it is good
    const double near = p.history["val_near"].back();
    if (p.epoch % 20 == 0) std::printf("epoch %3d: %.0f %% of the points are near\n", p.epoch, 100 * near);
    p.stop = near > 0.98;
  };
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 200;
  const History h = model.fit(train, {.epochs = epochs, .validation = test, .callbacks = {{.on_epoch = enough}}});
  std::printf("after %d epochs %.0f %%\n", h.epochs.back().number, 100 * h["val_near"].back());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
