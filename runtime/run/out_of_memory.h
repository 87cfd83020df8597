// Memory that runs out is told as any other error: by `oxbow::Error`, with what was being done.
#pragma once

#include <oxbow/graph/error.h>

#include <new>

namespace oxbow {

/// What `f()` returns. Where memory runs out in it, throws `Error`: what was given back on the way there is enough for
/// the message.
template <class F>
decltype(auto) while_memory_lasts(const char* doing, const F& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw Error(std::string("out of memory while ") + doing +
                "\n  Nothing was changed. Free some and try again, or make batches, the model or the plan smaller");
  }
}

}  // namespace oxbow
