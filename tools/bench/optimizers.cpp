// Trains XOR, two spirals and MNIST by every optimizer, and prints the table of tools/docs/optimizers.md.
//
//   build/bin/bench_optimizers [FOLDER WITH MNIST]
#include <fmt/core.h>
#include <oxbow/oxbow.h>

#include <cmath>
#include <numbers>

using namespace oxbow;

namespace {

struct Problem {
  std::string name;
  Dataset train, test;
  FitOptions fit;
  Value (*logits)(Value x);
  std::vector<Dim> shape;
};

Value bent(Value x, At at) { return tanh(x, at); }
Value two_layers(Value x) { return dense(dense(dense(x, 32, {.activation = bent}), 32, {.activation = bent}), 2); }
Value small(Value x) { return dense(dense(x, 8, {.activation = bent}), 2); }
Value perceptron(Value x) { return dense(dense(x, 128, {.activation = relu}), 10); }

Dataset xor_points() {
  return {{"x", Tensor::of<float>({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1})},
          {"label", Tensor::of<std::int64_t>({4}, {0, 1, 1, 0})}};
}

// Two arms of one turn, with noise; even rows are one arm.
Dataset spirals(std::int64_t n, std::uint64_t seed) {
  Tensor x({f32, {n, 2}}), label({i64, {n}});
  const Tensor noise = draw({n, 2}, -0.03, 0.03, seed, f64), along = draw({n}, 0, 1, seed + 1, f64);
  for (std::int64_t i = 0; i < n; ++i) {
    const double radius = std::sqrt(along.data<double>()[i]);
    const double angle = 2 * std::numbers::pi * radius + static_cast<double>(i % 2) * std::numbers::pi;
    x.data<float>()[2 * i] = static_cast<float>(radius * std::cos(angle) + noise.data<double>()[2 * i]);
    x.data<float>()[2 * i + 1] = static_cast<float>(radius * std::sin(angle) + noise.data<double>()[2 * i + 1]);
    label.data<std::int64_t>()[i] = i % 2;
  }
  return {{"x", x}, {"label", label}};
}

// Accuracy on the test data after training from the same start.
double accuracy(const Problem& p, const optim::Optimizer& optimizer) {
  Graph g;
  g.set_seed(1);
  const Value x = input(g, "x", f32, p.shape), label = input(g, "label", i64, {any(4)});
  const Value logits = p.logits(x);
  const Value right = mean(cast(equal(argmax(logits, 1), label), f32));
  Model model = compile(cross_entropy(logits, label), optimizer, {.metrics = {{"accuracy", right}}});
  model.fit(p.train, p.fit);
  return model.evaluate(p.test)["accuracy"];
}

// The best of seven rates about the default one.
struct Found {
  double rate, accuracy;
};
Found tuned(const Problem& p, const optim::Optimizer& optimizer) {
  Found best{0, -1};
  for (const double factor : {0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0}) {
    const double rate = optimizer.learning_rate().at(0) * factor;
    const double reached = accuracy(p, optimizer.with("learning_rate", rate));
    if (reached > best.accuracy) best = {rate, reached};
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  const Problem problems[] = {
      {"XOR", xor_points(), xor_points(), {.epochs = 500, .batch_size = 4}, small, {any(4), 2}},
      {"spirals", spirals(512, 1), spirals(512, 3), {.epochs = 200, .batch_size = 32}, two_layers, {any(4), 2}},
      {"MNIST", mnist.train, mnist.test, {.epochs = 3, .batch_size = 64}, perceptron, {any(4), 784}}};
  fmt::print("| optimizer | rate |");
  for (const Problem& p : problems) fmt::print(" {} | best at |", p.name);
  fmt::print("\n|---|---|---|---|---|---|---|---|\n");
  for (const optim::Named& o : optim::optimizers()) {
    // FTRL loses its initial weights unless its sum starts near 0.
    const optim::Optimizer optimizer =
        o.name == "ftrl" ? o.optimizer.with("initial_accumulator_value", 1e-6) : o.optimizer;
    fmt::print("| {} | {:g} |", o.name, optimizer.learning_rate().at(0));
    for (const Problem& p : problems) {
      const Found best = tuned(p, optimizer);
      fmt::print(" {:.1f} % | {:.1f} % at {:g} |", 100 * accuracy(p, optimizer), 100 * best.accuracy, best.rate);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
} catch (const Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
