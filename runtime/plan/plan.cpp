#include <oxbow/graph/support/align.h>
#include <oxbow/runtime/plan/arena.h>
#include <oxbow/runtime/plan/budget.h>
#include <oxbow/runtime/plan/copies.h>
#include <oxbow/runtime/plan/recompute.h>

#include <algorithm>

namespace oxbow {
using namespace internal;

namespace {

constexpr double worth_fencing = 1.02;   // from so many times the lower bound, threads are kept nearer the serial order
constexpr double worth_another = 0.9;    // of the usual order's bytes: what another order has to come down to
constexpr int levels = 64;               // of the peak without a budget: between them, no steps are chosen to run again
constexpr std::int64_t small = 1 << 20;  // bytes that are worth no other order: they stay in a cache
constexpr std::int64_t large = 1 << 24;  // from so many on, steps run again where that costs next to nothing
constexpr double next_to_nothing = 1.02;  // of a step's estimated time
constexpr std::size_t most_steps = 4096;  // of graphs for which that is looked for: some 10 ms, at most 200
constexpr double most_work = 1e5;

class Planner {
 public:
  /// `order`: of the steps, as nodes, -1 being the barrier; empty: to be chosen.
  Planner(std::shared_ptr<const Graph> graph, Storages storages, Dependences waits, const Grain& grain,
          std::span<const NodeId> order)
      : whole_(std::move(graph)),
        graph_(*whole_),
        grain_(grain),
        storages_(std::move(storages)),
        waits_(std::move(waits)) {
    for (const Dependences::Write& write : waits_.in_place) {
      Storage& s = storages_.list[static_cast<std::size_t>(write.storage)];
      s.home = Home::variable;
      s.index = write.variable;
    }
    order.empty() ? choose_order() : take_order(order);
  }

  void lay_out(int threads) {
    layout_ = laid_out(threads, RunAhead::free);
    if (layout_.tasks.groups.size() < 2 ||
        static_cast<double>(layout_.arena.bytes) <= worth_fencing * static_cast<double>(layout_.arena.lower_bound))
      return;
    if (Layout fenced = laid_out(threads, RunAhead::fenced);
        fenced.tasks.groups.size() > 1 && fenced.arena.bytes < layout_.arena.bytes)
      layout_ = std::move(fenced);
  }
  /// Lets no thread run ahead of the serial order.
  void lay_out_in_order(int threads) { layout_ = laid_out(threads, RunAhead::in_order); }

  std::int64_t bytes() const { return layout_.arena.bytes; }
  std::size_t groups() const { return layout_.tasks.groups.size(); }
  const Storages& storages() const { return storages_; }
  const Dependences& waits() const { return waits_; }
  const Schedule& schedule() const { return schedule_; }

  std::shared_ptr<const Plan> plan() {
    plan_ = std::make_shared<Plan>();
    plan_->graph = whole_;
    plan_->ops = ops_;
    add_groups();
    for (const Schedule::Step& s : schedule_.steps) add_step(s);
    plan_->writes_variables = !storages_.assigns.empty();
    plan_->fetches = storages_.fetches;
    for (std::size_t s = 0; s < storages_.list.size(); ++s)
      if (const Storage& storage = storages_.list[s]; storage.home == Home::fetch)
        plan_->fetches[static_cast<std::size_t>(storage.index)].offset = offset(s);
    plan_->inputs = storages_.inputs;
    plan_->variables = storages_.variables;
    plan_->constants = storages_.constants;
    plan_->arena_bytes = layout_.arena.bytes;
    plan_->lower_bound = layout_.arena.lower_bound;
    return plan_;
  }

 private:
  struct Layout {
    Tasks tasks;
    Blocks blocks;
    Arena arena;
  };

  // The usual order, unless another takes clearly fewer bytes.
  void choose_order() {
    const Scheduler scheduler(graph_, storages_, waits_, *ops_);
    std::int64_t least = 0;
    for (const Preference preference : preferences) {
      Schedule schedule = scheduler.schedule(preference);
      const Tasks serial = make_tasks(schedule, 1, RunAhead::free, grain_);
      const std::int64_t bytes = serial_peak(find_blocks(graph_, storages_, schedule, serial));
      if (preference == preferences[0]) {
        schedule_ = std::move(schedule);
        if (bytes < small) return;
        least = static_cast<std::int64_t>(worth_another * static_cast<double>(bytes));
      } else if (bytes < least) {
        schedule_ = std::move(schedule);
        least = bytes;
      }
    }
  }

  void take_order(std::span<const NodeId> order) {
    std::vector<std::uint32_t> steps;
    for (const NodeId node : order)
      steps.push_back(node < 0 ? static_cast<std::uint32_t>(waits_.nodes.size()) - 1
                               : waits_.step_of[static_cast<std::size_t>(node)]);
    invariant(steps.size() == waits_.nodes.size(), "an order of other steps than the graph's");
    schedule_ = Scheduler(graph_, storages_, waits_, *ops_).schedule(steps);
  }

  Layout laid_out(int threads, RunAhead ahead) const {
    Layout l{.tasks = make_tasks(schedule_, threads, ahead, grain_), .blocks = {}, .arena = {}};
    l.blocks = find_blocks(graph_, storages_, schedule_, l.tasks);
    l.arena = place_blocks(l.blocks, l.tasks);
    return l;
  }

  std::int64_t offset(std::size_t storage) const {
    return layout_.arena.offsets[static_cast<std::size_t>(layout_.blocks.of_storage[storage])];
  }

  /// Whether output `k` has bytes of its own: not where it is some of an input's, or nobody reads it.
  bool is_written(const Node& n, int k) const {
    return storages_.list[static_cast<std::size_t>(storages_.of(n.output(k)).storage)].writer == n.id();
  }

  Place place(Value v) const { return place(storages_.of(v)); }
  Place place(Storages::At at) const {
    const Storage& s = storages_.list[static_cast<std::size_t>(at.storage)];
    if (s.home == Home::arena) return {s.home, 0, offset(static_cast<std::size_t>(at.storage)) + at.offset};
    return {s.home, s.index, at.offset};
  }

  void add_groups() {
    for (std::uint32_t g = 0; g < layout_.tasks.groups.size(); ++g) {
      const Tasks::Group& from = layout_.tasks.groups[g];
      plan_->groups.push_back({from.first, from.last, from.chunks, from.first_task, layout_.tasks.next.first[g],
                               layout_.tasks.next.first[g + 1], layout_.tasks.waits[g]});
    }
    plan_->next = layout_.tasks.next.items;
    plan_->group_of_task = layout_.tasks.group_of_task;
  }

  void add_step(const Schedule::Step& s) {
    plan_->cost += s.cost;
    Plan::Step step{.op = nullptr,
                    .prepared = nullptr,
                    .node = s.node,
                    .first_read = static_cast<std::uint32_t>(plan_->reads.size()),
                    .reads = 0,
                    .first_write = static_cast<std::uint32_t>(plan_->writes.size()),
                    .writes = 0,
                    .parts = 0};
    if (s.node >= 0) {
      const Node n = graph_.node(s.node);
      step.op = &s.op->op;
      step.prepared = s.op->prepared.get();
      step.parts = s.op->work.parts;
      step.can_fail = s.can_fail;
      step.commits = s.commits;
      step.cost = s.cost;
      plan_->scratch_bytes = std::max(plan_->scratch_bytes, aligned(s.op->work.scratch));
      for (int i = 0; i < n.input_count(); ++i)
        plan_->reads.push_back({&n.input_type(i), n.input(i) && n.op().info().reads(i) ? place(n.input(i)) : Place{}});
      for (int k = 0; k < n.output_count(); ++k)
        plan_->writes.push_back(
            {&n.output_types()[static_cast<std::size_t>(k)], is_written(n, k) ? place(n.output(k)) : Place{}});
      step.reads = static_cast<std::uint32_t>(n.input_count());
      step.writes = static_cast<std::uint32_t>(n.output_count());
    }
    plan_->steps.push_back(step);
  }

  std::shared_ptr<const Graph> whole_;
  const Graph& graph_;
  const Grain& grain_;
  std::shared_ptr<Plan> plan_;
  std::shared_ptr<PreparedOps> ops_ = std::make_shared<PreparedOps>();
  Storages storages_;
  Dependences waits_;
  Schedule schedule_;
  Layout layout_;
};

// Nothing where a value that is assigned can no longer be written in place.
std::optional<Planner> planner_of(const Recomputed& r, const Grain& grain) {
  Storages storages = find_storages(*r.graph.graph);
  Dependences waits = find_dependences(*r.graph.graph, storages, r.waits, r.failing);
  if (!waits.left.empty()) return std::nullopt;
  return std::optional<Planner>(std::in_place, r.graph.graph, std::move(storages), std::move(waits), grain, r.order);
}

// The same with steps that run again for as many bytes as next to no time saves. Nothing where that saves none.
std::optional<Recomputed> recomputed_for_nothing(const Graph& graph, const Planner& planner) {
  if (planner.bytes() < large || planner.schedule().steps.size() > most_steps) return std::nullopt;
  auto now = std::make_unique<Recomputation>(graph, planner.storages(), planner.waits(), planner.schedule());
  const RecomputationLimits limits{.cost = next_to_nothing * now->cost(), .work = most_work};
  const std::int64_t whole = now->peak();
  for (int level = 1; level <= levels; ++level) {
    auto next = std::make_unique<Recomputation>(*now);
    if (!next->lower_to(whole - whole / levels * level, limits)) break;
    now = std::move(next);
  }
  if (now->peak() == whole) return std::nullopt;
  return now->result();
}

}  // namespace

std::shared_ptr<const Plan> make_plan(std::shared_ptr<const Graph> graph, int threads, const Grain& grain,
                                      std::optional<std::int64_t> memory_budget) {
  return make_plan_within(std::move(graph), threads, grain, memory_budget).plan;
}

namespace internal {

PlanWithin make_plan_within(std::shared_ptr<const Graph> graph, int threads, const Grain& grain,
                            std::optional<std::int64_t> budget) {
  std::optional<Rewritten> made;
  const auto lead_on = [&](Rewritten next) {
    made = made ? chain(std::move(*made), std::move(next)) : std::move(next);
    graph = made->graph;
  };
  WithCopies ready = add_copies(*graph);
  if (ready.made) lead_on(std::move(*ready.made));
  Planner planner(graph, std::move(ready.storages), std::move(ready.waits), grain, {});
  planner.lay_out(threads);
  if (std::optional<Recomputed> next = recomputed_for_nothing(*graph, planner)) {
    if (std::optional<Planner> then = planner_of(*next, grain)) {
      then->lay_out(threads);
      if (then->bytes() < planner.bytes() && then->bytes() <= budget.value_or(then->bytes())) {
        lead_on(std::move(next->graph));
        return {then->plan(), std::move(made)};
      }
    }
  }
  if (!budget || planner.bytes() <= *budget) return {planner.plan(), std::move(made)};

  // In turn: the same steps in order, then ever more of them run again, each time as freely as the budget lets them.
  // Only the first of these that fits is taken, so that more bytes never come with more work.
  std::shared_ptr<const Plan> smallest = planner.plan();
  const auto fits = [&](Planner& p) {
    if (p.bytes() < smallest->arena_bytes) smallest = p.plan();
    return p.bytes() <= *budget;
  };
  planner.lay_out_in_order(threads);
  if (fits(planner)) return {smallest, std::move(made)};
  Recomputation recomputation(*graph, planner.storages(), planner.waits(), planner.schedule());
  const std::int64_t whole = recomputation.peak();
  for (int level = 1; level <= levels; ++level) {
    const bool reached = recomputation.lower_to(whole - whole / levels * level);
    if (recomputation.peak() > *budget && reached) continue;
    Recomputed next = recomputation.result();
    if (std::optional<Planner> then = planner_of(next, grain)) {
      then->lay_out(threads);
      if (!fits(*then)) then->lay_out_in_order(threads);
      if (fits(*then)) {
        lead_on(std::move(next.graph));
        return {smallest, std::move(made)};
      }
    }
    if (!reached) break;
  }
  throw over_budget(*smallest, *budget, threads);
}

}  // namespace internal

}  // namespace oxbow
