#include <oxbow/graph/support/align.h>
#include <oxbow/runtime/plan/timeline.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

constexpr std::int64_t next_to_nothing = 1 << 12;  // bytes that may be kept to the end

// Storages that take bytes of the arena.
bool counts(const Storage& s) { return s.home == Home::arena || s.home == Home::fetch; }

Timeline::Step read_step(const Graph& graph, const Storages& storages, const Schedule::Step& from) {
  Timeline::Step out;
  out.node = from.node;
  out.cost = from.cost;
  out.can_fail = from.can_fail;
  if (from.node < 0) return out;
  const Node n = graph.node(from.node);
  const OpInfo& info = n.op().info();
  out.may_repeat = !info.can_fail && !info.effect && n.output_count() > 0;
  const auto add = [](std::vector<std::uint32_t>& list, std::uint32_t item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  };
  for (int i = 0; i < n.input_count(); ++i) {
    if (!n.input(i) || !info.reads(i)) continue;
    const auto s = static_cast<std::uint32_t>(storages.of(n.input(i)).storage);
    if (counts(storages.list[s])) add(out.reads, s);
    if (storages.list[s].home == Home::variable) add(out.variables, static_cast<std::uint32_t>(storages.list[s].index));
  }
  for (int k = 0; k < n.output_count(); ++k) {
    const auto s = static_cast<std::uint32_t>(storages.of(n.output(k)).storage);
    const Storage& storage = storages.list[s];
    if (storage.writer != n.id()) continue;
    if (storage.home == Home::fetch || storage.home == Home::variable) out.may_repeat = false;
    if (!counts(storage)) continue;
    for (std::uint32_t r = 0; r < out.reads.size() && storage.bytes > 0; ++r) {
      const Storage& from_storage = storages.list[out.reads[r]];
      if (from_storage.home != Home::arena || from_storage.bytes != storage.bytes) continue;
      if (may_take_over(storages, n, static_cast<std::int32_t>(out.reads[r]),
                        from.op->overwrites[static_cast<std::size_t>(k)]))
        out.takes.push_back({static_cast<std::uint32_t>(out.writes.size()), r});
    }
    out.writes.push_back(s);
  }
  return out;
}

}  // namespace

Timeline::Timeline(const Graph& graph, const Storages& storages, const Dependences& waits, const Schedule& schedule) {
  for (const Storage& s : storages.list) {
    bytes.push_back(counts(s) ? aligned(s.bytes) : 0);
    kept.push_back(s.home == Home::fetch);
  }
  writer.assign(storages.list.size(), none);
  for (std::uint32_t s = 0; s < schedule.steps.size(); ++s) {
    steps.push_back(read_step(graph, storages, schedule.steps[s]));
    for (const std::uint32_t w : steps.back().writes) writer[w] = s;
  }
  std::vector<std::uint32_t> step_of(static_cast<std::size_t>(graph.size()), none);
  for (std::uint32_t s = 0; s < steps.size(); ++s)
    if (steps[s].node >= 0) step_of[static_cast<std::size_t>(steps[s].node)] = s;
  written_by.assign(storages.variables.size(), none);
  for (const Dependences::Write& w : waits.in_place)
    written_by[static_cast<std::size_t>(w.variable)] = step_of[static_cast<std::size_t>(waits.nodes[w.step])];

  std::vector<std::uint32_t> value_of(storages.list.size(), none);
  runs_of.resize(steps.size());
  for (std::uint32_t s = 0; s < steps.size(); ++s) {
    std::vector<std::uint32_t> reads;
    for (const std::uint32_t r : steps[s].reads) reads.push_back(value_of[r]);
    const std::uint32_t run = add_run(s, std::move(reads), false);
    for (std::uint32_t k = 0; k < steps[s].writes.size(); ++k) value_of[steps[s].writes[k]] = runs[run].first_value + k;
  }
  std::vector<std::uint32_t> last;
  for (std::uint32_t s = 0; s < steps.size(); ++s) {
    std::int64_t read = 0;
    for (const std::uint32_t r : steps[s].reads) read += bytes[r];
    const bool waits_last = schedule.steps[s].commits && schedule.next[s].empty() && read <= next_to_nothing;
    (waits_last ? last : order).push_back(s);
  }
  order.insert(order.end(), last.begin(), last.end());
  for (const std::uint32_t r : order) runs_of[runs[r].step].push_back(r);
  look();
}

std::uint32_t Timeline::add_run(std::uint32_t step, std::vector<std::uint32_t> reads, bool again) {
  const auto run = static_cast<std::uint32_t>(runs.size());
  runs.push_back({.step = step,
                  .first_value = static_cast<std::uint32_t>(values.size()),
                  .again = again,
                  .reads = std::move(reads)});
  for (const std::uint32_t w : steps[step].writes) values.push_back({run, w});
  return run;
}

void Timeline::look() {
  place.assign(runs.size(), none);
  readers.resize(values.size());
  for (auto& r : readers) r.clear();
  for (std::uint32_t p = 0; p < order.size(); ++p) {
    place[order[p]] = p;
    for (const std::uint32_t v : runs[order[p]].reads) readers[v].push_back(order[p]);
  }
  std::vector<std::int64_t> change(order.size() + 1);
  std::vector<std::uint32_t> taken;
  for (std::uint32_t p = 0; p < order.size(); ++p) {
    const Run& run = runs[order[p]];
    const Step& step = steps[run.step];
    taken.clear();
    for (std::uint32_t k = 0; k < step.writes.size(); ++k) {
      change[p] += bytes[step.writes[k]];
      if (const std::uint32_t end = last_place(run.first_value + k); end < order.size())
        change[end + 1] -= bytes[step.writes[k]];
      // Bytes that are taken over are not there twice at this place.
      for (const Step::Takes& t : step.takes)
        if (t.write == k && last_place(run.reads[t.read]) == p &&
            std::find(taken.begin(), taken.end(), t.read) == taken.end()) {
          taken.push_back(t.read);
          change[p] -= bytes[step.writes[k]];
          change[p + 1] += bytes[step.writes[k]];
          break;
        }
    }
  }
  live.assign(order.size(), 0);
  peak = 0;
  std::int64_t now = 0;
  for (std::uint32_t p = 0; p < order.size(); ++p) {
    live[p] = now += change[p];
    peak = std::max(peak, now);
  }
}

double Timeline::cost() const {
  double sum = 0;
  for (const std::uint32_t r : order) sum += steps[runs[r].step].cost;
  return sum;
}

void Timeline::drop_unread() {
  std::vector<std::uint32_t> read(values.size());
  for (const std::uint32_t r : order)
    for (const std::uint32_t v : runs[r].reads) ++read[v];
  std::vector<bool> gone(runs.size());
  for (std::size_t p = order.size(); p-- > 0;) {
    const Run& run = runs[order[p]];
    const Step& step = steps[run.step];
    if (!step.may_repeat || runs_of[run.step].size() < 2) continue;
    bool unread = true;
    for (std::uint32_t k = 0; k < step.writes.size(); ++k) unread = unread && read[run.first_value + k] == 0;
    if (!unread) continue;
    gone[order[p]] = true;
    std::erase(runs_of[run.step], order[p]);
    for (const std::uint32_t v : run.reads) --read[v];
  }
  std::erase_if(order, [&](std::uint32_t r) { return gone[r]; });
}

}  // namespace oxbow::internal
