// What the engine itself costs: compile time a node, and run time a node, on graphs of tiny nodes.
//   bench_overhead
#include <fmt/format.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <chrono>

namespace {

using namespace oxbow;

double microseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - since).count();
}

// `nodes` sums of two earlier values of 4 floats each, eight of the last values being open at any time.
Value tangle(Graph& g, int nodes) {
  std::vector<Value> open{input(g, "x", f32, {4}),
                          variable(g, "w", {f32, {4}}, {.kind = Init::Kind::constant, .a = 0.5})};
  for (int i = 0; i < nodes; ++i) {
    const auto n = static_cast<int>(open.size());
    const Value next = open[static_cast<std::size_t>(i * 7 % n)] + open[static_cast<std::size_t>(n - 1)];
    if (n < 8)
      open.push_back(next);
    else
      open[static_cast<std::size_t>(i % 7)] = std::exchange(open.back(), next);
  }
  return open.back();
}

void measure(int nodes, int threads) {
  Graph g;
  auto start = std::chrono::steady_clock::now();
  const Value y = tangle(g, nodes);
  const double build = microseconds(start);

  const CompileOptions options{.pool = Pool(threads), .disable = {"fuse"}};  // so that every node is run
  start = std::chrono::steady_clock::now();
  const Program program = compile({y}, options);
  const double compiling = microseconds(start);

  const internal::Rewritten rewritten =
      internal::rewrite(*internal::specialise(g, {{y}}, {}, Mode::training).graph,
                        {.context = {.mode = Mode::training, .threads = threads}, .disable = options.disable});
  start = std::chrono::steady_clock::now();
  const auto plan = make_plan(rewritten.graph, threads);
  const double planning = microseconds(start);

  const Store store(g);
  Session session(program, store);
  const std::vector<float> x{1e-3f, 0, -1e-3f, 1};
  session.feed<float>("x", x);
  session.run();
  double best = 1e30;
  for (int i = 0; i < std::max(5, 2'000'000 / nodes); ++i) {
    start = std::chrono::steady_clock::now();
    session.run();
    best = std::min(best, microseconds(start));
  }
  const double n = nodes;
  fmt::print("{:>7} {:>8} {:>10.2f} {:>12.2f} {:>14.2f} {:>10.1f} {:>8} {:>12} {:>12}\n", nodes, threads, build / n,
             compiling / n, planning / n, best * 1000 / static_cast<double>(plan->steps.size()), plan->groups.size(),
             plan->arena_bytes, plan->lower_bound);
}

}  // namespace

int main() {
  fmt::print("{:>7} {:>8} {:>10} {:>12} {:>14} {:>10} {:>8} {:>12} {:>12}\n", "nodes", "threads", "build us/n",
             "compile us/n", "of that plan", "run ns/n", "groups", "arena bytes", "lower bound");
  for (const int threads : {1, 2})
    for (const int nodes : {1'000, 10'000, 100'000}) measure(nodes, threads);
}
