#include <oxbow/graph/error.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/run/cpus.h>
#include <oxbow/runtime/run/own_threads.h>
#include <oxbow/runtime/run/pool_impl.h>
#include <pthread.h>

#include <algorithm>
#include <string>

namespace oxbow {
using namespace internal;

namespace {

constexpr int most_threads = 256;  // more are a slip of the keyboard, and would take the machine down

std::atomic<std::uint64_t> forks{0};

}  // namespace

std::uint64_t internal::process_number() {
  [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  return forks.load(std::memory_order_relaxed);
}

Pool::Impl::Impl(int count, std::function<void(const Job&)> enqueue)
    : threads(count), enqueue_(std::move(enqueue)), crew_(new Crew(count - 1, process_number())) {}

Pool::Impl::~Impl() {
  Crew* last = crew_.load();
  if (last->process != process_number()) return;  // its workers were never here, and nobody gives back what they held
  last->dismiss();
  last->release();
}

Pool::Crew& Pool::Impl::crew() {
  Crew* now = crew_.load(std::memory_order_acquire);
  if (now->process == process_number()) return *now;
  auto* next = new Crew(threads - 1, process_number());
  if (crew_.compare_exchange_strong(now, next)) return *next;
  next->release();
  return *now;
}

int Pool::Impl::open(Crew& crew, TeamWork& work) {
  const int slot = crew.open(work);
  if (slot < 0) return slot;
  for (int place = crew.enlist(); place >= 0; place = crew.enlist()) {
    try {
      enqueue_(Job(crew, place));
    } catch (...) {  // no thread, or no memory for one: the place stays taken, so nobody is asked for again
    }
  }
  return slot;
}

Pool::Job::Job(Crew& crew, int place) : place_(place) {
  crew.keep();
  crew_.store(&crew, std::memory_order_release);
}

Pool::Job::Job(const Job& other) : Job(*other.crew_.load(std::memory_order_acquire), other.place_) {}

Pool::Job::~Job() { crew_.load(std::memory_order_acquire)->release(); }

void Pool::Job::operator()() const { crew_.load(std::memory_order_acquire)->stay(place_); }

// In a child that was forked off, the arena's threads did not come along.
Pool::Pool(int threads, std::function<void(const Job&)> enqueue)
    : impl_(std::make_shared<Impl>(threads, [enqueue = std::move(enqueue), process = process_number()](const Job& job) {
        if (process == process_number()) enqueue(job);
      })) {}

Pool::Pool(int threads) {
  if (threads < 1 || threads > most_threads)
    throw Error("a pool of " + std::to_string(threads) + " threads\n  Use 1 to " + std::to_string(most_threads));
  while_memory_lasts("making a pool", [&] { impl_ = std::make_shared<Impl>(threads, own_threads(threads)); });
}

// Never destroyed: other threads may be in a run when the process ends.
Pool Pool::shared() {
  return while_memory_lasts("looking up how many threads there may be", [] {
    static const auto* const pool = new Pool(std::min(usable_cpus(), most_threads));
    return *pool;
  });
}

int Pool::threads() const { return impl_->threads; }

}  // namespace oxbow
