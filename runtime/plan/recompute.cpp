#include <oxbow/runtime/plan/cheapest_cut.h>
#include <oxbow/runtime/plan/recompute.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace oxbow::internal {
namespace {

constexpr std::size_t most_candidates = 24;  // candidates that are looked at closely, one after another
constexpr std::size_t most_steps = 256;      // that one value may take to be made anew
constexpr double cut_work = 4;               // places of the order that take as long as a step or an input of a cut

double excess(const Timeline& line, std::int64_t target) {
  double sum = 0;
  for (const std::int64_t l : line.live) sum += static_cast<double>(std::max<std::int64_t>(0, l - target));
  return sum;
}

}  // namespace

Recomputation::Recomputation(const Graph& graph, const Storages& storages, const Dependences& waits,
                             const Schedule& schedule)
    : graph_(graph), storages_(storages), line_(graph, storages, waits, schedule) {}

bool Recomputation::lower_to(std::int64_t bytes, const RecomputationLimits& limits) {
  in_vain_.clear();
  while (line_.peak > bytes)
    if (work_ > limits.work || !improve(bytes, limits)) return false;
  return true;
}

// Whether a step would read its variables as they were at the run's start.
bool Recomputation::may_run_before(std::uint32_t step, std::uint32_t place) const {
  const std::vector<std::uint32_t>& variables = line_.steps[step].variables;
  return std::all_of(variables.begin(), variables.end(), [&](std::uint32_t v) {
    const std::uint32_t write = line_.written_by[v];
    return write == Timeline::none || line_.place[line_.runs_of[write].front()] >= place;
  });
}

// The value of a storage that is the cheapest to be read at a place: one that is there anyway, or the last one made.
std::uint32_t Recomputation::version(std::uint32_t storage, std::uint32_t place) const {
  std::uint32_t best = Timeline::none;
  for (const std::uint32_t r : line_.runs_of[line_.writer[storage]]) {
    if (line_.place[r] >= place) continue;  // none, where the step was moved behind it
    const Timeline::Run& run = line_.runs[r];
    const auto& writes = line_.steps[run.step].writes;
    const auto k = static_cast<std::uint32_t>(std::find(writes.begin(), writes.end(), storage) - writes.begin());
    if (const std::uint32_t v = run.first_value + k;
        best == Timeline::none || line_.last_place(v) > line_.last_place(best))
      best = v;
  }
  return best;
}

// A run whose results nobody reads before that place is moved there.
double Recomputation::cost_again(std::uint32_t run, std::uint32_t place) const {
  const Timeline::Run& r = line_.runs[run];
  const Timeline::Step& step = line_.steps[r.step];
  for (std::uint32_t k = 0; k < step.writes.size(); ++k)
    if (const auto& readers = line_.readers[r.first_value + k];
        !readers.empty() && line_.place[readers.front()] < place)
      return std::max(1.0, step.cost);
  return 1;
}

std::vector<Recomputation::Candidate> Recomputation::candidates(std::int64_t target) {
  full_.assign(line_.live.size() + 1, 0);
  for (std::size_t p = 0; p < line_.live.size(); ++p) full_[p + 1] = full_[p] + (line_.live[p] > target ? 1 : 0);
  std::vector<Candidate> all;
  for (std::uint32_t v = 0; v < line_.values.size(); ++v) {
    const Timeline::Made& made = line_.values[v];
    const std::uint32_t step = line_.runs[made.run].step;
    if (line_.place[made.run] == Timeline::none || line_.kept[made.storage] || !line_.steps[step].may_repeat) continue;
    std::uint32_t before = line_.place[made.run];
    for (const std::uint32_t r : line_.readers[v]) {
      const std::uint32_t at = line_.place[r];
      const double gain = static_cast<double>(line_.bytes[made.storage]) * places_too_full(before, at);
      before = at;
      if (gain <= 0 || in_vain_.contains({v, r}) || !may_run_before(step, at)) continue;
      const double cost = cost_again(made.run, at);
      all.push_back({.value = v, .reader = r, .cost = cost, .gain = gain, .most = gain / cost});
    }
  }
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.most > b.most; });
  return all;
}

// Which steps run again for a candidate: its own, and those that make what is gone by then, unless keeping that longer
// is cheaper.
void Recomputation::choose_steps(Candidate& c) {
  const std::uint32_t at = line_.place[c.reader];
  std::vector<std::uint32_t> region = {line_.runs[line_.values[c.value].run].step};
  CheapestCut cut;
  const auto number = [&](std::uint32_t step) {
    const auto found = std::find(region.begin(), region.end(), step);
    const auto i = static_cast<std::uint32_t>(found - region.begin());
    if (found == region.end()) region.push_back(step);
    return i;
  };
  for (std::uint32_t i = 0; i < region.size(); ++i) {
    const Timeline::Step& step = line_.steps[region[i]];
    cut.costs.push_back(i == 0 ? c.cost : std::max(1.0, step.cost));
    for (const std::uint32_t s : step.reads) {
      const std::uint32_t v = version(s, at), last = v == Timeline::none ? 0 : line_.last_place(v);
      if (last >= at) continue;
      const double keep = v == Timeline::none ? std::numeric_limits<double>::max()
                                              : static_cast<double>(line_.bytes[s]) * places_too_full(last, at);
      const std::uint32_t maker = line_.writer[s];
      const bool again = line_.steps[maker].may_repeat && region.size() < most_steps && may_run_before(maker, at);
      cut.inputs.push_back(
          {.reader = i, .maker = again ? number(maker) : CheapestCut::none, .storage = s, .keep = keep});
    }
  }
  if (cut.inputs.empty()) {  // the usual case: all that it reads is there
    c.score = c.gain / c.cost;
    c.steps = region;
    return;
  }
  // The rate at which bytes are weighed against time is found with the steps: at first bytes are worth any time.
  double rate = 1e3 * std::accumulate(cut.costs.begin(), cut.costs.end(), 0.0) / c.gain;
  for (int round = 0; round < 4; ++round) {
    work_ += cut_work * static_cast<double>(cut.costs.size() + cut.inputs.size());
    const CheapestCut::Result chosen = cut.find(rate);
    const double gain = c.gain - chosen.kept, score = gain / chosen.cost;
    if (gain <= 0) break;
    if (score <= c.score) break;
    c.score = score;
    c.steps.clear();
    for (std::uint32_t i = 0; i < region.size(); ++i)
      if (chosen.again[i]) c.steps.push_back(region[i]);
    rate = 1 / score;
  }
  std::sort(c.steps.begin(), c.steps.end());
}

// The order with a candidate's steps run again before its reader. Whoever reads their results from there on reads the
// new ones; also who has had them made anew for itself, if `instead_of_later`.
Timeline Recomputation::with(const Candidate& c, bool instead_of_later) const {
  Timeline line = line_;
  const std::uint32_t at = line_.place[c.reader];
  std::vector<std::uint32_t> fresh;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> made;  // storages and their new values
  const auto remade = [&](std::uint32_t storage) {
    const auto m = std::find_if(made.begin(), made.end(), [&](const auto& known) { return known.first == storage; });
    return m == made.end() ? Timeline::none : m->second;
  };
  for (const std::uint32_t s : c.steps) {
    std::vector<std::uint32_t> reads;
    for (const std::uint32_t storage : line.steps[s].reads) {
      const std::uint32_t now = remade(storage);
      reads.push_back(now != Timeline::none ? now : version(storage, at));
    }
    fresh.push_back(line.add_run(s, std::move(reads), true));
    for (std::uint32_t k = 0; k < line.steps[s].writes.size(); ++k)
      made.emplace_back(line.steps[s].writes[k], line.runs[fresh.back()].first_value + k);
  }
  for (std::uint32_t p = at; p < line.order.size(); ++p)
    for (std::uint32_t& v : line.runs[line.order[p]].reads)
      if (const std::uint32_t now = remade(line.values[v].storage);
          now != Timeline::none && (instead_of_later || line_.place[line.values[v].run] < at))
        v = now;
  line.order.insert(line.order.begin() + at, fresh.begin(), fresh.end());
  for (const std::uint32_t r : fresh) line.runs_of[line.runs[r].step].push_back(r);
  line.drop_unread();
  line.look();
  return line;
}

bool Recomputation::improve(std::int64_t target, const RecomputationLimits& limits) {
  std::vector<Candidate> all = candidates(target);
  const double before = excess(line_, target);
  // The best first: what a candidate can be worth at most is known before its steps are.
  std::size_t looked = 0;
  for (std::size_t tries = 0; tries < most_candidates && work_ <= limits.work;) {
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score < b.score; };
    auto best = std::max_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(looked), better);
    while (looked < all.size() && (looked == 0 || all[looked].most > best->score)) {
      if (work_ > limits.work) return false;
      choose_steps(all[looked++]);
      best = std::max_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(looked), better);
    }
    if (looked == 0 || best->score <= 0) return false;
    ++tries;
    for (const bool instead_of_later : {true, false}) {
      work_ += static_cast<double>(line_.order.size());
      Timeline line = with(*best, instead_of_later);
      const double cost = line.cost();
      if (excess(line, target) >= before || cost < line_.cost()) continue;  // less memory is never less work
      if (cost > limits.cost) return false;
      line_ = std::move(line);
      return true;
    }
    in_vain_.insert({best->value, best->reader});
    best->score = 0;
  }
  return false;
}

Recomputed Recomputation::result() const { return rebuilt(graph_, storages_, line_); }

}  // namespace oxbow::internal
