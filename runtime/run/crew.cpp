#include <oxbow/runtime/run/crew.h>

#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace oxbow {
using namespace internal;

namespace {

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

bool Patience::wait() {
  constexpr int on_the_spot = 64;
  if (++tries_ < on_the_spot) {
    relax();
    return true;
  }
  if (tries_ == on_the_spot) since_ = Clock::now();
  std::this_thread::yield();
  return Clock::now() - since_ < limit;
}

// A process may end while jobs wait in a queue of oneTBB's, whose memory leak checkers do not look into: here they find
// the jobs' crews. Without a lock, which a child that was forked off might find taken for ever.
Pool::Crew::Crew(int workers, std::uint64_t number)
    : process(number), workers_(workers), places_(static_cast<std::size_t>(workers)) {
  static std::array<std::atomic<const Crew*>, 256> in_sight;
  for (std::atomic<const Crew*>& place : in_sight)
    if (const Crew* none = nullptr; place.compare_exchange_strong(none, this)) {
      sight_ = &place;
      break;
    }
}

Pool::Crew::~Crew() {
  if (sight_ != nullptr) sight_->store(nullptr);
}

int Pool::Crew::open(TeamWork& offered) {
  int slot = -1;
  for (std::size_t s = 0; s < slots_.size() && slot < 0; ++s)
    if (!slots_[s].taken.load(std::memory_order_relaxed) && !slots_[s].taken.exchange(true)) slot = static_cast<int>(s);
  if (slot < 0) return slot;
  slots_[static_cast<std::size_t>(slot)].work.store(&offered);
  ++open_;
  call(workers_);
  return slot;
}

void Pool::Crew::close(int slot) {
  Slot& s = slots_[static_cast<std::size_t>(slot)];
  s.work.store(nullptr);
  if (--open_ == 0) call(workers_);  // nothing is left to wait for
  Patience patience;
  while (s.visitors.load() > 0) patience.wait();
  s.taken.store(false);
}

int Pool::Crew::enlist() {
  for (int now = enlisted_.load(); now < workers_;)
    if (enlisted_.compare_exchange_weak(now, now + 1))
      for (int place = 0;; place = (place + 1) % workers_)  // one is free: see `enlisted_`
        if (!places_[static_cast<std::size_t>(place)].exchange(true)) return place;
  return -1;
}

void Pool::Crew::strike(int place) {
  places_[static_cast<std::size_t>(place)].store(false);
  --enlisted_;
}

void Pool::Crew::dismiss() {
  dismissed_.store(true);
  call(workers_);
}

// A worker counts itself in before it looks whether there is work, and `close` takes the work away before it looks for
// visitors: so (all being sequentially consistent) either the worker sees nothing or `close` sees the worker.
template <class Visit>
bool Pool::Crew::visit_all(const Visit& visit) {
  bool any = false;
  for (Slot& s : slots_) {
    if (!s.work.load()) continue;
    ++s.visitors;
    if (TeamWork* w = s.work.load()) any = visit(*w) || any;
    --s.visitors;
  }
  return any;
}

void Pool::Crew::stay(int place) {
  const auto help = [](TeamWork& w) { return w.help(); };
  const auto ready = [](TeamWork& w) { return w.ready(); };
  Patience patience;
  while (!dismissed_.load()) {
    if (!visit_all(help)) {
      if (patience.wait()) continue;
      if (open_.load() > 0) {
        asleep_.wait([&] { return dismissed_.load() || open_.load() == 0 || visit_all(ready); });
      } else {
        strike(place);
        if (open_.load() == 0) return;
        place = enlist();  // a run was opened that may count on this worker
        if (place < 0) return;
      }
    }
    patience.renew();
  }
  strike(place);
}

}  // namespace oxbow
