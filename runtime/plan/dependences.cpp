#include <oxbow/graph/op.h>
#include <oxbow/runtime/plan/dependences.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

class DependenceFinder {
 public:
  DependenceFinder(const Graph& graph, const Storages& storages) : graph_(graph), storages_(storages) {}

  Dependences find(std::span<const Wait> waits, std::optional<std::span<const NodeId>> failing) {
    collect_steps();
    failing ? take_failing(*failing) : collect_failing();
    collect_values();
    for (const Wait& w : waits) out_.values.push_back({step_of(w.after), step_of(w.node)});
    collect_writes_in_place();
    leave_out_causes_of_failure();
    collect_hazards();
    leave_out_cycles();
    return std::move(out_);
  }

 private:
  using Entry = CompressedRows::Entry;

  void collect_steps() {
    out_.step_of.assign(static_cast<std::size_t>(graph_.size()), Dependences::none);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!storages_.computes[static_cast<std::size_t>(id)]) continue;
      const auto step = static_cast<std::uint32_t>(out_.nodes.size());
      out_.step_of[static_cast<std::size_t>(id)] = step;
      out_.nodes.push_back(id);
    }
  }

  void collect_failing() {
    for (std::uint32_t s = 0; s < out_.nodes.size(); ++s)
      if (const Node n = graph_.node(out_.nodes[s]); n.op().info().can_fail && !is_checked_before(n))
        out_.failing.push_back(s);
  }
  void take_failing(std::span<const NodeId> nodes) {
    for (const NodeId node : nodes) out_.failing.push_back(step_of(node));
  }

  // Whether a gradient's node can fail only where its forward node fails: on the same integers, which that one has
  // checked. Else a table's gradient, the last step of all, would hold up every write of a variable.
  bool is_checked_before(const Node& n) const {
    const Origin& origin = n.origin();
    if (origin.phase != Phase::backward || origin.forward < 0) return false;
    const Node forward = graph_.node(origin.forward);
    if (!forward.op().info().can_fail || !storages_.computes[static_cast<std::size_t>(forward.id())]) return false;
    const auto reads = [](const Node& reader, Value v) {
      for (int i = 0; i < reader.input_count(); ++i)
        if (reader.input(i) && reader.op().info().reads(i) && reader.input(i).same(v)) return true;
      return false;
    };
    bool any = false;
    for (int i = 0; i < n.input_count(); ++i) {
      const Value v = n.input(i);
      if (!v || !n.op().info().reads(i) || !is_integer(v.dtype())) continue;
      if (!reads(forward, v)) return false;
      any = true;
    }
    return any;
  }

  // A value's writer before its readers; the readers of variables are kept for the hazards.
  void collect_values() {
    std::vector<Entry> readers;
    for (std::uint32_t s = 0; s < out_.nodes.size(); ++s) {
      const Node n = graph_.node(out_.nodes[s]);
      const auto before = static_cast<std::ptrdiff_t>(out_.values.size());
      for (int i = 0; i < n.input_count(); ++i) {
        if (!n.input(i) || !n.op().info().reads(i)) continue;
        const Storage& storage = storages_.list[static_cast<std::size_t>(storages_.of(n.input(i)).storage)];
        if (storage.home == Home::variable)
          readers.push_back({static_cast<std::uint32_t>(storage.index), s});
        else if (const auto writer = step_of(storage.writer); writer != Dependences::none)
          out_.values.push_back({writer, s});
      }
      const auto begin = out_.values.begin() + before;
      std::sort(begin, out_.values.end(), [](const Entry& a, const Entry& b) { return a.row < b.row; });
      out_.values.erase(
          std::unique(begin, out_.values.end(), [](const Entry& a, const Entry& b) { return a.row == b.row; }),
          out_.values.end());
    }
    readers_ = CompressedRows::of(storages_.variables.size(), readers);
  }

  void collect_writes_in_place() {
    std::vector<bool> taken(storages_.list.size());
    for (std::size_t a = 0; a < storages_.assigns.size(); ++a) {
      const Storages::Assigned& assign = storages_.assigns[a];
      const auto at = storages_.of(assign.value);
      const Storage& value = storages_.list[static_cast<std::size_t>(at.storage)];
      const Node n = graph_.node(assign.node);
      if (value.home != Home::arena || value.bytes != n.input_type(1).bytes() ||
          taken[static_cast<std::size_t>(at.storage)] ||
          !may_overwrite(graph_.node(value.writer), at.storage, storages_.of(n.input(0)).storage)) {
        out_.left.push_back(a);
        continue;
      }
      taken[static_cast<std::size_t>(at.storage)] = true;
      out_.in_place.push_back({step_of(value.writer), at.storage, assign.variable, a});
    }
    if (out_.failing.empty() || out_.in_place.empty()) return;
    barrier_ = static_cast<std::uint32_t>(out_.nodes.size());
    out_.nodes.push_back(-1);
    for (const std::uint32_t f : out_.failing) out_.values.push_back({f, barrier_});
  }

  // Whether `writer` may write output `to` over `from`, as far as its own reads go.
  bool may_overwrite(const Node& writer, std::int32_t to, std::int32_t from) const {
    std::vector<InputSet> allowed;
    for (int i = 0; i < writer.input_count(); ++i) {
      if (!writer.input(i) || !writer.op().info().reads(i) || storages_.of(writer.input(i)).storage != from) continue;
      if (allowed.empty()) {
        allowed = writer.op().overwrites(writer.input_types());
        allowed.resize(static_cast<std::size_t>(writer.output_count()));  // an op may tell of its first outputs only
      }
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
    if (barrier_ == Dependences::none) return;
    std::vector<bool> causes(out_.nodes.size());
    causes[barrier_] = true;
    const CompressedRows next = CompressedRows::of(out_.nodes.size(), out_.values);
    for (std::size_t s = barrier_; s-- > 0;)
      causes[s] = std::any_of(next[s].begin(), next[s].end(), [&](std::uint32_t t) { return causes[t]; });
    std::erase_if(out_.in_place, [&](const Dependences::Write& write) {
      if (causes[write.step]) out_.left.push_back(write.assign);
      return causes[write.step];
    });
  }

  void collect_hazards() {
    for (const Dependences::Write& write : out_.in_place) {
      for (const std::uint32_t reader : readers_[static_cast<std::size_t>(write.variable)])
        if (reader != write.step) out_.hazards.push_back({reader, write.step});
      if (barrier_ != Dependences::none) out_.hazards.push_back({barrier_, write.step});
    }
  }

  // Takes steps as they become ready. Where only hazards are left to wait for, the smallest value is left out of those
  // that nothing else holds up and that something waits for in turn: it no longer waits.
  void leave_out_cycles() {
    const std::size_t count = out_.nodes.size();
    const CompressedRows next = CompressedRows::of(count, out_.values), held = CompressedRows::of(count, out_.hazards);
    std::vector<std::uint32_t> pending(count), hazards(count), ready;
    for (const Entry& e : out_.values) ++pending[e.item];
    for (const Entry& e : out_.hazards) ++hazards[e.item];
    for (std::uint32_t s = 0; s < count; ++s)
      if (pending[s] == 0 && hazards[s] == 0) ready.push_back(s);
    std::vector<bool> left(count);
    for (std::size_t done = 0; done < count;) {
      if (ready.empty()) {
        const std::uint32_t s = smallest_that_waits(pending, hazards, next, held);
        hazards[s] = 0;
        left[s] = true;
        ready.push_back(s);
      }
      const std::uint32_t s = ready.back();
      ready.pop_back();
      ++done;
      for (const std::uint32_t t : next[s])
        if (--pending[t] == 0 && hazards[t] == 0) ready.push_back(t);
      for (const std::uint32_t t : held[s])
        if (!left[t] && --hazards[t] == 0 && pending[t] == 0) ready.push_back(t);
    }
    std::erase_if(out_.in_place, [&](const Dependences::Write& w) {
      if (left[w.step]) out_.left.push_back(w.assign);
      return left[w.step];
    });
    std::erase_if(out_.hazards, [&](const Entry& e) { return left[e.item]; });
  }

  std::uint32_t smallest_that_waits(const std::vector<std::uint32_t>& pending,
                                    const std::vector<std::uint32_t>& hazards, const CompressedRows& next,
                                    const CompressedRows& held) const {
    const Dependences::Write* smallest = nullptr;
    for (const Dependences::Write& w : out_.in_place) {
      if (pending[w.step] > 0 || hazards[w.step] == 0 || (next[w.step].empty() && held[w.step].empty())) continue;
      if (!smallest || bytes(w) < bytes(*smallest)) smallest = &w;
    }
    invariant(smallest != nullptr, "the steps of a graph wait for one another");
    return smallest->step;
  }
  std::int64_t bytes(const Dependences::Write& w) const {
    return storages_.list[static_cast<std::size_t>(w.storage)].bytes;
  }

  std::uint32_t step_of(NodeId node) const { return out_.step_of[static_cast<std::size_t>(node)]; }

  const Graph& graph_;
  const Storages& storages_;
  Dependences out_;
  std::uint32_t barrier_ = Dependences::none;
  CompressedRows readers_;  // of each variable
};

}  // namespace

Dependences find_dependences(const Graph& graph, const Storages& storages, std::span<const Wait> waits,
                             std::optional<std::span<const NodeId>> failing) {
  return DependenceFinder(graph, storages).find(waits, failing);
}

}  // namespace oxbow::internal
