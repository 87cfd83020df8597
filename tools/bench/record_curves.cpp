// Records loss curves of small nets for the test of the judge of curves (tests/optim/curves.h), as CSV on standard
// output: sweeps of ten rates for each net, optimizer, batch size and seed, 100 losses a run (of small nets 240), or up
// to the first one that is not finite.
//
//   build/bin/record_curves tools/data/mnist10k rates SEED... > tests/optim/mnist_curves.csv
//   build/bin/record_curves tools/data/mnist10k overshoot SEED... > tests/optim/overshoot_curves.csv
//   build/bin/record_curves tools/data/mnist10k small SEED... > tests/optim/small_curves.csv
//
// `rates` are nets on MNIST, from rates that are far too low to rates that are far too high. `overshoot` begins near
// the edge and continues far beyond it, on nets of several kinds: regressions and classifiers, with and without batch
// norm. `small` are nets of a few units on batches of 32 rows, whose losses are noisy, with five optimizers and rates
// from 1e-3 to 50: losses that leap late, or settle anywhere about their start.
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

constexpr std::int64_t small_inputs = 12;
Value rows_of_numbers(Graph& g) { return input(g, "x", f32, {any(32), small_inputs}); }

Build small_regression(std::vector<std::int64_t> hidden, Value (*activation)(Value, At)) {
  return [hidden, activation](Graph& g) {
    Value h = rows_of_numbers(g);
    for (const std::int64_t units : hidden) h = dense(h, units, {.activation = activation});
    return mean_squared_error(dense(h, 1), input(g, "label", f32, {any(32), 1}));
  };
}

Build small_classifier(std::vector<std::int64_t> hidden, Value (*activation)(Value, At), bool normalised = false) {
  return [hidden, activation, normalised](Graph& g) {
    Value h = rows_of_numbers(g);
    for (const std::int64_t units : hidden) {
      h = dense(h, units);
      h = activation(normalised ? batch_norm(h) : h, At::current());
    }
    return cross_entropy(dense(h, 6), input(g, "label", i64, {any(32)}));
  };
}

// y = 1.5 x . a + 2 x_0 x_1 + noise: far from scaled. The class is the largest of six such lines.
Dataset small_data(bool classes) {
  constexpr std::int64_t rows = 3072;
  const double unit = std::sqrt(3.0);  // for a variance of 1
  const Tensor x = draw({rows, small_inputs}, -unit, unit, 5, f32), a = draw({6, small_inputs}, -1, 1, 6),
               noise = draw({rows, 6}, -1, 1, 7);
  Tensor y = classes ? Tensor({i64, {rows}}) : Tensor({f32, {rows, 1}});
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* v = x.data<float>() + r * small_inputs;
    double largest = 0;
    for (std::int64_t k = 0; k < 6; ++k) {
      double line = noise.data<double>()[r * 6 + k];
      for (std::int64_t i = 0; i < small_inputs; ++i) line += v[i] * a.data<double>()[k * small_inputs + i];
      if (classes && (k == 0 || line > largest)) y.data<std::int64_t>()[r] = k;
      if (!classes && k == 0) y.data<float>()[r] = static_cast<float>(1.5 * line + 2 * v[0] * v[1]);
      if (k == 0 || line > largest) largest = line;
    }
  }
  return {{"x", x}, {"label", y}};
}

void record(const Net& net, const Trainer& trainer, std::int64_t batch, std::uint64_t seed, std::size_t steps) {
  Graph g;
  g.set_seed(seed);
  Model model = compile(net.loss(g), trainer.optimizer);
  const Store first = model.store().snapshot();
  for (int k = 0; k < rates; ++k) {
    const double rate = trainer.lowest * std::pow(trainer.highest / trainer.lowest, k / (rates - 1.0));
    model.store().restore(first);
    model.set_learning_rate(rate);
    const auto enough = [steps](Progress& p) {
      p.stop = p.history.step_losses.size() == steps || !std::isfinite(p.loss);
    };
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
  if (what != "rates" && what != "overshoot" && what != "small")
    throw Error("usage: record_curves FOLDER rates|overshoot|small SEED...");
  const Mnist mnist = load_mnist(argv[1]);
  const Dataset numbers = regression_data();
  const std::size_t steps = what == "small" ? 240 : 100;

  std::vector<Net> nets = {{"linear", mnist.train, perceptron({}, relu)},
                           {"relu", mnist.train, perceptron({48, 24}, relu)},
                           {"tanh", mnist.train, perceptron({32}, tanh)}};
  std::vector<Trainer> trainers = {{"sgd", optim::SGD{}, 1e-4, 30},
                                   {"momentum", optim::SGD{.momentum = 0.9}, 1e-5, 3},
                                   {"adam", optim::Adam{}, 1e-6, 3}};
  std::vector<std::int64_t> batches = {16, 64};
  if (what == "overshoot") {
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
  if (what == "small") {
    const Dataset few = small_data(false), classes = small_data(true);
    nets = {{"line", few, small_regression({}, relu)},
            {"relu", few, small_regression({24, 24}, relu)},
            {"tanh", few, small_regression({48}, tanh)},
            {"class_relu", classes, small_classifier({32}, relu)},
            {"class_tanh", classes, small_classifier({32, 32}, tanh)},
            {"class_norm", classes, small_classifier({32}, relu, true)},
            {"class_sigmoid", classes, small_classifier({20, 20, 20}, sigmoid)},
            {"coder", few, [](Graph& g) {
               const Value x = rows_of_numbers(g);
               return mean_squared_error(dense(dense(x, 4, {.activation = relu}), small_inputs), x);
             }}};
    trainers = {{"sgd", optim::SGD{}, 1e-3, 50},
                {"momentum", optim::SGD{.momentum = 0.9}, 1e-3, 50},
                {"adam", optim::Adam{}, 1e-3, 50},
                {"rmsprop", optim::RMSprop{}, 1e-3, 50},
                {"adagrad", optim::Adagrad{}, 1e-3, 50}};
    batches = {32};
  }
  fmt::print("sweep,seed,rate,losses of {} steps\n", steps);
  for (const Net& net : nets)
    for (const Trainer& trainer : trainers)
      for (const std::int64_t batch : batches)
        for (int i = 3; i < argc; ++i) record(net, trainer, batch, std::stoull(argv[i]), steps);
} catch (const Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
