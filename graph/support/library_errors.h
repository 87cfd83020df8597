// What libraries and the standard library throw while bytes that come from elsewhere are read, as Oxbow's own `Error`:
// the functions that read and write files run within it, so that nothing else leaves them. Pure functions.
#pragma once

#include <string>

namespace oxbow {

/// Within a catch block: throws Oxbow's own exceptions on as they are, and all others as an `Error`: "cannot read
/// w.safetensors: out of memory" for a `doing` of "cannot read w.safetensors".
[[noreturn]] void rethrow_as_error(const std::string& doing);

/// What `f` returns; what it throws, as `rethrow_as_error` does.
template <class F>
auto with_own_errors(const std::string& doing, F&& f) {
  try {
    return f();
  } catch (...) {
    rethrow_as_error(doing);
  }
}

}  // namespace oxbow
