// Threads for a pool that is given none: oneTBB's, which all arenas of the process share.
#pragma once

#include <oxbow/runtime/pool.h>

namespace oxbow::internal {

/// A function that has jobs run, on at most `threads` - 1 threads. In a child that was forked off oneTBB has no threads
/// any more, so there each job gets a thread of its own. Throws what the system does when it gives no thread.
std::function<void(const Pool::Job&)> own_threads(int threads);

}  // namespace oxbow::internal
