#include "measure/simulate.h"

#include <oxbow/runtime/run/pass_on.h>

#include <algorithm>
#include <limits>
#include <set>

namespace oxbow::tools {
namespace {

using internal::no_group;

class Simulation {
 public:
  Simulation(const Plan& plan, std::span<const TaskCost> costs, const SimulatedMachine& machine)
      : plan_(plan), costs_(costs), machine_(machine), cores_(static_cast<std::size_t>(machine.cores)) {
    for (const Plan::Group& g : plan.groups) {
      waits_.push_back(g.waits);
      chunks_.push_back(g.chunks);
    }
  }

  Simulated run() {
    for (std::uint32_t g = 0; g < plan_.groups.size(); ++g)
      if (waits_[g] == 0) make_ready(g, 0);
    hand_out();
    while (advance()) hand_out();
    out_.ns = now_;
    return std::move(out_);
  }

 private:
  struct Core {
    std::uint32_t task = 0;
    bool busy = false;
    double before = 0;      // ns until it begins
    double left = 0;        // ns of the task by itself
    double idle_since = 0;  // where it is not busy
    std::size_t event = 0;
  };

  void make_ready(std::uint32_t group, std::uint32_t first_chunk) {
    const Plan::Group& g = plan_.groups[group];
    for (std::uint32_t c = first_chunk; c < g.chunks; ++c) ready_.insert(g.first_task + c);
  }

  void begin(std::size_t c, std::uint32_t task, double before) {
    Core& core = cores_[c];
    core = {.task = task, .busy = true, .before = before, .left = costs_[task].ns, .event = out_.events.size()};
    out_.events.push_back({.task = task, .core = static_cast<int>(c), .begin = now_ + before});
  }

  // Cores without a task take what is ready: first those that have just finished one, for they look at once. So does
  // the caller, core 0, when a run begins.
  void hand_out() {
    for (const bool at_once : {true, false})
      for (std::size_t c = 0; c < cores_.size() && !ready_.empty(); ++c) {
        const double idle = now_ - cores_[c].idle_since;
        if (cores_[c].busy || (at_once && (idle > 0 || (now_ == 0 && c > 0)))) continue;
        const std::uint32_t task = *ready_.begin();
        ready_.erase(ready_.begin());
        begin(c, task, at_once ? 0 : idle > machine_.asleep_after ? machine_.wake_up_ns : machine_.hand_over_ns);
      }
  }

  // How much longer than alone what waits for memory takes now: so that all together get what memory can serve.
  double crowd() const {
    std::vector<double> shares;
    double wanted = 0;
    for (const Core& c : cores_)
      if (c.busy && c.before <= 0) shares.push_back(costs_[c.task].memory);
    for (const double m : shares) wanted += m;
    if (wanted <= machine_.buses) return 1;
    double low = 1, high = static_cast<double>(shares.size()) / machine_.buses;  // there a share takes 1 / high or less
    for (int halving = 0; halving < 48; ++halving) {
      const double middle = (low + high) / 2;
      double served = 0;
      for (const double m : shares) served += m / (1 + m * (middle - 1));
      (served > machine_.buses ? low : high) = middle;
    }
    return high;
  }

  // To the next moment at which a task begins or ends. False where nothing runs.
  bool advance() {
    const double crowded = crowd();
    const auto slower = [&](const Core& c) { return 1 + costs_[c.task].memory * (crowded - 1); };
    double span = std::numeric_limits<double>::infinity();
    for (const Core& c : cores_)
      if (c.busy) span = std::min(span, c.before > 0 ? c.before : c.left * slower(c));
    if (span == std::numeric_limits<double>::infinity()) return false;
    now_ += span;
    constexpr double rounding = 1e-6;  // ns
    for (Core& c : cores_) {
      if (!c.busy) continue;
      double& of = c.before > 0 ? c.before : c.left;
      of -= &of == &c.left ? span / slower(c) : span;
      if (of < rounding) of = 0;
    }
    for (std::size_t c = 0; c < cores_.size(); ++c)
      if (cores_[c].busy && cores_[c].before == 0 && cores_[c].left == 0) end(c);
    return true;
  }

  void end(std::size_t c) {
    Core& core = cores_[c];
    out_.events[core.event].end = now_;
    core.busy = false;
    core.idle_since = now_;
    const std::uint32_t group = plan_.group_of_task[core.task];
    if (--chunks_[group] > 0) return;
    const std::uint32_t mine = internal::pass_on(
        plan_, group, [&](std::uint32_t g) { return --waits_[g] == 0; },
        [&](std::uint32_t g, std::uint32_t first_chunk) { make_ready(g, first_chunk); });
    if (mine != no_group) begin(c, plan_.groups[mine].first_task, 0);
  }

  const Plan& plan_;
  std::span<const TaskCost> costs_;
  const SimulatedMachine& machine_;
  std::vector<Core> cores_;
  std::vector<std::uint32_t> waits_, chunks_;  // of each group: for how many it waits, how many are not finished
  std::set<std::uint32_t> ready_;
  double now_ = 0;
  Simulated out_;
};

double longest_chunk(const Plan::Group& g, std::span<const TaskCost> costs) {
  double longest = 0;
  for (std::uint32_t c = 0; c < g.chunks; ++c) longest = std::max(longest, costs[g.first_task + c].ns);
  return longest;
}

}  // namespace

Simulated simulate(const Plan& plan, std::span<const TaskCost> costs, const SimulatedMachine& machine) {
  return Simulation(plan, costs, machine).run();
}

CriticalPath critical_path(const Plan& plan, std::span<const TaskCost> costs) {
  std::vector<double> rank(plan.groups.size());
  std::vector<std::uint32_t> then(plan.groups.size(), no_group);
  std::uint32_t from = no_group;
  for (auto g = static_cast<std::uint32_t>(plan.groups.size()); g-- > 0;) {
    for (std::uint32_t i = plan.groups[g].first_next; i < plan.groups[g].last_next; ++i)
      if (const std::uint32_t h = plan.next[i]; then[g] == no_group || rank[h] > rank[then[g]]) then[g] = h;
    rank[g] = longest_chunk(plan.groups[g], costs) + (then[g] == no_group ? 0 : rank[then[g]]);
    if (from == no_group || rank[g] > rank[from]) from = g;
  }
  CriticalPath path;
  if (from != no_group) path.ns = rank[from];
  for (; from != no_group; from = then[from]) path.groups.push_back(from);
  return path;
}

Bounds bounds(const Plan& plan, std::span<const TaskCost> costs, const SimulatedMachine& machine) {
  Bounds b{.critical_path = critical_path(plan, costs).ns};
  for (const TaskCost& c : costs) {
    b.work += c.ns / machine.cores;
    b.memory += c.ns * c.memory / machine.buses;
  }
  return b;
}

}  // namespace oxbow::tools
