// Records loss curves of small nets on MNIST for the test of the judge of curves (tests/support/curves.h): sweeps of
// ten rates for each net, optimizer, batch size and seed, 100 steps a run, as CSV on standard output.
//
//   build/bin/record_curves tools/data/mnist10k SEED... > tests/support/mnist_curves.csv
#include <fmt/format.h>
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

using namespace oxbow;

namespace {

constexpr int steps = 100, rates = 10;

struct Net {
  const char* name;
  std::vector<std::int64_t> hidden;
  Value (*activation)(Value, At);
};
struct Trainer {
  const char* name;
  optim::Optimizer optimizer;
  double lowest, highest;  // rates
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw Error("usage: record_curves FOLDER SEED...");
  const Mnist mnist = load_mnist(argv[1]);
  const std::vector<std::string> seeds(argv + 2, argv + argc);
  const Net nets[] = {{"linear", {}, relu}, {"relu", {48, 24}, relu}, {"tanh", {32}, tanh}};
  const Trainer trainers[] = {{"sgd", optim::SGD{}, 1e-4, 30},
                              {"momentum", optim::SGD{.momentum = 0.9}, 1e-5, 3},
                              {"adam", optim::Adam{}, 1e-6, 3}};
  fmt::print("sweep,seed,rate,losses of {} steps\n", steps);
  for (const Net& net : nets)
    for (const Trainer& trainer : trainers)
      for (const std::int64_t batch : {16, 64})
        for (const std::string& text : seeds) {
          const std::uint64_t seed = std::stoull(text);
          Graph g;
          g.set_seed(seed);
          const Value x = input(g, "x", f32, {any(64), 784}), label = input(g, "label", i64, {any(64)});
          Value h = x;
          for (const std::int64_t units : net.hidden) h = dense(h, units, {.activation = net.activation});
          Model model = compile(cross_entropy(dense(h, 10), label), trainer.optimizer);
          const Store first = model.store().snapshot();
          for (int k = 0; k < rates; ++k) {
            const double rate = trainer.lowest * std::pow(trainer.highest / trainer.lowest, k / (rates - 1.0));
            model.store().restore(first);
            model.set_learning_rate(rate);
            const auto enough = [](Progress& p) { p.stop = p.history.step_losses.size() == steps; };
            const History history =
                model.fit(mnist.train, {.batch_size = batch, .seed = seed, .callbacks = {{.on_step = enough}}});
            fmt::print("{}-{}-{},{},{:.4g}", net.name, trainer.name, batch, seed, rate);
            for (const double loss : history.step_losses) fmt::print(",{:.3g}", loss);
            fmt::print("\n");
          }
        }
} catch (const Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
