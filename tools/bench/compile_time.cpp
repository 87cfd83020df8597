// What it costs to get from a program's start to its first step: microseconds a node of each arrow (build, gradients,
// specialise, every pass, plan), in CPU time, for graphs of a thousand to a hundred thousand nodes, and the first step
// of the MLP.
//   bench_compile
#include <fmt/format.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/plan.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>

#include "nets.h"

namespace {

using namespace oxbow;
using Clock = std::chrono::steady_clock;

// This thread's time on a CPU: what others do on the machine at the same time does not count.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

// The kernel's own note of when this process began, to a hundredth of a second.
double since_process_start() {
  std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
  std::string field;
  for (int i = 0; i < 22; ++i) stat >> field;
  double now = 0;
  uptime >> now;
  return now - std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// One elementwise op after another, and the gradient of the last value's sum.
Value chain(Graph& g, int nodes) {
  Value x = input(g, "x", f32, {any(64)});
  const Value w = variable(g, "w", {f32, {64}}, {.kind = Init::Kind::constant, .a = 0.5});
  while (g.size() < nodes / 3) x = tanh(x * w);
  return sum(x);
}

// Branches of eight times tanh(x w), each product with a parameter of its own.
Value branches(Graph& g, int nodes) {
  const Value x = input(g, "x", f32, {any(16), 16});
  Value total;
  for (int b = 0; g.size() < nodes / 8; ++b) {
    const Scope scope(g, "branch" + std::to_string(b));
    Value h = x;
    for (int k = 0; k < 8; ++k) h = tanh(matmul(h, parameter(g, "weight" + std::to_string(k), {f32, {16, 16}})));
    total = total ? total + mean(h) : mean(h);
  }
  return total;
}

struct Row {
  std::string stage;
  std::vector<double> microseconds;  // a node, by size
};

// One column of the table: all stages of one graph, in microseconds a node of the graph as it is differentiated.
void measure(bool wide, int nodes, std::vector<Row>& rows, std::vector<NodeId>& sizes) {
  std::vector<std::pair<std::string, double>> times;
  const auto timed = [&](const std::string& stage, auto&& work) {
    const double start = cpu_seconds();
    auto result = work();
    times.emplace_back(stage, cpu_seconds() - start);
    return result;
  };
  Graph g;
  const Value loss = timed("build", [&] { return wide ? branches(g, nodes) : chain(g, nodes); });
  const std::vector<Value> fetches = timed(wide ? "gradients, Adam" : "gradients", [&] {
    return wide ? optim::minimize(loss, optim::Adam{}).fetches()
                : std::vector<Value>{loss, gradients(loss, variables(g))[0]};
  });
  internal::Rewritten now = timed("specialise", [&] { return internal::specialise(g, fetches, {}, Mode::training); });
  int number = 0;
  for (const internal::Pass& pass : internal::passes()) {
    auto next = timed(fmt::format("{} {}", ++number, pass.name),
                      [&] { return pass.run(*now.graph, {.mode = Mode::training, .threads = 1}); });
    if (next) now = std::move(*next);
  }
  timed("plan", [&] { return make_plan(now.graph, 1); });
  timed("compile as a whole", [&] { return compile(fetches); });
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (rows.size() == i) rows.push_back({times[i].first, {}});
    rows[i].microseconds.push_back(1e6 * times[i].second / static_cast<double>(g.size()));
  }
  sizes.push_back(g.size());
}

void table(bool wide) {
  std::vector<Row> rows;
  std::vector<NodeId> sizes;
  for (const int nodes : {1'000, 10'000, 100'000}) measure(wide, nodes, rows, sizes);
  fmt::print("\n{:<26}", wide ? "us a node: branches" : "us a node: chain");
  for (const NodeId size : sizes) fmt::print("{:>10}", size);
  fmt::print("\n");
  for (const Row& row : rows) {
    fmt::print("{:<26}", row.stage);
    for (const double us : row.microseconds) fmt::print("{:>10.2f}", us);
    fmt::print("\n");
  }
}

void first_step() {
  const auto start = Clock::now();
  const double before = since_process_start();
  Graph g;
  const std::vector<Value> fetches = tools::bench_net_list()[0].build(g);
  const double built = seconds(start);
  const Program program = compile(fetches);
  const double compiled = seconds(start);
  Session session(program, Store(g));
  const auto data = tools::feeds(program);
  for (const auto& [name, tensor] : data) session.feed(name, tensor);
  const double ready = seconds(start);
  session.run();
  const double done = seconds(start);
  fmt::print(
      "first step of the MLP, ms: loading {:.0f}, build {:.2f}, compile {:.2f}, variables {:.2f}, step {:.2f}; "
      "{:.0f} from process start\n",
      1e3 * before, 1e3 * built, 1e3 * (compiled - built), 1e3 * (ready - compiled), 1e3 * (done - ready),
      1e3 * (before + done));
}

}  // namespace

int main() {
  first_step();
  table(false);
  table(true);
}
