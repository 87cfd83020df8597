#include <oxbow/graph/op.h>
#include <oxbow/runtime/ledger/time.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/trace.h>

#include <algorithm>
#include <cmath>
#include <queue>

namespace oxbow {
namespace {

constexpr std::int32_t none = Ledger::none;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Path {
  double ns = 0;
  std::vector<std::int32_t> steps = {};
};

// The longest way through what waits for what, where each step takes so long: values, and variables that are written
// after all others have read them, and after every step that can fail.
Path longest_path(const Ledger& ledger, const Plan& plan, const std::vector<double>& ns) {
  const std::size_t count = ledger.steps.size();
  std::vector<double> finish(count);
  std::vector<std::int32_t> from(count, none), readers_end(plan.variables.size(), none);
  std::int32_t barrier = none;
  const auto wait = [&](std::int32_t step, std::int32_t before, double& start) {
    if (before >= 0 && finish[at(before)] > start) {
      start = finish[at(before)];
      from[at(step)] = before;
    }
  };
  for (std::int32_t s = 0; s < static_cast<std::int32_t>(count); ++s) {
    const Plan::Step& step = plan.steps[at(s)];
    if (step.node < 0) continue;
    double start = 0;
    const Node n = plan.graph->node(step.node);
    for (std::uint32_t i = 0; i < step.reads; ++i) {
      const oxbow::Value in = n.input(static_cast<int>(i));
      if (!in || !n.op().info().reads(static_cast<int>(i))) continue;
      wait(s, ledger.values[at(ledger.index(in.node_id(), in.output()))].first, start);
    }
    if (step.commits) wait(s, barrier, start);
    for (std::uint32_t k = 0; k < step.writes; ++k)
      if (const Place& to = plan.writes[step.first_write + k].place; to.home == Home::variable)
        wait(s, readers_end[at(to.index)], start);
    finish[at(s)] = start + ns[at(s)];
    if (step.can_fail && (barrier < 0 || finish[at(s)] > finish[at(barrier)])) barrier = s;
    for (std::uint32_t i = 0; i < step.reads; ++i)
      if (const Place& in = plan.reads[step.first_read + i].place; in.home == Home::variable)
        if (std::int32_t& end = readers_end[at(in.index)]; end < 0 || finish[at(s)] > finish[at(end)]) end = s;
  }
  Path path;
  const auto longest = std::max_element(finish.begin(), finish.end());
  if (longest == finish.end()) return path;
  path.ns = *longest;
  for (auto s = static_cast<std::int32_t>(longest - finish.begin()); s >= 0; s = from[at(s)]) path.steps.push_back(s);
  std::reverse(path.steps.begin(), path.steps.end());
  return path;
}

class Timer {
 public:
  Timer(Ledger& out, const Plan& plan) : out_(out), plan_(plan) {}

  // A wide step takes as long as one of its shares.
  void find_critical_path() {
    std::vector<double> ns;
    for (std::size_t s = 0; s < out_.steps.size(); ++s)
      ns.push_back(share_of(plan_.steps[s].cost, out_.steps[s].group));
    Path path = longest_path(out_, plan_, ns);
    for (const std::int32_t s : path.steps) out_.steps[at(s)].critical = true;
    out_.critical_ns = path.ns;
    out_.critical_path = std::move(path.steps);
  }

  std::uint32_t shares(std::int32_t group) const { return std::max(1u, plan_.groups[at(group)].chunks); }
  // In whole nanoseconds, as costs are.
  double share_of(double cost, std::int32_t group) const { return std::round(cost / shares(group)); }

  // The tasks on so many lanes: whichever lane is free first takes the most urgent task that is ready.
  void lay_out() {
    std::vector<std::uint32_t> waits, left;
    std::vector<double> ready_at(plan_.groups.size());
    using Timed = std::pair<double, std::uint32_t>;
    std::priority_queue<Timed, std::vector<Timed>, std::greater<>> coming;                 // by time, then task
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;  // tasks, by urgency
    const auto release = [&](std::uint32_t g, double when) {
      for (std::uint32_t c = 0; c < shares(static_cast<std::int32_t>(g)); ++c)
        coming.emplace(when, plan_.groups[g].first_task + c);
    };
    for (std::uint32_t g = 0; g < plan_.groups.size(); ++g) {
      waits.push_back(plan_.groups[g].waits);
      left.push_back(shares(static_cast<std::int32_t>(g)));
      if (waits.back() == 0) release(g, 0);
    }
    std::priority_queue<Timed, std::vector<Timed>, std::greater<>> lanes;  // when each is free
    for (std::uint32_t lane = 0; lane < static_cast<std::uint32_t>(std::max(1, out_.threads)); ++lane)
      lanes.emplace(0.0, lane);
    double clock = 0;  // what is ready was so by then
    while (!coming.empty() || !ready.empty()) {
      auto [now, lane] = lanes.top();
      lanes.pop();
      now = std::max(now, clock);
      if (ready.empty()) now = std::max(now, coming.top().first);
      clock = now;
      for (; !coming.empty() && coming.top().first <= now; coming.pop()) ready.push(coming.top().second);
      const std::uint32_t task = ready.top();
      ready.pop();
      const std::uint32_t g = plan_.group_of_task[task];
      double cost = 0;
      for (std::uint32_t s = plan_.groups[g].first; s < plan_.groups[g].last; ++s) cost += plan_.steps[s].cost;
      const double end = now + share_of(cost, static_cast<std::int32_t>(g));
      out_.groups[g].shares.push_back({static_cast<std::int32_t>(lane), now, end});
      lanes.emplace(end, lane);
      ready_at[g] = std::max(ready_at[g], end);
      if (--left[g] > 0) continue;
      for (std::uint32_t n = plan_.groups[g].first_next; n < plan_.groups[g].last_next; ++n) {
        const std::uint32_t h = plan_.next[n];
        ready_at[h] = std::max(ready_at[h], ready_at[g]);
        if (--waits[h] == 0) release(h, ready_at[h]);
      }
    }
  }

 private:
  Ledger& out_;
  const Plan& plan_;
};

}  // namespace

void internal::add_times(Ledger& ledger, const Plan& plan) {
  Timer timer(ledger, plan);
  timer.find_critical_path();
  timer.lay_out();
}

void add_measured(Ledger& plan, std::span<const Trace> runs) {
  for (const Trace& run : runs) {
    const auto& steps = run.plan().steps;
    bool same = steps.size() == plan.steps.size() && run.graph().size() == plan.graph->size();
    for (std::size_t s = 0; same && s < steps.size(); ++s)
      same = steps[s].node == plan.steps[s].node &&
             (steps[s].node < 0 || run.graph().node(steps[s].node).op() == plan.graph->node(steps[s].node).op());
    if (!same) throw Error("the measured run is of another plan\n  Compile both in the same way, for the same threads");
    for (const Trace::Event& e : run.events())
      if (e.worker < 0) throw Error("the measured run failed: it has no times\n  Measure runs that end well");
  }
  if (runs.empty()) return;
  for (Ledger::Step& s : plan.steps) s.measured_ns = 0;
  for (const Trace& run : runs)
    for (const Trace::Event& e : run.events()) plan.steps[e.step].measured_ns += static_cast<double>(e.end - e.begin);
  // Clocks do not tell more than a tenth of a nanosecond of a mean.
  for (Ledger::Step& s : plan.steps)
    s.measured_ns = std::round(s.measured_ns * 10 / static_cast<double>(runs.size())) / 10;

  std::vector<const Trace*> by_time;
  for (const Trace& run : runs) by_time.push_back(&run);
  const auto median = by_time.begin() + static_cast<std::ptrdiff_t>(by_time.size() / 2);
  std::nth_element(by_time.begin(), median, by_time.end(),
                   [](const Trace* a, const Trace* b) { return a->wall() < b->wall(); });
  plan.run_ns = static_cast<double>((*median)->wall());
  plan.run.clear();
  for (const Trace::Event& e : (*median)->events())
    plan.run.push_back(
        {static_cast<std::int32_t>(e.step), e.worker, static_cast<double>(e.begin), static_cast<double>(e.end)});

  std::vector<double> longest_event(plan.steps.size());
  for (const Ledger::Event& e : plan.run)
    longest_event[at(e.step)] = std::max(longest_event[at(e.step)], e.end_ns - e.begin_ns);
  Path path = longest_path(plan, (*median)->plan(), longest_event);
  for (Ledger::Step& s : plan.steps) s.measured_critical = false;
  for (const std::int32_t s : path.steps) plan.steps[at(s)].measured_critical = true;
  plan.measured_critical_ns = path.ns;
  plan.measured_critical_path = std::move(path.steps);
}

std::vector<double> measured_by_node(const Ledger& plan) {
  std::vector<double> ns;
  for (const Ledger::Step& s : plan.steps) {
    if (s.node < 0 || !(s.measured_ns >= 0)) continue;
    ns.resize(std::size_t(plan.graph->size()), -1);
    ns[at(s.node)] = std::max(ns[at(s.node)], 0.0) + s.measured_ns;
  }
  return ns;
}

}  // namespace oxbow
