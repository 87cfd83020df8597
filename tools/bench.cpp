#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "bench/nets.h"
#include "cli.h"
#include "commands.h"
#include "feeds.h"
#include "load.h"

namespace oxbow::tools {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The median time of a step, in milliseconds, over so many seconds.
double median_step(Session& session, double seconds) {
  std::vector<double> times;
  for (const auto start = Clock::now(); since(start) < seconds || times.size() < 3;) {
    const auto before = Clock::now();
    session.run();
    times.push_back(1e3 * since(before));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// What compare.py talks to: "go SECONDS" in, the median out.
void serve(Session& session) {
  std::cout << "ready" << std::endl;
  std::string go;
  for (double seconds = 0; std::cin >> go >> seconds;) std::cout << median_step(session, seconds) << std::endl;
}

// What to fetch of the net of this name, in a graph that is kept alive: one of the compared nets, an example or a file.
std::pair<std::shared_ptr<Graph>, std::vector<Value>> build(const std::string& name) {
  for (const BenchNet& net : bench_net_list()) {
    if (net.name != name) continue;
    auto graph = std::make_shared<Graph>();
    auto wanted = net.build(*graph);
    return {std::move(graph), std::move(wanted)};
  }
  auto graph = load_graph(name);
  auto wanted = fetches(*graph);
  return {std::move(graph), std::move(wanted)};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> bench_nets() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const BenchNet& n : bench_net_list()) out.emplace_back(n.name, n.what);
  return out;
}

int bench(const BenchCommand& o) {
  std::vector<std::string> names = o.nets;
  if (names.empty())
    for (const BenchNet& n : bench_net_list()) names.emplace_back(n.name);
  if (o.worker && names.size() != 1) throw Error("--worker measures one net: name it");
  const Pool pool = o.threads > 0 ? Pool(o.threads) : Pool::shared();
  if (!o.worker) fmt::print("{:<10} {:>12} {:>12}   {} threads\n", "net", "ms a step", "compile ms", pool.threads());
  for (const std::string& name : names) {
    const auto [graph, wanted] = build(name);
    const auto start = Clock::now();
    const Program program =
        compile(wanted, {.pool = pool, .numerics = {.check = read_check_numerics(o.check_numerics)}});
    Session session(program, Store(*graph));
    std::vector<Tensor> data;  // which the session reads where it is
    for (const Input& in : program.inputs()) {
      data.push_back(random_feed(*graph, in.name, in.type.shape));
      session.feed(in.name, data.back());
    }
    session.run();  // plans
    const double compiled = 1e3 * since(start);
    median_step(session, 0.1);
    if (o.worker)
      serve(session);
    else
      fmt::print("{:<10} {:>12.4f} {:>12.1f}\n", name, median_step(session, o.seconds), compiled);
  }
  return 0;
}

}  // namespace oxbow::tools
