#include <oxbow/graph/support/sums.h>
#include <oxbow/runtime/plan/largest_first.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace oxbow::internal {
namespace {

constexpr double pairs_per_block = 1500;  // looked at in all rounds together, at about 1 ns each
constexpr int most_rounds = 64;

// Of each group, the first in serial order that may not be finished when it starts.
std::vector<std::uint32_t> first_unsure(const Tasks& tasks) {
  std::vector<std::vector<std::uint32_t>> chains(tasks.chains);
  for (std::uint32_t g = 0; g < tasks.groups.size(); ++g) chains[tasks.groups[g].chain].push_back(g);
  std::vector<std::uint32_t> first(tasks.groups.size());
  for (std::uint32_t g = 0; g < tasks.groups.size(); ++g) {
    first[g] = g;
    for (std::uint32_t c = 0; c < tasks.chains; ++c)
      if (const std::uint32_t sure = tasks.clocks[g * std::size_t{tasks.chains} + c]; sure < chains[c].size())
        first[g] = std::min(first[g], chains[c][sure]);
  }
  return first;
}

// Which of some blocks may be alive at once, a bit a pair.
class Conflicts {
 public:
  Conflicts(const Blocks& blocks, std::span<const std::uint32_t> which, const Tasks& tasks)
      : words_((which.size() + 63) / 64), bits_(which.size() * words_) {
    const std::vector<std::uint32_t> unsure = first_unsure(tasks);
    struct Life {
      std::uint32_t writer, free_after, last_group, unsure;
    };
    std::vector<Life> lives;
    for (const std::uint32_t b : which) {
      const Block& block = blocks.list[b];
      lives.push_back({block.writer, block.free_after, block.last.empty() ? ~0u : tasks.group_of[block.free_after],
                       unsure[tasks.group_of[block.writer]]});
    }
    for (std::size_t a = 0; a < which.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) {
        const bool swapped = lives[b].writer < lives[a].writer;
        const Life &first = lives[swapped ? b : a], &second = lives[swapped ? a : b];
        if (first.free_after < second.writer) {
          if (first.last_group < second.unsure) continue;
          const auto& last = blocks.list[which[swapped ? b : a]].last;
          if (std::all_of(last.begin(), last.end(), [&](std::uint32_t s) { return tasks.before(s, second.writer); }))
            continue;
        }
        bits_[a * words_ + b / 64] |= std::uint64_t{1} << (b % 64);
        bits_[b * words_ + a / 64] |= std::uint64_t{1} << (a % 64);
      }
  }

  const std::uint64_t* row(std::size_t a) const { return bits_.data() + a * words_; }
  static bool in(const std::uint64_t* row, std::size_t b) { return row[b / 64] >> (b % 64) & 1; }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

class LargestFirst {
 public:
  LargestFirst(const Blocks& blocks, std::span<const std::uint32_t> which, const Tasks& tasks)
      : conflicts_(blocks, which, tasks) {
    for (const std::uint32_t b : which) {
      const Block& block = blocks.list[b];
      const std::size_t end = block.last.empty() ? tasks.group_of.size() : block.free_after;
      bytes_.push_back(block.bytes);
      steps_.push_back(static_cast<std::int64_t>(end - block.writer) + 1);
    }
  }

  // Several orders in turn. One that had its turn comes again with the block that lay highest much earlier in it.
  Arena place(std::int64_t enough, int rounds) {
    std::vector<Order> orders;
    Arena best;
    for (int round = 0; round < rounds && (round == 0 || best.bytes > enough); ++round) {
      if (round < starts)
        orders.push_back({start(round), {}});
      else
        improve(orders[static_cast<std::size_t>(round % starts)]);
      Order& now = orders[static_cast<std::size_t>(round % starts)];
      const std::int64_t bytes = place(now);
      if (round > 0 && bytes >= best.bytes) continue;
      best.bytes = bytes;
      best.offsets = now.offsets;
    }
    return best;
  }

 private:
  struct Order {
    std::vector<std::uint32_t> blocks;
    std::vector<std::int64_t> offsets;  // where its blocks came to lie
  };

  static constexpr int starts = 4;
  std::vector<std::uint32_t> start(int number) const {
    switch (number) {
      case 0:
        return by([&](std::uint32_t b) { return bytes_[b]; });
      case 1:
        return by([&](std::uint32_t b) { return bytes_[b] + bytes_in_conflict(b); });
      case 2:
        return by([&](std::uint32_t b) { return saturating_product(bytes_[b], steps_[b]); });
      default:
        return by([&](std::uint32_t b) { return steps_[b]; });
    }
  }

  void improve(Order& order) const {
    const auto end = [&](std::uint32_t b) { return order.offsets[b] + bytes_[b]; };
    auto& list = order.blocks;
    const auto highest =
        std::max_element(list.begin(), list.end(), [&](std::uint32_t a, std::uint32_t b) { return end(a) < end(b); });
    std::rotate(list.begin() + (highest - list.begin()) / 2, highest, highest + 1);
  }

  template <class Key>
  std::vector<std::uint32_t> by(Key key) const {
    std::vector<std::int64_t> keys;
    for (std::uint32_t b = 0; b < bytes_.size(); ++b) keys.push_back(key(b));
    std::vector<std::uint32_t> order(bytes_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return keys[a] > keys[b]; });
    return order;
  }

  std::int64_t bytes_in_conflict(std::uint32_t b) const {
    std::int64_t sum = 0;
    const std::uint64_t* row = conflicts_.row(b);
    for (std::uint32_t other = 0; other < bytes_.size(); ++other)
      if (Conflicts::in(row, other)) sum += bytes_[other];
    return sum;
  }

  std::int64_t place(Order& order) {
    std::int64_t top = 0;
    order.offsets.resize(bytes_.size());
    placed_.clear();
    for (const std::uint32_t b : order.blocks) {
      std::int64_t offset = 0;
      const std::uint64_t* row = conflicts_.row(b);
      for (const Placed& p : placed_) {
        if (!Conflicts::in(row, p.block)) continue;
        if (p.begin >= offset + bytes_[b]) break;
        offset = std::max(offset, p.end);
      }
      order.offsets[b] = offset;
      const Placed now{offset, offset + bytes_[b], b};
      top = std::max(top, now.end);
      placed_.insert(std::upper_bound(placed_.begin(), placed_.end(), now,
                                      [](const Placed& x, const Placed& y) { return x.begin < y.begin; }),
                     now);
    }
    return top;
  }

  struct Placed {
    std::int64_t begin, end;
    std::uint32_t block;
  };

  Conflicts conflicts_;
  std::vector<std::int64_t> bytes_, steps_;  // of each block; steps_: from its writer to its last reader
  std::vector<Placed> placed_;               // by `begin`
};

}  // namespace

std::size_t most_compared(std::size_t count) {
  return std::min(count, static_cast<std::size_t>(std::sqrt(pairs_per_block / 2 * static_cast<double>(count))));
}

Arena place_largest_first(const Blocks& blocks, std::span<const std::uint32_t> which, const Tasks& tasks,
                          std::int64_t enough) {
  const auto n = static_cast<double>(which.size());
  const double rounds = pairs_per_block * static_cast<double>(blocks.list.size()) / std::max(1.0, n * n / 2) - 1;
  return LargestFirst(blocks, which, tasks)
      .place(enough, std::max(1, static_cast<int>(std::min<double>(rounds, most_rounds))));
}

}  // namespace oxbow::internal
