// The inside of a Pool: its crew, and where workers come from.
#pragma once

#include <oxbow/runtime/run/crew.h>

namespace oxbow {

struct Pool::Impl {
  Impl(int threads, std::function<void(const Job&)> enqueue);
  ~Impl();
  Impl(const Impl&) = delete;

  /// The crew of this process: after a `fork`, the child begins with a new one.
  Crew& crew();
  /// Offers work to the crew and asks for the workers that are missing. Returns the slot, or -1: see `Crew::open`. A
  /// worker that cannot be had is done without.
  int open(Crew& crew, internal::TeamWork& work);

  const int threads;

 private:
  const std::function<void(const Job&)> enqueue_;
  std::atomic<Crew*> crew_;
};

}  // namespace oxbow

namespace oxbow::internal {

/// 0, and one more in each child that was forked since the first pool was made. There other threads than the one that
/// called `fork` are gone, with whatever they held.
std::uint64_t process_number();

}  // namespace oxbow::internal
