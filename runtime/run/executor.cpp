#include <oxbow/graph/support/float_mode.h>
#include <oxbow/runtime/run/executor.h>
#include <oxbow/runtime/run/pass_on.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace oxbow::internal {
namespace {

constexpr std::uint32_t none = ~0u;
constexpr int ahead = 8;  // so many steps before its turn a step's memory is fetched into cache

// In a big graph a step's op and tables are far from those of the step before.
void fetch_ahead(const Plan::Step* step, const Plan::Step* end) {
  if (end - step <= ahead) return;
  __builtin_prefetch(step[ahead].op);
  __builtin_prefetch(step[ahead].prepared);
  const auto prepared = reinterpret_cast<std::uintptr_t>(step[ahead].prepared);  // 0 of most
  __builtin_prefetch(reinterpret_cast<const void*>(prepared + 64));
}

// Writes a worker's steps down: one reading of the clock each, the end of a step being the beginning of the next.
template <bool traced>
class Recorder {
 public:
  Recorder(Trace* trace, int worker) : trace_(trace), worker_(worker), begin_(trace->now()) {}
  void ran(std::size_t step, std::uint32_t chunk) {
    Trace::Event& e = trace_->event(step, chunk);
    e.worker = worker_;
    e.begin = begin_;
    e.end = begin_ = trace_->now();
  }

 private:
  Trace* trace_;
  int worker_;
  std::int64_t begin_;
};
template <>
class Recorder<false> {
 public:
  Recorder(Trace*, int) {}
  void ran(std::size_t, std::uint32_t) {}
};

std::size_t words(std::size_t bits) { return (bits + 63) / 64; }

}  // namespace

Executor::Executor(const Frame& frame, Pool pool)
    : frame_(frame),
      plan_(frame.plan()),
      pool_(std::move(pool)),
      progress_(plan_.groups.size()),
      ready_(words(plan_.group_of_task.size())),
      summary_(words(ready_.size())) {
  for (std::uint32_t g = 0; g < plan_.groups.size(); ++g) {
    progress_[g].waits.store(plan_.groups[g].waits, std::memory_order_relaxed);
    progress_[g].chunks.store(plan_.groups[g].chunks, std::memory_order_relaxed);
    if (plan_.groups[g].waits == 0) roots_.push_back(g);
  }
}

Executor::Outcome Executor::run(std::byte* scratch, const std::stop_token& stop, Trace* trace) {
  const FloatMode mode;
  scratch_ = scratch;
  stop_ = stop.stop_possible() ? &stop : nullptr;
  trace_ = trace;
  phase_.store(Phase::open, std::memory_order_relaxed);
  failed_.store(false, std::memory_order_relaxed);
  if (plan_.groups.size() == 1 && plan_.groups[0].chunks == 1)
    trace ? run_inline<true>() : run_inline<false>();
  else
    trace ? run_shared<true>() : run_shared<false>();
  stop_ = nullptr;
  if (failed_.load()) std::rethrow_exception(std::exchange(error_, nullptr));
  return phase_.load() == Phase::stopped ? Outcome::stopped : Outcome::finished;
}

template <bool traced>
void Executor::run_inline() {
  Recorder<traced> recorder(trace_, 0);
  const Plan::Step* step = plan_.steps.data();
  const Plan::Step* const end = step + plan_.steps.size();
  try {
    for (; step != end; ++step) {
      fetch_ahead(step, end);
      if (stop_ && !may_run(*step)) return;
      run_parts(*step, 0, step->parts, scratch_);
      recorder.ran(static_cast<std::size_t>(step - plan_.steps.data()), 0);
    }
  } catch (const OpError& e) {
    throw located(plan_.graph->node(step->node), e);
  }
}

template <bool traced>
void Executor::run_shared() {
  left_.store(static_cast<std::uint32_t>(plan_.groups.size()), std::memory_order_relaxed);
  for (const std::uint32_t g : roots_) make_ready(g, none);
  crew_ = &pool_.impl().crew();
  const int slot = pool_.impl().open(*crew_, *this);
  Patience patience;
  while (left_.load(std::memory_order_acquire) > 0) {
    if (!work<traced>(0)) {
      if (patience.wait()) continue;
      caller_.wait([this] { return left_.load() == 0 || has_tasks(); });
    }
    patience.renew();
  }
  if (slot >= 0) crew_->close(slot);
}

bool Executor::ready() const noexcept { return has_tasks() && std::countr_one(seats_.load()) < seats(); }

bool Executor::has_tasks() const {
  return std::any_of(summary_.begin(), summary_.end(), [](const auto& s) { return s.load() != 0; });
}

bool Executor::help() noexcept {
  if (!has_tasks()) return false;
  std::uint64_t taken = seats_.load(std::memory_order_relaxed);
  int seat;
  do {
    seat = std::countr_one(taken);
    if (seat >= seats()) return false;
  } while (!seats_.compare_exchange_weak(taken, taken | std::uint64_t{1} << seat));
  const FloatMode mode;
  const bool any = trace_ ? work<true>(seat + 1) : work<false>(seat + 1);
  seats_.fetch_and(~(std::uint64_t{1} << seat));
  return any;
}

// What a finished group made ready is run by the same thread, in whose cache its operands are, before anything else.
template <bool traced>
bool Executor::work(int worker) noexcept {
  bool any = false;
  for (std::uint32_t task; claim(task, worker); any = true) {
    std::uint32_t group = plan_.group_of_task[task], chunk = task - plan_.groups[group].first_task;
    while (group != no_group) {
      run_task<traced>(group, chunk, worker);
      const std::uint32_t chunks = plan_.groups[group].chunks;
      if (chunks > 1) {
        if (progress_[group].chunks.fetch_sub(1, std::memory_order_acq_rel) != 1) break;
        progress_[group].chunks.store(chunks, std::memory_order_relaxed);
      }
      group = finish(group, worker);
      if (group != no_group) chunk = home(group, worker);
    }
  }
  return any;
}

// The chunk that a thread begins a group with: each has a share of its own.
std::uint32_t Executor::home(std::uint32_t group, int worker) const {
  return plan_.groups[group].chunks * static_cast<std::uint32_t>(worker) / static_cast<std::uint32_t>(seats() + 1);
}

// Of the tasks that are ready one of the most urgent group, from the thread's own share on: groups that are cut alike,
// by rows say, follow one another, and what one has written is in the cache of the thread that reads it next. Behind
// its share a thread takes what others would come to last.
std::uint64_t Executor::choose(std::size_t word, std::uint64_t bits, int worker) const {
  const std::uint32_t begin = static_cast<std::uint32_t>(word * 64),
                      group = plan_.group_of_task[begin + static_cast<std::uint32_t>(std::countr_zero(bits))];
  const Plan::Group& g = plan_.groups[group];
  if (g.chunks == 1) return bits & -bits;
  const std::uint32_t end = g.first_task + g.chunks, own = g.first_task + home(group, worker);
  if (end < begin + 64) bits &= (std::uint64_t{1} << (end - begin)) - 1;
  const std::uint64_t from_own = own >= begin + 64 ? 0 : own <= begin ? bits : bits >> (own - begin) << (own - begin);
  return from_own != 0 ? from_own & -from_own : std::bit_floor(bits);
}

bool Executor::claim(std::uint32_t& task, int worker) {
  for (std::size_t s = 0; s < summary_.size(); ++s) {
    std::uint64_t some = summary_[s].load();
    while (some != 0) {
      const int b = std::countr_zero(some);
      const std::size_t w = s * 64 + static_cast<std::size_t>(b);
      std::uint64_t bits = ready_[w].load();
      while (bits != 0) {
        const std::uint64_t one = choose(w, bits, worker);
        const std::uint64_t before = ready_[w].fetch_and(~one);
        if (before & one) {
          task = static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(std::countr_zero(one));
          return true;
        }
        bits = before;
      }
      // The word is empty: say so, and look again, for one may have come in between.
      summary_[s].fetch_and(~(std::uint64_t{1} << b));
      if (const std::uint64_t late = ready_[w].load(); late != 0) {
        summary_[s].fetch_or(std::uint64_t{1} << b);
        call(static_cast<std::uint32_t>(std::popcount(late)) - 1);  // who looked in between saw nothing and sleeps
      } else {
        some &= some - 1;
      }
    }
  }
  return false;
}

// Offers all of a group's chunks to all threads but one, which the caller keeps for itself, or `none`.
void Executor::make_ready(std::uint32_t group, std::uint32_t kept) {
  const Plan::Group& g = plan_.groups[group];
  progress_[group].waits.store(g.waits, std::memory_order_relaxed);
  const std::uint32_t kept_bit = kept == none ? none : g.first_task + kept;
  for (std::uint32_t bit = g.first_task, end = g.first_task + g.chunks; bit < end;) {
    const std::uint32_t in_word = std::min(end - bit, 64 - bit % 64);
    std::uint64_t mask = (in_word == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << in_word) - 1) << (bit % 64);
    const std::size_t w = bit / 64;
    if (kept_bit / 64 == w) mask &= ~(std::uint64_t{1} << (kept_bit % 64));
    bit += in_word;
    if (mask == 0) continue;
    ready_[w].fetch_or(mask);
    summary_[w / 64].fetch_or(std::uint64_t{1} << (w % 64));
  }
}

// Counts a group as finished. Returns the most urgent of those that it made ready, of which the caller runs the chunk
// that is its `home`.
std::uint32_t Executor::finish(std::uint32_t group, int worker) {
  std::uint32_t others = 0;
  const std::uint32_t mine = pass_on(
      plan_, group, [&](std::uint32_t g) { return progress_[g].waits.fetch_sub(1, std::memory_order_acq_rel) == 1; },
      [&](std::uint32_t g, std::uint32_t first_chunk) {
        make_ready(g, first_chunk == 0 ? none : home(g, worker));
        others += plan_.groups[g].chunks - first_chunk;
      });
  call(others);
  if (left_.fetch_sub(1) == 1) caller_.call(1);
  return mine;
}

// So many tasks are ready for other threads: those that sleep are woken, the one that called `run` first.
void Executor::call(std::uint32_t tasks) {
  if (tasks > 0) crew_->call(static_cast<int>(tasks) - caller_.call(1));
}

template <bool traced>
void Executor::run_task(std::uint32_t group, std::uint32_t chunk, int worker) noexcept {
  std::byte* const scratch = scratch_ + plan_.scratch_bytes * worker;
  Recorder<traced> recorder(trace_, worker);
  const Plan::Group& g = plan_.groups[group];
  const Plan::Step* step = plan_.steps.data() + g.first;
  try {
    for (; step != plan_.steps.data() + g.last; ++step) {
      fetch_ahead(step, plan_.steps.data() + g.last);
      if (!may_run(*step)) return;
      run_parts(*step, step->parts * chunk / g.chunks, step->parts * (chunk + 1) / g.chunks, scratch);
      recorder.ran(static_cast<std::size_t>(step - plan_.steps.data()), chunk);
    }
  } catch (...) {
    fail(*step);
  }
}

// Keeps what was just thrown, the first of a run, or what comes of naming its node where memory has run out.
void Executor::fail(const Plan::Step& step) noexcept {
  if (failed_.exchange(true)) return;
  try {
    try {
      throw;
    } catch (const OpError& e) {
      throw located(plan_.graph->node(step.node), e);
    }
  } catch (...) {
    error_ = std::current_exception();
  }
}

// After an error or a stop, tasks only pass on that they are finished, so that all counters come back to their start.
bool Executor::may_run(const Plan::Step& step) {
  if (failed_.load(std::memory_order_relaxed)) return false;
  Phase phase = phase_.load(std::memory_order_relaxed);
  if (phase == Phase::committed) return true;
  if (phase == Phase::open && stop_ && stop_->stop_requested()) {
    if (phase_.compare_exchange_strong(phase, Phase::stopped)) return false;
  } else if (phase == Phase::open && step.commits) {
    if (phase_.compare_exchange_strong(phase, Phase::committed)) return true;
  }
  return phase != Phase::stopped;
}

void Executor::run_parts(const Plan::Step& step, std::int64_t first, std::int64_t last, std::byte* scratch) const {
  if (first >= last) return;
  Run r{.inputs = frame_.reads(step),
        .outputs = frame_.writes(step),
        .part = first,
        .parts = step.parts,
        .scratch = scratch,
        .prepared = step.prepared};
  for (; r.part < last; ++r.part) step.op->run(r);
}

}  // namespace oxbow::internal
