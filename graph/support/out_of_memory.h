// Memory that runs out is told as any other error: by `oxbow::Error`, with what was being done.
#pragma once

#include <oxbow/graph/error.h>

#include <new>

namespace oxbow::internal {

/// What `f()` returns. Where memory runs out in it, throws `Error`, which says what `is_left`: what was given back on
/// the way there is enough for the message, and where it is not, `std::bad_alloc` goes on.
template <class F>
decltype(auto) while_memory_lasts(const char* doing, const F& f, const char* is_left = "Nothing was changed") {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw Error(std::string("out of memory while ") + doing + "\n  " + is_left +
                ". Free some and try again, or make batches, the model or the plan smaller");
  }
}

}  // namespace oxbow::internal
