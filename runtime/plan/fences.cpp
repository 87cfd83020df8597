#include <oxbow/runtime/plan/fences.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

constexpr double felt = 0.1;       // of a run that is perfectly shared: so much the longest way may grow
constexpr int most_stretches = 3;  // each with stretches twice as long

class Fences {
 public:
  Fences(std::span<const Tasks::Group> groups, std::span<const CompressedRows::Entry> edges)
      : groups_(groups), count_(static_cast<std::uint32_t>(groups.size())), next_(CompressedRows::of(count_, edges)) {
    std::vector<CompressedRows::Entry> backward(edges.begin(), edges.end());
    for (auto& e : backward) std::swap(e.row, e.item);
    before_ = CompressedRows::of(count_, backward);
    ranks_ = upward_ranks(groups, next_);
  }

  std::vector<CompressedRows::Entry> edges(double stretch) {
    cut(stretch);
    added_.clear();
    before_fences();
    behind_fences();
    return std::move(added_);
  }

 private:
  void cut(double stretch) {
    first_.clear();
    fence_.clear();
    stretch_of_.resize(count_);
    double cost = stretch;
    for (std::uint32_t g = 0; g < count_; ++g) {
      if (cost >= stretch) {
        first_.push_back(g);
        fence_.push_back(g);
        cost = 0;
      }
      cost += groups_[g].cost;
      stretch_of_[g] = static_cast<std::uint32_t>(first_.size()) - 1;
      if (ranks_[g] > ranks_[fence_.back()]) fence_.back() = g;
    }
  }

  // The fence of stretch s waits for all of s - 2 and s - 3. What lies before those, an earlier fence has waited for.
  void before_fences() {
    std::vector<std::uint32_t> reaches(count_, no_index), todo;  // the last fence that each is known to come before
    for (std::uint32_t s = 2; s < fence_.size(); ++s) {
      const std::uint32_t fence = fence_[s], lowest = first_[s < 3 ? 0 : s - 3], end = first_[s - 1];
      reaches[fence] = fence;
      for (todo.assign(1, fence); !todo.empty();) {
        const std::uint32_t g = todo.back();
        todo.pop_back();
        for (const std::uint32_t p : before_[g])
          if (p >= lowest && reaches[p] != fence) {
            reaches[p] = fence;
            todo.push_back(p);
          }
      }
      for (std::uint32_t g = lowest; g < end; ++g) {
        const auto after = next_[g];
        // Where one waits for g that is to come before the fence itself, that one's edge serves.
        if (reaches[g] != fence && std::none_of(after.begin(), after.end(), [&](std::uint32_t n) { return n < end; }))
          added_.push_back({g, fence});
      }
    }
  }

  // What stretch s holds waits for the fence of s - 2.
  void behind_fences() {
    std::vector<std::int64_t> behind(count_, -1);  // the last stretch whose fence each comes after
    for (std::uint32_t g = 0; g < count_; ++g) {
      for (const std::uint32_t p : before_[g])
        behind[g] = std::max({behind[g], behind[p], is_fence(p) ? std::int64_t{stretch_of_[p]} : -1});
      const std::int64_t wanted = std::int64_t{stretch_of_[g]} - 2;
      if (behind[g] >= wanted) continue;
      behind[g] = wanted;
      added_.push_back({fence_[static_cast<std::size_t>(wanted)], g});
    }
  }

  bool is_fence(std::uint32_t g) const { return fence_[stretch_of_[g]] == g; }

  std::span<const Tasks::Group> groups_;
  std::uint32_t count_;
  CompressedRows next_, before_;
  std::vector<double> ranks_;
  std::vector<std::uint32_t> stretch_of_, first_, fence_;  // of each group; of each stretch
  std::vector<CompressedRows::Entry> added_;
};

double longest(std::span<const Tasks::Group> groups, std::span<const CompressedRows::Entry> edges) {
  const std::vector<double> ranks = upward_ranks(groups, CompressedRows::of(groups.size(), edges));
  return ranks.empty() ? 0 : *std::max_element(ranks.begin(), ranks.end());
}

}  // namespace

std::vector<double> upward_ranks(std::span<const Tasks::Group> groups, const CompressedRows& next) {
  std::vector<double> rank(groups.size());
  for (std::size_t g = groups.size(); g-- > 0;) {
    for (const std::uint32_t h : next[g]) rank[g] = std::max(rank[g], rank[h]);
    rank[g] += groups[g].cost / groups[g].chunks;
  }
  return rank;
}

std::vector<CompressedRows::Entry> fences(std::span<const Tasks::Group> groups,
                                          std::span<const CompressedRows::Entry> edges, int threads, double shortest) {
  double widest = 0, total = 0;
  for (const Tasks::Group& g : groups) {
    widest = std::max(widest, g.cost / g.chunks);
    total += g.cost;
  }
  const double most = longest(groups, edges) + felt * total / threads;
  Fences finder(groups, edges);
  double stretch = std::max(shortest, widest * threads);
  for (int tries = 0; tries < most_stretches; ++tries, stretch *= 2) {
    std::vector<CompressedRows::Entry> added = finder.edges(stretch);
    std::vector<CompressedRows::Entry> all(edges.begin(), edges.end());
    all.insert(all.end(), added.begin(), added.end());
    if (longest(groups, all) <= most) return added;
  }
  return {};
}

}  // namespace oxbow::internal
