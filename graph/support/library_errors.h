// What libraries and the standard library throw while bytes that come from elsewhere are read, as Oxbow's own `Error`:
// the functions that read and write files run within it, so that nothing else leaves them. Pure functions.
#pragma once

#include <string_view>

namespace oxbow::internal {

/// Within a catch block: throws Oxbow's own exceptions on as they are, and all others as an `Error`: "cannot read
/// w.safetensors: out of memory" for a `doing` of "cannot read" and that file.
[[noreturn]] void rethrow_as_error(std::string_view doing, std::string_view what);

/// What `f` returns; what it throws, as `rethrow_as_error` does.
template <class F>
auto with_own_errors(std::string_view doing, std::string_view what, F&& f) {
  try {
    return f();
  } catch (...) {
    rethrow_as_error(doing, what);
  }
}

}  // namespace oxbow::internal
