#include <oxbow/graph/error.h>
#include <oxbow/runtime/run/pool_impl.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace oxbow {
namespace {

// So long a worker looks for the next run before it leaves: an awake thread takes over in 0.3 us, a sleeping one in 16
// us to 3 ms. Longer would keep the core from others.
constexpr std::chrono::microseconds linger{300};

constexpr int most_threads = 256;  // more are a slip of the keyboard, and would take the machine down

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// An arena, and leave for oneTBB to use as many threads where the machine has fewer.
struct OwnArena {
  explicit OwnArena(int threads) : arena(threads) {
    if (threads > tbb::info::default_concurrency())
      more_threads.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  }
  std::optional<tbb::global_control> more_threads;
  tbb::task_arena arena;
};

}  // namespace

void Backoff::wait() {
  constexpr int on_the_spot = 64;
  if (++tries_ < on_the_spot)
    relax();
  else
    std::this_thread::yield();
}

Pool::Impl::Impl(int count, std::function<void(const Job&)> enqueue) : threads(count), enqueue_(std::move(enqueue)) {}

Pool::Impl::~Impl() {
  closing_.store(true);
  Backoff backoff;
  while (jobs.load() > 0) backoff.wait();
}

int Pool::Impl::open(TeamWork& offered) {
  int slot = -1;
  for (std::size_t s = 0; s < slots_.size() && slot < 0; ++s)
    if (!slots_[s].taken.load(std::memory_order_relaxed) && !slots_[s].taken.exchange(true)) slot = static_cast<int>(s);
  if (slot < 0) return slot;
  slots_[static_cast<std::size_t>(slot)].work.store(&offered);
  for (int awake = workers_.load(); awake < threads - 1;)
    if (workers_.compare_exchange_weak(awake, awake + 1)) {
      enqueue_(Job(*this));
      ++awake;
    }
  return slot;
}

void Pool::Impl::close(int slot) {
  Slot& s = slots_[static_cast<std::size_t>(slot)];
  s.work.store(nullptr);
  Backoff backoff;
  while (s.visitors.load() > 0) backoff.wait();
  s.taken.store(false);
}

// A worker counts itself in before it looks whether there is work, and `close` takes the work away before it looks for
// visitors: so (all being sequentially consistent) either the worker sees nothing or `close` sees the worker.
bool Pool::Impl::visit_all() {
  bool any = false;
  for (Slot& s : slots_) {
    if (!s.work.load()) continue;
    ++s.visitors;
    if (TeamWork* w = s.work.load()) any = w->help() || any;
    --s.visitors;
  }
  return any;
}

void Pool::Impl::work() {
  using Clock = std::chrono::steady_clock;
  auto last = Clock::now();
  Backoff backoff;
  while (!closing_.load()) {
    if (visit_all()) {
      last = Clock::now();
      backoff.reset();
    } else if (Clock::now() - last > linger) {
      break;
    } else {
      backoff.wait();
    }
  }
  --workers_;
}

Pool::Job::Job(Impl& pool) {
  pool.jobs.fetch_add(1, std::memory_order_acq_rel);
  pool_.store(&pool, std::memory_order_release);
}

Pool::Job::~Job() { pool_.load(std::memory_order_acquire)->jobs.fetch_sub(1, std::memory_order_acq_rel); }

void Pool::Job::operator()() const { pool_.load(std::memory_order_acquire)->work(); }

Pool::Pool(int threads, std::function<void(const Job&)> enqueue)
    : impl_(std::make_shared<Impl>(threads, std::move(enqueue))) {}

Pool::Pool(int threads) {
  if (threads < 1 || threads > most_threads)
    throw Error("a pool of " + std::to_string(threads) + " threads\n  Use 1 to " + std::to_string(most_threads));
  auto own = std::make_shared<OwnArena>(threads);
  impl_ = std::make_shared<Impl>(threads, [own](const Job& job) { own->arena.enqueue(job); });
}

// Never destroyed: at the end of the process its workers may have no thread any more.
Pool Pool::shared() {
  static const auto* const pool = new Pool(tbb::info::default_concurrency());
  return *pool;
}

int Pool::threads() const { return impl_->threads; }

}  // namespace oxbow
