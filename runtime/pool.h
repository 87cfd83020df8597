// Threads for programs: a number of workers on oneTBB, or the caller's own task arena. Oxbow starts no threads itself.
#pragma once

#include <functional>
#include <memory>

namespace oxbow {

class Pool {
 public:
  /// All the machine's cores, shared by everyone who asks for it.
  static Pool shared();
  /// An arena of this many threads, the caller's included. Throws `Error` for less than one.
  explicit Pool(int threads);
  /// The caller's own arena, anything with `max_concurrency()` and `enqueue(f)`: `Pool::from(my_tbb_arena)`. It must
  /// outlive the Pool.
  template <class Arena>
  static Pool from(Arena& arena) {
    return Pool(arena.max_concurrency(), [&arena](std::function<void()> work) { arena.enqueue(std::move(work)); });
  }

  int threads() const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  Pool(int threads, std::function<void(std::function<void()>)> enqueue);
  explicit Pool(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace oxbow
