// A loop whose iterations may run in any order or side by side. Kernels write arrays that are one of those they read or
// lie apart from them, which a compiler can't see: told so, it vectorises without a check and without a second, scalar
// loop.
#pragma once

#include <cstdint>

namespace oxbow {

/// f(i) for i from `begin` to `end`, which it doesn't reach. What f writes for one i it neither reads nor writes for
/// another.
template <class F>
inline void independent(std::int64_t begin, std::int64_t end, F f) {
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (std::int64_t i = begin; i < end; ++i) f(i);
}

}  // namespace oxbow
