// Records loss curves of small nets for the test of the judge of curves (tests/optim/curves.h), as CSV on standard
// output: sweeps of ten rates for each net, optimizer, batch size and seed, 100 losses a run, or up to the first one
// that is not finite.
//
//   build/bin/record_curves tools/data/mnist10k rates SEED... > tests/optim/mnist_curves.csv
//   build/bin/record_curves tools/data/mnist10k overshoot SEED... > tests/optim/overshoot_curves.csv
//
// `rates` are nets on MNIST, from rates that are far too low to rates that are far too high. `overshoot` begins near
// the edge and continues far beyond it, on nets of several kinds: regressions and classifiers, with and without batch
// norm.
#include <fmt/format.h>
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

using namespace oxbow;

namespace {

constexpr int rates = 10;
constexpr std::size_t steps = 100;

/// A graph's loss, on `x` and `label`.
using Build = std::function<Value(Graph&)>;
struct Net {
  const char* name;
  Dataset data;
  Build loss;
};
struct Trainer {
  const char* name;
  optim::Optimizer optimizer;
  double lowest, highest;  // rates
};

Value classified(Value h) { return cross_entropy(dense(h, 10), input(h.graph(), "label", i64, {any(64)})); }
Value pixels(Graph& g) { return input(g, "x", f32, {any(64), 784}); }

Build perceptron(std::vector<std::int64_t> hidden, Value (*activation)(Value, At)) {
  return [hidden, activation](Graph& g) {
    Value h = pixels(g);
    for (const std::int64_t units : hidden) h = dense(h, units, {.activation = activation});
    return classified(h);
  };
}

Value convolutional(Graph& g, bool normalised) {
  Value h = reshape(pixels(g), {-1, 28, 28, 1});
  for (const std::int64_t filters : {8, 16}) {
    h = conv(h, filters, {.stride = 2});
    h = relu(normalised ? batch_norm(h) : h);
  }
  return classified(flatten(h));
}

/// Predicts numbers from 8 inputs: `data` of `regression_data`.
Build regression(std::vector<std::int64_t> hidden, Value (*activation)(Value, At)) {
  return [hidden, activation](Graph& g) {
    Value h = input(g, "x", f32, {any(64), 8});
    for (const std::int64_t units : hidden) h = dense(h, units, {.activation = activation});
    return mean_squared_error(dense(h, 1), input(g, "label", f32, {any(64), 1}));
  };
}

// y = sin(3 x . a) + x . b + noise, inputs of different scales.
Dataset regression_data() {
  constexpr std::int64_t rows = 4096, inputs = 8;
  Tensor x = draw({rows, inputs}, -1, 1, 1, f32), y({f32, {rows, 1}});
  const Tensor a = draw({inputs}, -1, 1, 2), b = draw({inputs}, -1, 1, 3), noise = draw({rows}, -0.2, 0.2, 4);
  for (std::int64_t r = 0; r < rows; ++r) {
    double inside = 0, line = 0;
    for (std::int64_t i = 0; i < inputs; ++i) {
      float& v = x.data<float>()[r * inputs + i];
      v *= static_cast<float>(std::pow(2.0, static_cast<double>(i % 4) - 1));
      inside += v * a.data<double>()[i];
      line += v * b.data<double>()[i];
    }
    y.data<float>()[r] = static_cast<float>(std::sin(3 * inside) + line + noise.data<double>()[r]);
  }
  return {{"x", x}, {"label", y}};
}

void record(const Net& net, const Trainer& trainer, std::int64_t batch, std::uint64_t seed) {
  Graph g;
  g.set_seed(seed);
  Model model = compile(net.loss(g), trainer.optimizer);
  const Store first = model.store().snapshot();
  for (int k = 0; k < rates; ++k) {
    const double rate = trainer.lowest * std::pow(trainer.highest / trainer.lowest, k / (rates - 1.0));
    model.store().restore(first);
    model.set_learning_rate(rate);
    const auto enough = [](Progress& p) { p.stop = p.history.step_losses.size() == steps || !std::isfinite(p.loss); };
    const History history =
        model.fit(net.data, {.epochs = 10, .batch_size = batch, .seed = seed, .callbacks = {{.on_step = enough}}});
    fmt::print("{}-{}-{},{},{:.4g}", net.name, trainer.name, batch, seed, rate);
    for (const double loss : history.step_losses) fmt::print(",{:.3g}", loss);
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc < 4 ? "" : argv[2];
  if (what != "rates" && what != "overshoot") throw Error("usage: record_curves FOLDER rates|overshoot SEED...");
  const Mnist mnist = load_mnist(argv[1]);
  const Dataset numbers = regression_data();
  const bool beyond = what == "overshoot";

  std::vector<Net> nets = {{"linear", mnist.train, perceptron({}, relu)},
                           {"relu", mnist.train, perceptron({48, 24}, relu)},
                           {"tanh", mnist.train, perceptron({32}, tanh)}};
  std::vector<Trainer> trainers = {{"sgd", optim::SGD{}, 1e-4, 30},
                                   {"momentum", optim::SGD{.momentum = 0.9}, 1e-5, 3},
                                   {"adam", optim::Adam{}, 1e-6, 3}};
  std::vector<std::int64_t> batches = {16, 64};
  if (beyond) {
    nets = {{"relu", mnist.train, perceptron({48, 24}, relu)},
            {"deep", mnist.train, perceptron({64, 64, 64, 64}, relu)},
            {"tanh", mnist.train, perceptron({32, 32}, tanh)},
            {"conv", mnist.train, [](Graph& g) { return convolutional(g, false); }},
            {"conv_norm", mnist.train, [](Graph& g) { return convolutional(g, true); }},
            {"line", numbers, regression({}, relu)},
            {"fit_relu", numbers, regression({32, 32}, relu)},
            {"fit_tanh", numbers, regression({32, 32}, tanh)}};
    trainers = {{"sgd", optim::SGD{}, 0.02, 50},
                {"momentum", optim::SGD{.momentum = 0.9}, 0.005, 10},
                {"adam", optim::Adam{}, 0.003, 30}};
    batches = {64};
  }
  fmt::print("sweep,seed,rate,losses of {} steps\n", steps);
  for (const Net& net : nets)
    for (const Trainer& trainer : trainers)
      for (const std::int64_t batch : batches)
        for (int i = 3; i < argc; ++i) record(net, trainer, batch, std::stoull(argv[i]));
} catch (const Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
