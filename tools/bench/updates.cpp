// What an optimizer's step costs: prints the table of tools/docs/optimizers.md.
//   bench_updates [THREADS]
#include <fmt/core.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

namespace {

using namespace oxbow;

constexpr int parameters = 10, rounds = 21;
constexpr std::int64_t size = 1000;

// Ten parameters whose gradients are fed.
struct Update {
  std::string name;
  double megabytes = 0;  // of gradients, which are read, and of variables, which are read and written
  std::vector<double> ms = {};
  std::vector<Tensor> gradients = {};
  std::unique_ptr<Session> session = nullptr;

  Update(std::string_view called, const optim::Optimizer& optimizer, const Pool& pool) : name(called) {
    Graph g;
    Value loss;
    for (int i = 0; i < parameters; ++i) {
      const std::string number = std::to_string(i);
      const Value gradient = input(g, "gradient" + number, f32, {size, size});
      const Value term = sum(parameter(g, "weight" + number, {f32, {size, size}}) * gradient);
      loss = loss ? loss + term : term;
    }
    const Program program = compile(optim::minimize(loss, optimizer).updates, {.pool = pool});
    const Store store(g);
    session = std::make_unique<Session>(program, store);
    for (const std::string& variable : store.names())
      megabytes += 2e-6 * static_cast<double>(store.get(variable).type().bytes());
    for (int i = 0; i < parameters; ++i) {
      gradients.push_back(draw({size, size}, -1, 1, static_cast<std::uint64_t>(i + 1), f32));
      session->feed("gradient" + std::to_string(i), gradients.back());
      megabytes += 1e-6 * static_cast<double>(gradients.back().type().bytes());
    }
  }
  void run() {
    const auto start = std::chrono::steady_clock::now();
    session->run();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const Pool pool(argc > 1 ? std::atoi(argv[1]) : 1);
  std::vector<Update> updates;
  for (const optim::Named& o : optim::optimizers()) {
    updates.emplace_back(o.name, o.optimizer, pool);
    if (o.name == "sgd") updates.emplace_back("sgd, momentum 0.9", optim::SGD{.momentum = 0.9}, pool);
  }
  for (int i = 0; i < rounds; ++i)  // in turns, so that what else the machine does meets all alike
    for (Update& u : updates) u.run();
  fmt::print("| optimizer | MB | ms | GB/s |\n|---|---|---|---|\n");
  for (Update& u : updates) {
    std::nth_element(u.ms.begin(), u.ms.begin() + rounds / 2, u.ms.end());
    const double median = u.ms[rounds / 2];
    fmt::print("| {} | {:.0f} | {:.2f} | {:.1f} |\n", u.name, u.megabytes, median, u.megabytes / median);
  }
} catch (const std::exception& e) {
  fmt::print(stderr, "bench_updates: {}\n", e.what());
  return 1;
}
