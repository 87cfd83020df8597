// The inside of a Pool: where runs are offered, and the workers that take part in them.
//
// A run stands in a slot while it lasts. A worker visits all slots, takes part in what it finds, and lingers for a
// while when there is nothing, so that the next step of a training loop finds it awake. The caller of a run never waits
// for a worker to come, only for one that is inside the run to leave it.
#pragma once

#include <oxbow/runtime/pool.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace oxbow {

/// Something that several threads do together.
class TeamWork {
 public:
  /// Takes part for as long as there is something to do now. True when anything was done. Called by any number of
  /// workers at once, between `open` and `close`.
  virtual bool help() noexcept = 0;

 protected:
  ~TeamWork() = default;
};

struct Pool::Impl {
  Impl(int threads, std::function<void(const Job&)> enqueue);
  ~Impl();

  /// Offers work to the pool's workers and wakes as many as may be missing. Returns the slot, or -1 where all are
  /// taken: then the caller works alone.
  int open(TeamWork& work);
  /// Takes the offer back; returns when no worker is inside any more.
  void close(int slot);
  /// A worker's stay: it helps where it can and leaves after a while without work.
  void work();

  const int threads;
  alignas(64) std::atomic<int> jobs{0};  ///< that exist; the pool outlives them

 private:
  struct alignas(64) Slot {
    std::atomic<TeamWork*> work{nullptr};
    std::atomic<int> visitors{0};
    std::atomic<bool> taken{false};
  };
  bool visit_all();

  std::function<void(const Job&)> enqueue_;
  std::array<Slot, 16> slots_;
  alignas(64) std::atomic<int> workers_{0};  // that are awake or on their way
  alignas(64) std::atomic<bool> closing_{false};
};

/// Waits a little, politely: the first times on the spot, then by giving the core away.
class Backoff {
 public:
  void wait();
  void reset() { tries_ = 0; }

 private:
  int tries_ = 0;
};

}  // namespace oxbow
