// The workers of a pool and the runs that they take part in.
//
// A run has a slot while it lasts. A worker visits all slots and takes part in what it finds. While a run lasts it
// stays: with nothing to do it looks around for a moment, then sleeps until tasks become ready. Between runs it lingers
// for a moment, so that the next step of a training loop finds it awake, and leaves. The caller of a run never waits
// for a worker to come, only for one that is inside the run to leave it.
//
// Thread safety: all of it may be called from any thread. A Crew belongs to its pool and to each Job that was made for
// it; whichever ends last deletes it. So a pool ends at once, also where jobs of its still wait in some queue: they
// find the crew dismissed, or are dropped.
#pragma once

#include <oxbow/runtime/pool.h>
#include <oxbow/runtime/run/waiting_room.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace oxbow::internal {

/// Something that several threads do together.
class TeamWork {
 public:
  /// Whether there is something to do now.
  virtual bool ready() const noexcept = 0;
  /// Takes part for as long as there is something to do now. True when anything was done. Called by any number of
  /// workers at once, between `open` and `close`.
  virtual bool help() noexcept = 0;

 protected:
  ~TeamWork() = default;
};

/// How a thread looks around for work: a moment on the spot, then giving the core away again and again, and not for
/// long.
class Patience {
 public:
  /// An awake thread takes a task over in 0.3 us; to wake one took 16 to 64 us after 1 ms of sleep, 2 to 3 ms after 10.
  /// Who waits for as long as waking would take spends at most twice what the best choice would, had it known when work
  /// comes (Karlin, Manasse, Rudolph, Sleator, Competitive snoopy caching, Algorithmica 3, 1988). Waking has no one
  /// price: this is about the geometric mean of 64 us and 2 ms, five to seven times off at either end.
  static constexpr std::chrono::microseconds limit{300};

  /// Waits a little. False once that has gone on for `limit`: time to sleep, or to leave.
  bool wait();
  void renew() { tries_ = 0; }

 private:
  using Clock = std::chrono::steady_clock;
  int tries_ = 0;
  Clock::time_point since_;
};

}  // namespace oxbow::internal

namespace oxbow {

class Pool::Crew {
 public:
  Crew(int workers, std::uint64_t process);

  /// Offers work to the workers that are there, and wakes them. Returns the slot, or -1 where all are taken: then the
  /// caller works alone.
  int open(internal::TeamWork& work);
  /// Takes the offer back; returns when no worker is inside any more.
  void close(int slot);
  /// So many tasks became ready: wakes as many workers, if they sleep.
  void call(int tasks) { asleep_.call(tasks); }

  /// Takes a worker's place, numbered from 0, that is free: its worker is not there and not on its way. -1: none is.
  int enlist();
  /// The stay of a worker that was given this place, or later another one; gives it back.
  void stay(int place);
  /// Sends all workers away, those too that come later.
  void dismiss();

  void keep() { owners_.fetch_add(1, std::memory_order_acq_rel); }
  void release() {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  const std::uint64_t process;  ///< in which its workers are: see `process_number`

 private:
  struct alignas(64) Slot {
    std::atomic<internal::TeamWork*> work{nullptr};
    std::atomic<int> visitors{0};
    std::atomic<bool> taken{false};
  };
  ~Crew();
  void strike(int place);
  template <class Visit>
  bool visit_all(const Visit& visit);

  const int workers_;
  std::atomic<const Crew*>* sight_ = nullptr;  // see crew.cpp
  std::array<Slot, 16> slots_;
  internal::WaitingRoom asleep_;
  std::atomic<int> owners_{1};
  std::vector<std::atomic<bool>> places_;  // those that are taken
  // At least as many as places are taken, at most as many as there are workers. A worker is first counted and then
  // takes a place; when it leaves, it first frees the place and then takes itself off the count. So it always finds one
  // free.
  alignas(64) std::atomic<int> enlisted_{0};
  alignas(64) std::atomic<int> open_{0};  // slots that have work
  std::atomic<bool> dismissed_{false};
};

}  // namespace oxbow
