// Threads for programs: a number of workers on oneTBB, or the caller's own task arena. Oxbow starts no threads
// itself, but in a forked child (below).
//
// A run is never held up for want of a worker: the thread that calls it begins at once, and does alone what nobody
// comes to share, with the same bits. That is so where the system gives no thread (a limit on processes, no memory),
// and where an arena has other things to do. While a run lasts, workers that came stay with it, asleep when there is
// nothing to do; some 300 us after the last run they leave.
//
// After `fork`, pools go on in the child: those with threads of their own begin with new ones, which Oxbow starts,
// those on a caller's arena, whose threads did not come along, compute on the calling thread. A run that another thread
// was in is lost, as all of that thread's is. Thread safety: all of it may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

namespace oxbow {

class Pool {
 public:
  struct Impl;
  class Crew;
  /// What an arena is asked to run: one worker's stay. It may be run late, or never: no pool waits for it. Whatever
  /// queue it passes through, its way to the worker and the end of its life pass atomics of ours, where race detectors
  /// see them.
  class Job {
   public:
    Job(Crew& crew, int place);
    Job(const Job& other);
    Job& operator=(const Job&) = delete;
    ~Job();
    void operator()() const;
    /// The worker's number, below threads() - 1. No two jobs of a number are under way at once.
    int place() const { return place_; }

   private:
    std::atomic<Crew*> crew_{nullptr};
    int place_;
  };

  /// As many threads as this process may keep busy: the cores that its affinity allows (`sched_getaffinity`), but no
  /// more than its control groups' CPU quota, rounded up (`cpu.max`, or `cpu.cfs_quota_us` of version 1). Looked up
  /// once, and shared by everyone who asks for it.
  static Pool shared();
  /// An arena of this many threads, the caller's included. Throws `Error` for less than 1 or more than 256.
  explicit Pool(int threads);
  /// The caller's own arena, anything with `max_concurrency()` and `enqueue(f)`: `Pool::from(my_tbb_arena)`. It must
  /// outlive the Pool. What `enqueue` throws counts as a worker that does not come.
  template <class Arena>
  static Pool from(Arena& arena) {
    return Pool(arena.max_concurrency(), [&arena](const Job& job) { arena.enqueue(job); });
  }

  int threads() const;

  Impl& impl() const { return *impl_; }

 private:
  Pool(int threads, std::function<void(const Job&)> enqueue);
  explicit Pool(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace oxbow
