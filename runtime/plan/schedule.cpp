#include <oxbow/runtime/plan/schedule.h>

#include <algorithm>
#include <cmath>

namespace oxbow::internal {
namespace {

constexpr double bytes_per_ns = 24, ns_per_step = 30;  // of one core, roughly; most values come from a cache

// Whole nanoseconds: sums of them are exact in any order, and a reader can read them.
double cost_of(const Work& work) {
  return std::round(work.flops / work.flops_per_ns + work.bytes / bytes_per_ns + ns_per_step);
}

}  // namespace

Scheduler::Scheduler(const Graph& graph, const Storages& storages, const Dependences& waits, PreparedOps& ops)
    : steps_(waits.nodes.size()), edges_(waits.values), rank_(waits.nodes.size()) {
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (waits.nodes[s] < 0) continue;
    const PreparedOp& op = ops.of(graph.node(waits.nodes[s]));
    steps_[s] = {.node = waits.nodes[s], .op = &op, .cost = cost_of(op.work)};
  }
  for (const Dependences::Write& write : waits.in_place) steps_[write.step].commits = true;
  for (const std::uint32_t step : waits.failing) steps_[step].can_fail = true;

  // Ranks follow values only: node numbers are topological, and the barrier ends all its ways.
  const CompressedRows readers = CompressedRows::of(steps_.size(), edges_);
  for (std::size_t s = steps_.size(); s-- > 0;) {
    for (const std::uint32_t t : readers[s]) rank_[s] = std::max(rank_[s], rank_[t]);
    rank_[s] += steps_[s].cost;
  }
  edges_.insert(edges_.end(), waits.hazards.begin(), waits.hazards.end());
  next_ = CompressedRows::of(steps_.size(), edges_);
  collect_storages(graph, storages);
}

void Scheduler::collect_storages(const Graph& graph, const Storages& storages) {
  std::vector<CompressedRows::Entry> reads, writes;
  std::vector<std::uint32_t> seen(storages.list.size(), Dependences::none);
  for (std::uint32_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s].node < 0) continue;
    const Node n = graph.node(steps_[s].node);
    for (int k = 0; k < n.output_count(); ++k)
      writes.push_back({s, static_cast<std::uint32_t>(storages.of(n.output(k)).storage)});
    for (int i = 0; i < n.input_count(); ++i) {
      if (!n.input(i) || !n.op().info().reads(i)) continue;
      const auto storage = static_cast<std::uint32_t>(storages.of(n.input(i)).storage);
      if (seen[storage] == s) continue;
      seen[storage] = s;
      reads.push_back({s, storage});
    }
  }
  reads_ = CompressedRows::of(steps_.size(), reads);
  writes_ = CompressedRows::of(steps_.size(), writes);
  for (const Storage& s : storages.list) bytes_.push_back(s.home == Home::arena ? s.bytes : 0);
}

Schedule Scheduler::schedule(Preference preference) const {
  return schedule(
      serial_order({.next = next_, .rank = rank_, .reads = reads_, .writes = writes_, .bytes = bytes_}, preference));
}

Schedule Scheduler::schedule(std::span<const std::uint32_t> order) const {
  Schedule out;
  std::vector<std::uint32_t> place(steps_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    out.steps.push_back(steps_[order[i]]);
  }
  std::vector<CompressedRows::Entry> edges = edges_;
  for (auto& e : edges) {
    e = {place[e.row], place[e.item]};
    invariant(e.row < e.item, "an order has a step before what it waits for");
  }
  out.next = CompressedRows::of(steps_.size(), edges);
  return out;
}

}  // namespace oxbow::internal
