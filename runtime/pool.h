// Threads for programs: a number of workers on oneTBB, or the caller's own task arena. Oxbow starts no threads itself.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

namespace oxbow {

class Pool {
 public:
  struct Impl;
  /// What an arena is asked to run: one worker's stay. Whatever queue it passes through, its way to the worker and the
  /// end of its life pass atomics of ours, where race detectors see them.
  class Job {
   public:
    explicit Job(Impl& pool);
    Job(const Job& other) : Job(*other.pool_.load(std::memory_order_acquire)) {}
    Job& operator=(const Job&) = delete;
    ~Job();
    void operator()() const;

   private:
    std::atomic<Impl*> pool_{nullptr};
  };

  /// All the machine's cores, shared by everyone who asks for it.
  static Pool shared();
  /// An arena of this many threads, the caller's included. Throws `Error` for less than 1 or more than 256.
  explicit Pool(int threads);
  /// The caller's own arena, anything with `max_concurrency()` and `enqueue(f)`: `Pool::from(my_tbb_arena)`. It must
  /// outlive the Pool.
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
