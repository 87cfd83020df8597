#include "measure/time_tasks.h"

#include <oxbow/graph/op.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "measure/feeds.h"

namespace oxbow::tools {
namespace {

// Where workers would come from, and none does: plans are made for so many threads, and the caller runs them alone.
struct Nobody {
  int threads;
  int max_concurrency() const { return threads; }
  template <class Job>
  void enqueue(const Job&) const {}
};

Session session_of(const Graph& graph, const std::vector<Value>& fetches, const Pool& pool) {
  const Program program = compile(fetches, {.pool = pool});
  Session session(program, Store(graph));
  for (const ops::Input& in : program.inputs()) session.feed(in.name, random_feed(graph, in.name, in.type.shape));
  for (int run = 0; run < 2; ++run) session.run();
  return session;
}

// The lower quartile: other programs on the machine make some runs slow, and none quick.
double quartile(std::vector<double> all) {
  const auto quarter = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 4);
  std::nth_element(all.begin(), quarter, all.end());
  return *quarter;
}

// All bytes that a run has to do with.
std::int64_t bytes_of(const Plan& plan) {
  std::int64_t bytes = plan.arena_bytes;
  for (const auto* leaves : {&plan.inputs, &plan.variables, &plan.constants})
    for (const Plan::Leaf& leaf : *leaves) bytes += plan.graph->node(leaf.node).output().type().bytes();
  return bytes;
}

// Adds up events, of which there are as many as steps have chunks, to tasks.
TimedTasks add_up(const Trace& trace, const std::vector<double>& event_ns, double between, const TimingOfTasks& how) {
  const Plan& plan = trace.plan();
  TimedTasks timed{.run = trace, .costs = {}, .step_ns = std::vector<double>(plan.steps.size())};
  timed.costs.resize(plan.group_of_task.size());
  std::vector<std::uint32_t> group_of(plan.steps.size());
  for (std::uint32_t g = 0; g < plan.groups.size(); ++g)
    std::fill(group_of.begin() + plan.groups[g].first, group_of.begin() + plan.groups[g].last, g);
  std::vector<double> touched(plan.steps.size());  // bytes; none where all find room in a cache
  if (bytes_of(plan) > how.cache_bytes)
    for (std::size_t s = 0; s < touched.size(); ++s)
      if (plan.steps[s].node >= 0) {
        const Node n = plan.graph->node(plan.steps[s].node);
        touched[s] = n.op().work(n.input_types()).bytes;
      }
  for (std::size_t i = 0; i < event_ns.size(); ++i) {
    const Trace::Event& e = trace.events()[i];
    TaskCost& cost = timed.costs[plan.groups[group_of[e.step]].first_task + static_cast<std::uint32_t>(e.chunk)];
    timed.step_ns[e.step] = std::max(timed.step_ns[e.step], event_ns[i]);
    cost.ns += event_ns[i];
    cost.memory += std::min(event_ns[i], touched[e.step] / e.chunks / how.bytes_per_ns);  // ns so far
  }
  for (TaskCost& c : timed.costs) {
    c.ns += between;
    c.memory /= std::max(c.ns, 1.0);
  }
  return timed;
}

}  // namespace

TimedTasks time_tasks(const Graph& graph, const std::vector<Value>& fetches, const TimingOfTasks& how) {
  Nobody nobody{how.threads};
  Session alone = session_of(graph, fetches, Pool::from(nobody));
  std::optional<Session> together;
  if (how.measure) together = session_of(graph, fetches, Pool(how.threads));
  Trace trace;
  alone.run(trace);
  const std::size_t count = trace.events().size();
  std::vector<std::vector<double>> times(count);
  std::vector<double> between, real;
  constexpr int turn = 4;  // runs, and one before them that finds the other's data in cache
  while (static_cast<int>(between.size()) < how.runs) {
    alone.run();
    for (int run = 0; run < turn; ++run) {
      alone.run(trace);
      double busy = 0;
      for (std::size_t i = 0; i < count; ++i) {
        times[i].push_back(static_cast<double>(trace.events()[i].end - trace.events()[i].begin));
        busy += times[i].back();
      }
      between.push_back((static_cast<double>(trace.wall()) - busy) /
                        static_cast<double>(trace.plan().group_of_task.size()));
    }
    if (!together) continue;
    Trace whole;
    together->run(whole);
    for (int run = 0; run < turn; ++run) {
      together->run(whole);
      real.push_back(static_cast<double>(whole.wall()));
    }
  }
  std::vector<double> event_ns;
  for (const auto& t : times) event_ns.push_back(quartile(t));
  TimedTasks timed = add_up(trace, event_ns, std::max(0.0, quartile(between)), how);
  timed.measured_ns = real.empty() ? 0 : quartile(real);
  return timed;
}

// From the kernel: what the C library says of AMD's is ten times as much on some.
std::int64_t largest_cache() {
  std::int64_t most = 0;
  for (int index = 0;; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    std::int64_t size = 0;
    char unit = 0;
    if (!(file >> size >> unit)) return most;
    most = std::max(most, size * (unit == 'K' ? 1 << 10 : unit == 'M' ? 1 << 20 : 1));
  }
}

}  // namespace oxbow::tools
