// Training steps written out by hand (net.h), timed as tools/bench/compare.py times the engine's, or compared with the
// engine's.
//
//   build/bin/bench_straight NET THREADS          a worker: says "ready" after ten steps, then for each
//       line "go SECONDS" runs steps for so long and prints the median milliseconds a step
//   build/bin/bench_straight check NET THREADS    some steps beside the engine's: their losses and the weights after
//   them
#include <fmt/format.h>
#include <oxbow/oxbow.h>

#include <chrono>
#include <iostream>

#include "bench/nets.h"
#include "measure/feeds.h"
#include "net.h"

using namespace oxbow;

namespace {

using Clock = std::chrono::steady_clock;

struct Straight {
  std::string_view name;
  std::unique_ptr<straight::Net> (*make)(const straight::Start&, straight::Team&);
  int steps = 10;                      // that are compared
  double loss = 1e-4, weights = 0.02;  // what may differ from the engine's, relative
};
// Adam's first step is as long for a gradient that is rounding alone as for any other: where it has the other sign, a
// weight is apart by two steps. A batch norm has few such weights, which drive the losses of later steps apart; what is
// wrong throughout is apart by 1.4 after one step, as what has a sign by chance is.
constexpr Straight nets[] = {
    {"mlp_large", straight::mlp_large},
    {"resnet20", straight::resnet20, 1, 1e-6, 0.6},
    {"mobilenet", straight::mobilenet, 1, 1e-6, 0.6},
    {"lstm", straight::lstm},
    {"gpt", straight::gpt},
    {"gpt2_wide", straight::gpt2_wide},
};

// The engine's net of that name.
struct Built {
  Graph graph;
  std::vector<Value> fetches;
  straight::Start start;
  std::map<std::string, Tensor> feeds;
};

std::unique_ptr<Built> build(const std::string& name) {
  auto out = std::make_unique<Built>();
  for (const tools::BenchNet& n : tools::bench_net_list())
    if (n.name == name) out->fetches = n.build(out->graph);
  const Store store(out->graph);
  for (const std::string& variable : store.names())
    if (const Tensor t = store.get(variable); t.dtype() == f32)
      out->start.variables.emplace(variable, std::vector<float>(t.data<float>(), t.data<float>() + t.count()));
  for (NodeId id = 0; id < out->graph.size(); ++id)
    if (const auto* in = out->graph.node(id).op().as<ops::Input>()) {
      const Tensor t = tools::random_feed(out->graph, in->name, in->type.shape);
      if (t.dtype() == f32) {
        out->start.x.assign(t.data<float>(), t.data<float>() + t.count());
      } else {
        std::vector<int>& numbers = in->name == "label" ? out->start.labels : out->start.tokens;
        numbers.assign(t.data<std::int64_t>(), t.data<std::int64_t>() + t.count());
      }
      out->feeds.emplace(in->name, t);
    }
  return out;
}

int serve(const Straight& net, int threads) {
  straight::Team team(threads);
  const auto made = net.make(build(std::string(net.name))->start, team);
  for (int i = 0; i < 10; ++i) made->step();
  std::cout << "ready" << std::endl;
  std::string word;
  for (double seconds = 0; std::cin >> word >> seconds;) {
    std::vector<double> times;
    const auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
    for (const auto start = Clock::now(); since(start) < seconds || times.size() < 3;) {
      const auto before = Clock::now();
      made->step();
      times.push_back(1e3 * since(before));
    }
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
    std::cout << times[times.size() / 2] << std::endl;
  }
  return 0;
}

int check(const Straight& net, int threads) {
  const auto engine = build(std::string(net.name));
  straight::Team team(threads);
  const auto made = net.make(engine->start, team);
  Store store(engine->graph);
  const Program program = compile(engine->fetches, {.pool = Pool(threads)});
  double worst = 0;
  for (int i = 0; i < net.steps; ++i) {
    const double theirs = program.run(store, engine->feeds)[0].item<float>(), ours = made->step();
    worst = std::max(worst, std::abs(ours - theirs) / std::abs(theirs));
    fmt::print("step {}: engine {:.7f}, straight line {:.7f}\n", i, theirs, ours);
  }
  // Of each variable: how far both are apart, beside how far training has moved it.
  double apart = 0;
  for (const auto& [name, values] : made->variables()) {
    const Tensor t = store.get(name);
    const std::vector<float>& before = engine->start.variables.at(name);
    double difference = 0, moved = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      difference += std::pow(values[i] - t.data<float>()[i], 2);
      moved += std::pow(t.data<float>()[i] - before[i], 2);
    }
    const double ratio = moved > 0 ? std::sqrt(difference / moved) : std::sqrt(difference);
    if (ratio > net.weights) fmt::print("{}: apart by {:.4f} of what it has moved\n", name, ratio);
    apart = std::max(apart, ratio);
  }
  fmt::print("{}: losses within {:.1e}, weights within {:.1e} of what they have moved\n", net.name, worst, apart);
  return worst <= net.loss && apart <= net.weights ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  const bool checks = argc > 1 && argv[1] == std::string_view("check");
  const int first = checks ? 2 : 1;
  for (const Straight& net : nets)
    if (argc == first + 2 && net.name == argv[first]) {
      const int threads = std::max(std::atoi(argv[first + 1]), 1);
      return checks ? check(net, threads) : serve(net, threads);
    }
  std::cerr << "Usage: bench_straight [check] NET THREADS, with NET one of";
  for (const Straight& net : nets) std::cerr << " " << net.name;
  std::cerr << "\n";
  return 2;
} catch (const std::exception& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
