#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/plan/schedule.h>

#include <algorithm>
#include <cmath>

namespace oxbow {
namespace {

constexpr double flops_per_ns = 40, bytes_per_ns = 12, ns_per_step = 30;  // of one core, roughly
constexpr std::uint32_t none = ~0u;

class Scheduler {
 public:
  Scheduler(const Graph& graph, Storages& storages, PreparedOps& ops) : graph_(graph), storages_(storages), ops_(ops) {}

  // The schedule, or nothing where some of `left` must be copied first.
  std::optional<Schedule> run() {
    collect_steps();
    collect_edges();
    collect_writes_in_place();
    rank();
    leave_out_causes_of_failure();
    order();
    if (!left_.empty()) return std::nullopt;
    write_in_place();
    return renumber();
  }

  /// The assigns whose values cannot be written straight into their variables.
  std::span<const std::size_t> left() const { return left_; }

 private:
  struct InPlace {
    std::uint32_t step;
    std::int32_t storage, variable;  // the value's storage, and the variable's number
    std::size_t assign;
  };

  void collect_steps() {
    out_.step_of.assign(static_cast<std::size_t>(graph_.size()), none);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!storages_.computes[static_cast<std::size_t>(id)]) continue;
      const Node n = graph_.node(id);
      Schedule::Step step{.node = id, .op = &ops_.of(n)};
      // Whole nanoseconds: sums of them are exact in any order, and a reader can read them.
      step.cost = std::round(step.op->work.flops / flops_per_ns + step.op->work.bytes / bytes_per_ns + ns_per_step);
      if (n.op().info().can_fail) failing_.push_back(static_cast<std::uint32_t>(steps_.size()));
      out_.step_of[static_cast<std::size_t>(id)] = static_cast<std::uint32_t>(steps_.size());
      steps_.push_back(step);
    }
  }

  // A value's writer before its readers; the readers of variables are kept for the hazards.
  void collect_edges() {
    std::vector<Lists::Pair> readers;
    for (std::uint32_t s = 0; s < steps_.size(); ++s) {
      const Node n = graph_.node(steps_[s].node);
      const std::size_t before = edges_.size();
      for (int i = 0; i < n.input_count(); ++i) {
        if (!n.input(i) || !n.op().info().reads(i)) continue;
        const Storage& storage = storages_.list[static_cast<std::size_t>(storages_.of(n.input(i)).storage)];
        if (storage.home == Home::variable)
          readers.push_back({static_cast<std::uint32_t>(storage.index), s});
        else if (const auto writer = out_.step_of[static_cast<std::size_t>(storage.writer)]; writer != none)
          edges_.push_back({writer, s});
      }
      const auto repeated = [](const auto& a, const auto& b) { return a.list == b.list; };
      std::sort(edges_.begin() + static_cast<std::ptrdiff_t>(before), edges_.end(),
                [](const auto& a, const auto& b) { return a.list < b.list; });
      edges_.erase(std::unique(edges_.begin() + static_cast<std::ptrdiff_t>(before), edges_.end(), repeated),
                   edges_.end());
    }
    readers_ = Lists::of(storages_.variables.size(), readers);
  }

  void collect_writes_in_place() {
    std::vector<bool> taken(storages_.list.size());
    for (std::size_t a = 0; a < storages_.assigns.size(); ++a) {
      const Storages::Assigned& assign = storages_.assigns[a];
      const auto at = storages_.of(assign.value);
      left_.push_back(a);
      const Storage& value = storages_.list[static_cast<std::size_t>(at.storage)];
      const Node n = graph_.node(assign.node);
      if (value.home != Home::arena || value.bytes != n.input_type(1).bytes() ||
          taken[static_cast<std::size_t>(at.storage)])
        continue;
      const Node writer = graph_.node(value.writer);
      if (!may_overwrite(writer, at.storage, storages_.of(n.input(0)).storage)) continue;
      left_.pop_back();
      taken[static_cast<std::size_t>(at.storage)] = true;
      in_place_.push_back({out_.step_of[static_cast<std::size_t>(value.writer)], at.storage, assign.variable, a});
    }
    if (failing_.empty() || in_place_.empty()) return;
    barrier_ = static_cast<std::uint32_t>(steps_.size());
    steps_.push_back({});
    for (const std::uint32_t f : failing_) edges_.push_back({f, barrier_});
  }

  // Whether `writer` may write output `to` over `from`, as far as its own reads go.
  bool may_overwrite(const Node& writer, std::int32_t to, std::int32_t from) const {
    const auto writing = out_.step_of[static_cast<std::size_t>(writer.id())];
    const std::vector<InputSet>& allowed = steps_[writing].op->overwrites;
    for (int i = 0; i < writer.input_count(); ++i) {
      if (!writer.input(i) || !writer.op().info().reads(i)) continue;
      if (storages_.of(writer.input(i)).storage != from) continue;
      for (int k = 0; k < writer.output_count(); ++k)
        if (storages_.of(writer.output(k)).storage == to &&
            (!allowed[static_cast<std::size_t>(k)].contains(i) ||
             writer.input_type(i).bytes() != writer.output_types()[static_cast<std::size_t>(k)].bytes()))
          return false;
    }
    return true;
  }

  // What a step that can fail depends on cannot wait for that step, nor can the step itself.
  void leave_out_causes_of_failure() {
    if (barrier_ == none) return;
    std::vector<bool> causes(steps_.size());
    causes[barrier_] = true;
    for (std::size_t s = barrier_; s-- > 0;)
      causes[s] = std::any_of(next_[s].begin(), next_[s].end(), [&](std::uint32_t t) { return causes[t]; });
    std::erase_if(in_place_, [&](const InPlace& write) {
      if (causes[write.step]) left_.push_back(write.assign);
      return causes[write.step];
    });
  }

  // The longest way from each step to an end. Node numbers are topological, the barrier ends all its ways.
  void rank() {
    next_ = Lists::of(steps_.size(), edges_);
    rank_.resize(steps_.size());
    for (std::size_t s = steps_.size(); s-- > 0;) {
      for (const std::uint32_t t : next_[s]) rank_[s] = std::max(rank_[s], rank_[t]);
      rank_[s] += steps_[s].cost;
    }
  }

  void order() {
    const std::size_t count = steps_.size();
    std::vector<std::uint32_t> pending(count), hazards(count);
    for (const auto& e : edges_) ++pending[e.item];
    std::vector<Lists::Pair> held;
    for (std::size_t w = 0; w < in_place_.size(); ++w) {
      const InPlace& write = in_place_[w];
      for (const std::uint32_t reader : readers_[static_cast<std::size_t>(write.variable)])
        if (reader != write.step) held.push_back({reader, write.step});
      if (barrier_ != none) held.push_back({barrier_, write.step});
    }
    for (const auto& h : held) ++hazards[h.item];
    hazards_ = Lists::of(count, held);

    std::vector<std::uint32_t> ready, waiting, fresh;
    std::vector<bool> copies(count);
    for (std::size_t s = count; s-- > 0;)
      if (pending[s] == 0) (hazards[s] == 0 ? ready : waiting).push_back(static_cast<std::uint32_t>(s));
    while (order_.size() < count) {
      if (ready.empty()) {  // only hazards are left to wait for: one of the writes gives in and copies
        const std::uint32_t s = waiting.back();
        waiting.pop_back();
        if (hazards[s] == 0) continue;  // done since
        copies[s] = true;
        hazards[s] = 0;
        ready.push_back(s);
      }
      const std::uint32_t s = ready.back();
      ready.pop_back();
      order_.push_back(s);
      fresh.clear();
      for (const std::uint32_t t : next_[s])
        if (--pending[t] == 0) (hazards[t] == 0 ? fresh : waiting).push_back(t);
      for (const std::uint32_t t : hazards_[s])
        if (!copies[t] && --hazards[t] == 0 && pending[t] == 0) fresh.push_back(t);
      std::sort(fresh.begin(), fresh.end(),
                [&](std::uint32_t a, std::uint32_t b) { return rank_[a] != rank_[b] ? rank_[a] > rank_[b] : a > b; });
      ready.insert(ready.end(), fresh.begin(), fresh.end());
    }
    for (const InPlace& write : in_place_)
      if (copies[write.step]) left_.push_back(write.assign);
    edges_.insert(edges_.end(), held.begin(), held.end());
  }

  void write_in_place() {
    for (const InPlace& write : in_place_) {
      Storage& s = storages_.list[static_cast<std::size_t>(write.storage)];
      s.home = Home::variable;
      s.index = write.variable;
      steps_[write.step].commits = true;
    }
  }

  Schedule renumber() {
    std::vector<std::uint32_t> place(steps_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) {
      place[order_[i]] = i;
      out_.steps.push_back(steps_[order_[i]]);
    }
    for (auto& s : out_.step_of)
      if (s != none) s = place[s];
    for (auto& e : edges_) e = {place[e.list], place[e.item]};
    out_.next = Lists::of(steps_.size(), edges_);
    return std::move(out_);
  }

  const Graph& graph_;
  Storages& storages_;
  PreparedOps& ops_;
  Schedule out_;
  std::vector<Schedule::Step> steps_;  // by node number, the barrier last
  std::vector<Lists::Pair> edges_;
  std::vector<std::uint32_t> failing_, order_;
  std::vector<InPlace> in_place_;
  std::vector<std::size_t> left_;
  std::uint32_t barrier_ = none;
  Lists readers_, next_, hazards_;
  std::vector<double> rank_;
};

}  // namespace

Lists Lists::of(std::size_t count, std::span<const Pair> pairs) {
  Lists l;
  l.first.resize(count + 1);
  l.items.resize(pairs.size());
  for (const Pair& p : pairs) ++l.first[p.list + 1];
  for (std::size_t i = 0; i < count; ++i) l.first[i + 1] += l.first[i];
  std::vector<std::uint32_t> at(l.first.begin(), l.first.end() - 1);
  for (const Pair& p : pairs) l.items[at[p.list]++] = p.item;
  return l;
}

Schedule make_schedule(Graph& graph, Storages& storages, PreparedOps& ops) {
  for (;;) {
    Scheduler scheduler(graph, storages, ops);
    if (std::optional<Schedule> schedule = scheduler.run()) return std::move(*schedule);
    // A copy is read by nobody, so it may wait for anything: no assign is copied more than twice.
    for (const std::size_t a : scheduler.left()) copy_assigned(graph, storages, a);
  }
}

}  // namespace oxbow
