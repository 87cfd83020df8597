#include <oxbow/runtime/plan/fences.h>

#include <algorithm>
#include <numeric>

namespace oxbow::internal {
namespace {

constexpr std::uint32_t chunks_per_thread = 4, most_chains = 64;

std::uint32_t chunks_of(const Schedule::Step& s, int threads, const Grain& grain) {
  if (s.op == nullptr || s.op->work.parts < 2) return 1;
  const double by_cost = s.cost / grain.chunk;
  const double most = static_cast<double>(std::min<std::int64_t>(s.op->work.parts, chunks_per_thread * threads));
  return static_cast<std::uint32_t>(std::max(1.0, std::min(by_cost, most)));
}

void cut(const Schedule& schedule, int threads, const Grain& grain, Tasks& out) {
  const std::size_t count = schedule.steps.size();
  double total = 0;
  for (const auto& s : schedule.steps) total += s.cost;
  out.group_of.resize(count);
  if (threads == 1 || total < grain.inline_below) {
    if (count > 0) out.groups.push_back({.first = 0, .last = static_cast<std::uint32_t>(count), .cost = total});
    return;
  }
  std::vector<std::uint32_t> waits_for(count, no_index);  // the last step that each waits for
  for (std::uint32_t s = 0; s < count; ++s) {
    const Schedule::Step& step = schedule.steps[s];
    const std::uint32_t chunks = chunks_of(step, threads, grain);
    const bool joins = !out.groups.empty() && chunks == 1 && out.groups.back().chunks == 1 &&
                       out.groups.back().cost + step.cost <= grain.task &&
                       (out.groups.back().cost < grain.join_below ||
                        (waits_for[s] != no_index && waits_for[s] >= out.groups.back().first));
    if (!joins) out.groups.push_back({.first = s, .last = s, .chunks = chunks});
    Tasks::Group& g = out.groups.back();
    g.last = s + 1;
    g.cost += step.cost;
    out.group_of[s] = static_cast<std::uint32_t>(out.groups.size()) - 1;
    for (const std::uint32_t t : schedule.next[s]) waits_for[t] = s;
  }
}

std::vector<CompressedRows::Entry> group_edges(const Schedule& schedule, const Tasks& tasks) {
  std::vector<CompressedRows::Entry> edges;
  std::vector<std::uint32_t> seen(tasks.groups.size(), no_index);
  for (std::uint32_t g = 0; g < tasks.groups.size(); ++g)
    for (std::uint32_t s = tasks.groups[g].first; s < tasks.groups[g].last; ++s)
      for (const std::uint32_t t : schedule.next[s])
        if (const std::uint32_t h = tasks.group_of[t]; h != g && seen[h] != g) {
          seen[h] = g;
          edges.push_back({g, h});
        }
  return edges;
}

// Puts every group on a chain: behind one that it waits for where that is the end of its chain, else on a new chain,
// and where there are enough of those, behind the chain whose end comes first, by an added edge.
void chain(Tasks& tasks, std::vector<CompressedRows::Entry>& edges, int threads) {
  const std::size_t count = tasks.groups.size();
  const auto limit = std::clamp(static_cast<std::uint32_t>(8 * threads), 16u, most_chains);
  std::vector<CompressedRows::Entry> backward(edges);
  for (auto& e : backward) std::swap(e.row, e.item);
  const CompressedRows before = CompressedRows::of(count, backward);
  std::vector<std::uint32_t> ends;
  std::vector<CompressedRows::Entry> added;
  for (std::uint32_t g = 0; g < count; ++g) {
    Tasks::Group& group = tasks.groups[g];
    std::uint32_t best = no_index;
    for (const std::uint32_t p : before[g])
      if (const std::uint32_t c = tasks.groups[p].chain; ends[c] == p && (best == no_index || p > ends[best])) best = c;
    if (best == no_index && ends.size() < limit) {
      best = static_cast<std::uint32_t>(ends.size());
      ends.push_back(no_index);
    } else if (best == no_index) {
      best = static_cast<std::uint32_t>(std::min_element(ends.begin(), ends.end()) - ends.begin());
      added.push_back({ends[best], g});
    }
    group.chain = best;
    group.position = ends[best] == no_index ? 1 : tasks.groups[ends[best]].position + 1;
    ends[best] = g;
  }
  tasks.chains = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(ends.size()));
  edges.insert(edges.end(), added.begin(), added.end());
}

void set_clocks(Tasks& tasks) {
  const std::size_t n = tasks.chains;
  tasks.clocks.assign(tasks.groups.size() * n, 0);
  for (std::size_t g = 0; g < tasks.groups.size(); ++g) {
    const std::uint32_t* mine = tasks.clocks.data() + g * n;
    for (const std::uint32_t h : tasks.next[g]) {
      std::uint32_t* theirs = tasks.clocks.data() + h * n;
      for (std::size_t c = 0; c < n; ++c) theirs[c] = std::max(theirs[c], mine[c]);
      theirs[tasks.groups[g].chain] = std::max(theirs[tasks.groups[g].chain], tasks.groups[g].position);
    }
  }
}

// Where the longest way binds, the longest way to the end decides (upward rank: Topcuoglu, Hariri, Wu 2002). Where
// there is work enough beside it, urgency is the serial order, which goes depth first and so finds operands in cache.
// Returns the share of the longest way in all work.
double set_urgency(Tasks& tasks, int threads) {
  constexpr double binds = 0.75;
  const std::size_t count = tasks.groups.size();
  const std::vector<double> rank = upward_ranks(tasks.groups, tasks.next);
  double longest = 0, total = 0;
  for (std::size_t g = 0; g < count; ++g) {
    longest = std::max(longest, rank[g]);
    total += tasks.groups[g].cost;
  }
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (longest > binds * total / threads)
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return rank[a] > rank[b]; });
  for (const std::uint32_t g : order) {
    tasks.groups[g].first_task = static_cast<std::uint32_t>(tasks.group_of_task.size());
    tasks.group_of_task.insert(tasks.group_of_task.end(), tasks.groups[g].chunks, g);
  }
  return total > 0 ? longest / total : 0;
}

}  // namespace

Tasks make_tasks(const Schedule& schedule, int threads, RunAhead ahead, const Grain& grain) {
  Tasks tasks;
  cut(schedule, threads, grain, tasks);
  std::vector<CompressedRows::Entry> edges = group_edges(schedule, tasks);
  if (ahead == RunAhead::in_order) {
    edges.clear();
    for (std::uint32_t g = 1; g < tasks.groups.size(); ++g) edges.push_back({g - 1, g});
  }
  if (ahead == RunAhead::fenced) {
    const std::vector<CompressedRows::Entry> added = fences(tasks.groups, edges, threads, grain.fence);
    edges.insert(edges.end(), added.begin(), added.end());
  }
  chain(tasks, edges, threads);
  tasks.next = CompressedRows::of(tasks.groups.size(), edges);
  tasks.waits.resize(tasks.groups.size());
  for (const auto& e : edges) ++tasks.waits[e.item];
  set_clocks(tasks);
  const double longest = set_urgency(tasks, threads);
  return threads > 1 && longest > grain.not_worth_sharing ? make_tasks(schedule, 1, RunAhead::free, grain) : tasks;
}

}  // namespace oxbow::internal
