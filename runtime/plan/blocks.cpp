#include <oxbow/graph/support/align.h>
#include <oxbow/runtime/plan/blocks.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

constexpr std::size_t most_compared_readers = 16;  // of a storage: comparing all pairs takes the square of their number

// The steps that read each storage, in serial order and each once.
CompressedRows readers_of(const Graph& graph, const Storages& storages, const Schedule& schedule) {
  std::vector<CompressedRows::Entry> pairs;
  std::vector<std::uint32_t> seen(storages.list.size(), no_index);
  for (std::uint32_t s = 0; s < schedule.steps.size(); ++s) {
    if (schedule.steps[s].node < 0) continue;
    const Node n = graph.node(schedule.steps[s].node);
    for (int i = 0; i < n.input_count(); ++i) {
      if (!n.input(i) || !n.op().info().reads(i)) continue;
      const auto storage = static_cast<std::uint32_t>(storages.of(n.input(i)).storage);
      if (storages.list[storage].home != Home::arena || seen[storage] == s) continue;
      seen[storage] = s;
      pairs.push_back({storage, s});
    }
  }
  return CompressedRows::of(storages.list.size(), pairs);
}

class Finder {
 public:
  Finder(const Graph& graph, const Storages& storages, const Schedule& schedule, const Tasks& tasks)
      : storages_(storages), tasks_(tasks), readers_(readers_of(graph, storages, schedule)) {
    out_.of_storage.assign(storages.list.size(), -1);
    for (std::uint32_t s = 0; s < schedule.steps.size(); ++s)
      if (schedule.steps[s].node >= 0) add(s, graph.node(schedule.steps[s].node), schedule.steps[s].op->overwrites);
  }
  Blocks take() { return std::move(out_); }

 private:
  void add(std::uint32_t step, const Node& n, const std::vector<InputSet>& allowed) {
    taken_.clear();
    for (int k = 0; k < n.output_count(); ++k) {
      const std::int32_t s = storages_.of(n.output(k)).storage;
      const Storage& storage = storages_.list[static_cast<std::size_t>(s)];
      if (storage.writer != n.id() || (storage.home != Home::arena && storage.home != Home::fetch)) continue;
      std::int32_t block = -1;
      for (int i = 0; i < n.input_count() && block < 0 && storage.bytes > 0; ++i) {
        if (!n.input(i) || !n.op().info().reads(i) || n.input_type(i).bytes() != storage.bytes) continue;
        if (ends_here(step, n, i, allowed[static_cast<std::size_t>(k)]))
          block = out_.of_storage[static_cast<std::size_t>(storages_.of(n.input(i)).storage)];
      }
      if (block >= 0) {
        taken_.push_back(block);
      } else {
        block = static_cast<std::int32_t>(out_.list.size());
        out_.list.push_back({.bytes = aligned(storage.bytes), .writer = step});
      }
      out_.of_storage[static_cast<std::size_t>(s)] = block;
      set_end(out_.list[static_cast<std::size_t>(block)], step, static_cast<std::size_t>(s));
    }
  }

  // Whether nobody else reads the bytes of input i after this step has begun, and the step itself only as allowed: as
  // inputs of just these bytes, all of them.
  bool ends_here(std::uint32_t step, const Node& n, int i, InputSet allowed) const {
    const auto at = storages_.of(n.input(i));
    const auto s = static_cast<std::size_t>(at.storage);
    const Storage& storage = storages_.list[s];
    if (storage.home != Home::arena || storage.bytes != n.input_type(i).bytes()) return false;
    const std::int32_t block = out_.of_storage[s];
    if (std::find(taken_.begin(), taken_.end(), block) != taken_.end()) return false;
    for (const std::uint32_t r : readers_[s])
      if (r != step && !tasks_.before(r, step)) return false;
    return may_take_over(storages_, n, at.storage, allowed);
  }

  // The block's end is that of the storage that has it now. Readers that others come after say nothing.
  void set_end(Block& block, std::uint32_t step, std::size_t storage) {
    block.last.clear();
    block.free_after = no_index;
    if (storages_.list[storage].home == Home::fetch) return;
    const auto readers = readers_[storage];
    if (readers.empty()) block.last.push_back(step);
    for (std::size_t i = readers.size(); i-- > 0;)
      if (i + 1 == readers.size() || readers.size() > most_compared_readers ||
          std::none_of(block.last.begin(), block.last.end(),
                       [&](std::uint32_t later) { return tasks_.before(readers[i], later); }))
        block.last.push_back(readers[i]);
    block.free_after = block.last.front();
  }

  const Storages& storages_;
  const Tasks& tasks_;
  CompressedRows readers_;
  std::vector<std::int32_t> taken_;
  Blocks out_;
};

}  // namespace

Blocks find_blocks(const Graph& graph, const Storages& storages, const Schedule& schedule, const Tasks& tasks) {
  return Finder(graph, storages, schedule, tasks).take();
}

}  // namespace oxbow::internal
