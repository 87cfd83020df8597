// Hashes, put together of parts. They narrow searches in memory and decide nothing: they may differ from run to run.
// Pure.
#pragma once

#include <cstddef>

namespace oxbow::internal {

/// A hash of two: depends on their order, and on every bit of both. (The factor is 2^64 over the golden ratio.)
constexpr std::size_t mixed(std::size_t a, std::size_t b) {
  a = (a ^ b) * 0x9E3779B97F4A7C15u;
  return a ^ (a >> 29);
}

}  // namespace oxbow::internal
