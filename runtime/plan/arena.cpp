#include <oxbow/runtime/plan/largest_first.h>

#include <algorithm>
#include <map>

namespace oxbow::internal {
namespace {

constexpr int most_tries = 16;  // free blocks looked at for one value

bool all_before(std::span<const std::uint32_t> last, std::uint32_t step, const Tasks& tasks) {
  return std::all_of(last.begin(), last.end(), [&](std::uint32_t s) { return tasks.before(s, step); });
}

// Placing blocks as the serial order makes and frees them. A free stretch remembers which steps it waits for.
class AlongTheOrder {
 public:
  AlongTheOrder(const Blocks& blocks, const Tasks& tasks, bool best_fit)
      : blocks_(blocks.list), tasks_(tasks), best_fit_(best_fit) {}

  Arena place() {
    Arena out;
    out.offsets.resize(blocks_.size());
    std::vector<std::uint32_t> by_end;
    for (std::uint32_t b = 0; b < blocks_.size(); ++b)
      if (!blocks_[b].last.empty()) by_end.push_back(b);
    std::stable_sort(by_end.begin(), by_end.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return blocks_[a].free_after < blocks_[b].free_after; });
    std::size_t freed = 0;
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      for (; freed < by_end.size() && blocks_[by_end[freed]].free_after < blocks_[b].writer; ++freed) {
        const Block& gone = blocks_[by_end[freed]];
        release(out.offsets[by_end[freed]], gone);
      }
      out.offsets[b] = take(blocks_[b]);
    }
    out.bytes = top_;
    return out;
  }

 private:
  struct Free {
    std::int64_t bytes;
    std::vector<std::uint32_t> last;
  };
  using ByOffset = std::map<std::int64_t, Free>;

  void add(std::int64_t offset, Free f) {
    by_size_.emplace(f.bytes, offset);
    by_offset_.emplace(offset, std::move(f));
  }
  Free remove(ByOffset::iterator at) {
    const auto [begin, end] = by_size_.equal_range(at->second.bytes);
    by_size_.erase(std::find_if(begin, end, [&](const auto& e) { return e.second == at->first; }));
    Free f = std::move(at->second);
    by_offset_.erase(at);
    return f;
  }

  void release(std::int64_t offset, const Block& block) {
    if (block.bytes == 0) return;
    Free f{block.bytes, block.last};
    // Neighbours become one, unless their conditions would pile up.
    const auto join = [&](const Free& other) {
      for (const std::uint32_t s : other.last)
        if (std::find(f.last.begin(), f.last.end(), s) == f.last.end()) f.last.push_back(s);
      f.bytes += other.bytes;
    };
    constexpr std::size_t most = 8;
    auto after = by_offset_.lower_bound(offset);
    if (after != by_offset_.end() && after->first == offset + block.bytes &&
        after->second.last.size() + f.last.size() <= most)
      join(remove(after));
    auto before = by_offset_.lower_bound(offset);
    if (before != by_offset_.begin()) {
      --before;
      if (before->first + before->second.bytes == offset && before->second.last.size() + f.last.size() <= most) {
        offset = before->first;
        join(remove(before));
      }
    }
    add(offset, std::move(f));
  }

  std::int64_t take(const Block& block) {
    if (block.bytes == 0) return 0;
    const auto usable = [&](ByOffset::iterator f) { return all_before(f->second.last, block.writer, tasks_); };
    auto found = by_offset_.end();
    int tries = 0;
    if (best_fit_) {
      for (auto c = by_size_.lower_bound(block.bytes); c != by_size_.end() && tries < most_tries; ++c, ++tries)
        if (const auto f = by_offset_.find(c->second); usable(f)) {
          found = f;
          break;
        }
    } else {
      for (auto f = by_offset_.begin(); f != by_offset_.end() && tries < most_tries; ++f, ++tries)
        if (f->second.bytes >= block.bytes && usable(f)) {
          found = f;
          break;
        }
    }
    if (found == by_offset_.end()) {
      // The stretch at the top may grow.
      if (!by_offset_.empty())
        if (auto f = std::prev(by_offset_.end());
            f->first + f->second.bytes == top_ && f->second.bytes < block.bytes && usable(f)) {
          const std::int64_t offset = f->first;
          remove(f);
          top_ = offset + block.bytes;
          return offset;
        }
      const std::int64_t offset = top_;
      top_ += block.bytes;
      return offset;
    }
    const std::int64_t offset = found->first;
    Free f = remove(found);
    if (f.bytes > block.bytes) {
      f.bytes -= block.bytes;
      add(offset + block.bytes, std::move(f));
    }
    return offset;
  }

  const std::vector<Block>& blocks_;
  const Tasks& tasks_;
  bool best_fit_;
  ByOffset by_offset_;
  std::multimap<std::int64_t, std::int64_t> by_size_;
  std::int64_t top_ = 0;
};

// The largest blocks by `place_largest_first`, the rest, which hardly count, above them along the serial order.
Arena mostly_largest_first(const Blocks& blocks, const Tasks& tasks, std::int64_t enough) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t b = 0; b < blocks.list.size(); ++b)
    if (blocks.list[b].bytes > 0) order.push_back(b);
  const auto large = order.begin() + static_cast<std::ptrdiff_t>(most_compared(order.size()));
  const auto larger = [&](std::uint32_t a, std::uint32_t b) {
    const auto &x = blocks.list[a], &y = blocks.list[b];
    return x.bytes != y.bytes ? x.bytes > y.bytes : a < b;
  };
  if (large != order.end()) std::nth_element(order.begin(), large, order.end(), larger);
  std::sort(order.begin(), large);
  std::sort(large, order.end());
  const std::span which(order.begin(), large), others(large, order.end());
  const Arena first = place_largest_first(blocks, which, tasks, enough);
  Blocks rest;
  for (const std::uint32_t b : others) rest.list.push_back(blocks.list[b]);
  const Arena second = AlongTheOrder(rest, tasks, true).place();

  Arena out;
  out.offsets.resize(blocks.list.size());
  out.bytes = first.bytes + second.bytes;
  for (std::size_t i = 0; i < which.size(); ++i) out.offsets[which[i]] = first.offsets[i];
  for (std::size_t i = 0; i < others.size(); ++i) out.offsets[others[i]] = first.bytes + second.offsets[i];
  return out;
}

}  // namespace

std::int64_t serial_peak(const Blocks& blocks) {
  std::uint32_t steps = 0;
  for (const Block& b : blocks.list) steps = std::max(steps, (b.last.empty() ? b.writer : b.free_after) + 1);
  std::vector<std::int64_t> change(steps + std::size_t{1});  // from before each step
  for (const Block& b : blocks.list) {
    change[b.writer] += b.bytes;
    if (!b.last.empty()) change[b.free_after + std::size_t{1}] -= b.bytes;
  }
  std::int64_t live = 0, most = 0;
  for (const std::int64_t c : change) most = std::max(most, live += c);
  return most;
}

Arena place_blocks(const Blocks& blocks, const Tasks& tasks) {
  const std::int64_t bound = serial_peak(blocks);
  Arena best = AlongTheOrder(blocks, tasks, true).place();
  const auto consider = [&](Arena other) {
    if (other.bytes < best.bytes) best = std::move(other);
  };
  if (best.bytes > bound) consider(AlongTheOrder(blocks, tasks, false).place());
  if (best.bytes > bound) consider(mostly_largest_first(blocks, tasks, bound));
  best.lower_bound = bound;
  return best;
}

}  // namespace oxbow::internal
