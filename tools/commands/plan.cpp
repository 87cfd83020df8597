// oxbow plan: how a step would run on so many cores.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "commands/cli.h"
#include "commands/load.h"
#include "measure/machine_peak.h"
#include "measure/profile_report.h"
#include "measure/time_tasks.h"

namespace oxbow::tools {
namespace {

struct PlanCommand {
  std::string graph, picture;
  int cores = 0, runs = 12, top = 10;
  double bandwidth = 0;  ///< GB/s, of all cores; 0: this machine's
  bool check = false, estimates = false;
};

// All up to eight, then doubled ones, and the last.
std::vector<int> counts(int cores) {
  std::vector<int> out;
  for (int n = 1; n < cores; n = n < 8 ? n + 1 : 2 * n) out.push_back(n);
  out.push_back(cores);
  return out;
}

struct OfCores {
  TimedTasks timed;
  SimulatedMachine machine;
  Simulated run;
  Bounds bounds;
  double hand_over = 0;  ///< ns that the run takes longer because tasks are handed over
};

// The largest of the bounds, unless the run takes clearly longer than that.
std::string bound_by(const OfCores& of) {
  constexpr double clearly = 1.1;
  const std::pair<double, const char*> all[] = {
      {of.bounds.work, "work"}, {of.bounds.critical_path, "critical path"}, {of.bounds.memory, "memory"}};
  const auto& [ns, what] = *std::ranges::max_element(all, {}, &std::pair<double, const char*>::first);
  if (of.run.ns < clearly * ns) return what;
  return of.run.ns - of.hand_over < clearly * ns ? "hand-over" : "order of tasks";
}

OfCores simulate_on(int cores, const Net& net, const TimingOfTasks& timing, double buses) {
  OfCores of{.timed = time_tasks(*net.graph, net.fetches, timing),
             .machine = {.cores = cores, .buses = buses},
             .run = {},
             .bounds = {}};
  of.run = simulate(of.timed.plan(), of.timed.costs, of.machine);
  of.bounds = bounds(of.timed.plan(), of.timed.costs, of.machine);
  SimulatedMachine at_once = of.machine;
  at_once.hand_over_ns = at_once.wake_up_ns = 0;
  of.hand_over = of.run.ns - simulate(of.timed.plan(), of.timed.costs, at_once).ns;
  return of;
}

void print_critical_path(const OfCores& of, int top) {
  const Plan& plan = of.timed.plan();
  const CriticalPath path = critical_path(plan, of.timed.costs);
  std::vector<std::pair<double, NodeId>> nodes;
  for (const std::uint32_t g : path.groups)
    for (std::uint32_t s = plan.groups[g].first; s < plan.groups[g].last; ++s)
      if (plan.steps[s].node >= 0) nodes.emplace_back(of.timed.step_ns[s], plan.steps[s].node);
  std::stable_sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  say("\nThe critical path, which the plan for {} cores leaves: {:.3f} ms, {} nodes\n{:>10}  {:>7}  node\n",
      of.machine.cores, path.ns / 1e6, nodes.size(), "us", "share");
  for (std::size_t i = 0; i < std::min<std::size_t>(nodes.size(), static_cast<std::size_t>(top)); ++i)
    say("{:>10.2f}  {:>5.1f} %  {}\n", nodes[i].first / 1e3, 100 * nodes[i].first / path.ns,
        describe(*plan.graph, nodes[i].second));
}

// How near the costs are that plans are made by: of each kind of op, what its nodes took over what was estimated.
void print_estimates(const TimedTasks& timed, int top) {
  struct Kind {
    double ns = 0, estimated = 0, least = 1e9, most = 0;
    int nodes = 0;
  };
  std::map<std::string, Kind> kinds;
  double all = 0, near = 0;
  const Plan& plan = timed.plan();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (plan.steps[s].node < 0) continue;
    const double ns = timed.step_ns[s], ratio = ns / plan.steps[s].cost;
    Kind& k = kinds[std::string(plan.graph->node(plan.steps[s].node).op().name())];
    k.ns += ns;
    k.estimated += plan.steps[s].cost;
    k.least = std::min(k.least, ratio);
    k.most = std::max(k.most, ratio);
    ++k.nodes;
    all += ns;
    if (ratio < 1.5 && ratio > 1 / 1.5) near += ns;
  }
  std::vector<std::pair<std::string, Kind>> order(kinds.begin(), kinds.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  say("\nTimed over estimated, on one thread: {:.1f} % of the time is of nodes within 1.5 times\n", 100 * near / all);
  say("{:>10}  {:>7}  {:>6}  {:>8}  {:>8}  {:>8}  op\n", "us", "share", "nodes", "ratio", "least", "most");
  for (std::size_t i = 0; i < std::min(order.size(), static_cast<std::size_t>(top)); ++i) {
    const Kind& k = order[i].second;
    say("{:>10.1f}  {:>5.1f} %  {:>6}  {:>8.2f}  {:>8.2f}  {:>8.2f}  {}\n", k.ns / 1e3, 100 * k.ns / all, k.nodes,
        k.ns / k.estimated, k.least, k.most, order[i].first);
  }
}

int run_plan(const PlanCommand& o) {
  const Net net = load_net(o.graph);
  const int here = Pool::shared().threads();
  const double in_company = measure_peak(here).bytes_per_ns;
  const double alone = std::max(measure_peak(1).bytes_per_ns, in_company);
  const double together = o.bandwidth > 0 ? o.bandwidth : here * in_company;
  const int cores = o.cores > 0 ? o.cores : here;
  say("{}: simulated from tasks timed on one core of {}; main memory {:.1f} GB/s a core, {:.1f} GB/s in all{}\n\n",
      o.graph, here, alone, together, o.bandwidth > 0 ? " (as asked for)" : "");
  say("{:>5}  {:>10}  {:>8}  {:>9}  {:>8}  {:>13}  {:>8}  {:>9}  {}{}\n", "cores", "ms a step", "speed-up", "of cores",
      "work", "critical path", "memory", "hand-over", "bound by",
      o.check ? "      measured  simulated / measured" : "");
  OfCores last;
  TimedTasks first;
  double one = 0;
  for (const int n : counts(cores)) {
    last = simulate_on(n, net,
                       {.threads = n,
                        .runs = o.runs,
                        .measure = o.check && n <= here,
                        .bytes_per_ns = alone,
                        .cache_bytes = largest_cache()},
                       together / alone);
    if (n == 1) {
      one = last.run.ns;
      first = last.timed;
    }
    say("{:>5}  {:>10.4f}  {:>8.2f}  {:>7.0f} %  {:>8.3f}  {:>13.3f}  {:>8.3f}  {:>9.3f}  {:<14}", n, last.run.ns / 1e6,
        one / last.run.ns, 100 * one / last.run.ns / n, last.bounds.work / 1e6, last.bounds.critical_path / 1e6,
        last.bounds.memory / 1e6, last.hand_over / 1e6, bound_by(last));
    if (last.timed.measured_ns > 0)
      say("{:>8.4f}  {:.2f}", last.timed.measured_ns / 1e6, last.run.ns / last.timed.measured_ns);
    say("\n");
  }
  print_critical_path(last, o.top);
  if (o.estimates) print_estimates(first, o.top);
  if (!o.picture.empty())
    write_out(o.picture, picture(last.timed.plan(), last.run, cores, fmt::format("{} on {} cores", o.graph, cores)));
  return 0;
}

}  // namespace

Command plan_command(CLI::App& program) {
  auto o = std::make_shared<PlanCommand>();
  CLI::App* p = program.add_subcommand("plan", "Simulate a step on more cores than there are");
  p->footer(
      "Examples:\n"
      "  oxbow plan mnist_mlp --cores 16                  what it would gain, and what holds it up\n"
      "  oxbow plan resnet20 --cores 8 --picture step.svg\n"
      "  oxbow plan gpt --check                           beside real runs on the cores that there are");
  p->add_option("graph", o->graph, "an example (" + example_names() + "), a net of oxbow bench, or a file")->required();
  p->add_option("--cores", o->cores, "how many, up to 256; default: those that there are")->check(CLI::Range(1, 256));
  p->add_option("--bandwidth", o->bandwidth,
                "GB/s from and to main memory, of all cores together; default: of this machine's")
      ->check(positive, "greater than 0");
  p->add_option("--runs", o->runs, "that are timed for each number of cores")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  p->add_option("--top", o->top, "nodes and kinds of ops to list")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  p->add_flag("--check", o->check, "measure real runs too, on as many threads as there are cores for");
  p->add_flag("--estimates", o->estimates, "compare what ops take with the estimates that plans are made by");
  p->add_option("--picture", o->picture, "an SVG file: what each core does when");
  return {p, [o] { return run_plan(*o); }};
}

}  // namespace oxbow::tools
