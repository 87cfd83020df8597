// Constants of a differential equation from measurements: hares and lynxes (Lotka 1925, Volterra 1926), whose four
// rates are found by gradients through 100 steps of the classical method of Runge and Kutta. Argument: the number of
// epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// What becomes of [hares, lynxes] in a unit of time: hares are born and eaten, lynxes starve and thrive on hares.
static Value change(Value animals, Value rates) {
  const Value hares = animals[0], lynxes = animals[1], meetings = hares * lynxes;
  const Value grown = rates[0] * hares - rates[1] * meetings, thrived = rates[2] * meetings - rates[3] * lynxes;
  return concat({reshape(grown, {1}), reshape(thrived, {1})}, 0);
}

// [100, 2]: both from time 0.1 to 10.
static Value simulated(Value rates) {
  const Value first = constant(rates.graph(), Tensor::of<double>({2}, {1, 1}));
  const auto step = [&](const RepeatStep& s) {
    const Value y = s.carried[0];
    const Value a = 0.1 * change(y, rates), b = 0.1 * change(y + a / 2.0, rates);
    const Value c = 0.1 * change(y + b / 2.0, rates), d = 0.1 * change(y + c, rates);
    const Value next = y + (a + 2.0 * b + 2.0 * c + d) / 6.0;
    return RepeatNext{.carried = {next}, .stacked = {next}};
  };
  return repeat(100, {first}, step).stacked[0];
}

static Model build(Graph& g) {
  const Value measured = input(g, "measured", f64, {any(1), 100, 2});
  const Value rates = exp(parameter(g, "log_rates", {f64, {4}}, init::constant(-0.5)));  // so they stay positive
  const Value path = broadcast_like(simulated(rates), measured);
  return compile(
      mean_squared_error(path, measured), optim::Adam{.learning_rate = 0.02},
      {.metrics = {{"births", rates[0]}, {"eaten", rates[1]}, {"thriving", rates[2]}, {"deaths", rates[3]}}});
}

int main(int argc, char** argv) try {
  Graph world;
  const Value truth = constant(world, Tensor::of<double>({4}, {1.1, 0.4, 0.1, 0.4}));
  const Value seen = simulated(truth) * (1.0 + 0.02 * random_normal_like(simulated(truth)));  // off by 2 %
  Store none(world);
  const Tensor measured = compile({reshape(seen, {1, 100, 2})}).run(none, {})[0];

  Graph g;
  Model model = build(g);
  const auto print = [](Progress& p) {
    if (p.epoch % 100 == 0) std::printf("epoch %3d  loss %.6f\n", p.epoch, p.history["loss"].back());
  };
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 400;
  model.fit({{"measured", measured}}, {.epochs = epochs, .batch_size = 1, .callbacks = {{.on_epoch = print}}});
  const auto found = model.evaluate({{"measured", measured}});
  std::printf("births %.3f (1.1), eaten %.3f (0.4), thriving %.3f (0.1), deaths %.3f (0.4)\n", found["births"],
              found["eaten"], found["thriving"], found["deaths"]);
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
