// Philox 4x32-10, the counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011). Any draw is a pure function of (key, counter): the same bits on any machine, in any order, by any
// thread.
#pragma once

#include <array>
#include <cstdint>

namespace oxbow::internal {

using RandomBlock = std::array<std::uint32_t, 4>;

/// 128 random bits for the block `index` of the sequence keyed by (seed, step, stream).
constexpr RandomBlock random_block(std::uint64_t seed, std::uint32_t step, std::uint32_t stream, std::uint64_t index) {
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  RandomBlock c{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), step, stream};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

/// 24 random bits as a float in [0, 1).
constexpr float uniform01(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

}  // namespace oxbow::internal
