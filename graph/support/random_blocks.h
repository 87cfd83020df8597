// Many of `random_block`'s draws at once, laid out so that a compiler makes vectors of them.
// Thread safety: a pure function.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace oxbow::internal {

/// Of so many blocks; word w of block i is at [w * blocks + i].
template <std::size_t blocks>
using RandomWords = std::array<std::uint32_t, 4 * blocks>;

/// `random_block` for blocks first, first + 1, ...
template <std::size_t blocks>
void random_blocks(std::uint64_t seed, std::uint32_t step, std::uint32_t stream, std::uint64_t first,
                   RandomWords<blocks>& words) {
  std::uint32_t* c0 = words.data();
  std::uint32_t *c1 = c0 + blocks, *c2 = c1 + blocks, *c3 = c2 + blocks;
  for (std::size_t i = 0; i < blocks; ++i) {
    c0[i] = static_cast<std::uint32_t>(first + i);
    c1[i] = static_cast<std::uint32_t>((first + i) >> 32);
    c2[i] = step;
    c3[i] = stream;
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[i], p1 = std::uint64_t{0xCD9E8D57u} * c2[i];
      const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c0[i] = n0;
      c1[i] = static_cast<std::uint32_t>(p1);
      c2[i] = n2;
      c3[i] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

}  // namespace oxbow::internal
