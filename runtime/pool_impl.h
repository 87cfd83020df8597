// The inside of a Pool: how many threads, and how to get them.
#pragma once

#include <oxbow/runtime/pool.h>

namespace oxbow {

struct Pool::Impl {
  int threads = 1;
  std::function<void(std::function<void()>)> enqueue;
};

}  // namespace oxbow
