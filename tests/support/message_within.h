// What a function's error says where memory is short.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "support/message.h"

namespace oxbow::test {

/// What `f` says where it can have so many more bytes of address space, and no more. Sanitizers take address space
/// themselves, as much as they like: with them there is no limit.
template <class F>
std::string message_within(std::size_t bytes, F&& f) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit old{};
  getrlimit(RLIMIT_AS, &old);
  rlimit small = old;
  small.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  setrlimit(RLIMIT_AS, &small);
#endif
  std::string said = message(f);
  setrlimit(RLIMIT_AS, &old);
  return said;
}

}  // namespace oxbow::test
