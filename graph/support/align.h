// How memory is aligned: every tensor, every block of an arena and every piece of scratch begins where a cache line
// does, which is also where the widest vector may begin. Pure functions; for .cpp files, no part of the public headers.
#pragma once

#include <cstdint>

namespace oxbow::internal {

inline constexpr std::int64_t alignment = 64;  ///< bytes

/// The smallest multiple of `to` that is not below `n`; n >= 0, to > 0.
constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// So many bytes, and what is left of their last cache line.
constexpr std::int64_t aligned(std::int64_t bytes) { return round_up(bytes, alignment); }

}  // namespace oxbow::internal
