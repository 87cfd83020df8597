#include <oxbow/graph/support/draws.h>
#include <oxbow/graph/support/normal_quantile.h>
#include <oxbow/graph/support/random_blocks.h>

#include <bit>

namespace oxbow::internal {

void draw(Distribution distribution, const DrawKey& key, std::int64_t batch, Draws& out) {
  constexpr std::size_t blocks = draws / 2;  // a block of bits gives two doubles
  RandomWords<blocks> words;
  random_blocks<blocks>(key.seed, key.step, key.stream, static_cast<std::uint64_t>(batch) * blocks, words);
  const auto open01 = [](std::uint32_t high, std::uint32_t low) {
    constexpr std::uint64_t whole = std::uint64_t{0x433} << 52;  // 2^52: with i below that in its mantissa, 2^52 + i
    const std::uint64_t bits = std::uint64_t{high} << 20 | low >> 12;
    return (std::bit_cast<double>(bits | whole) - 0x1p52 + 0.5) * 0x1p-52;
  };
  const std::uint32_t* w = words.data();
  for (std::size_t i = 0; i < blocks; ++i) {
    out[2 * i] = open01(w[i], w[blocks + i]);
    out[2 * i + 1] = open01(w[2 * blocks + i], w[3 * blocks + i]);
  }
  if (distribution == Distribution::uniform) return;
  if (distribution == Distribution::truncated_normal) {
    constexpr double below = 0.022750131948179209;  // P(X < -2)
    for (double& p : out) p = below + (1 - 2 * below) * p;
  }
  normal_quantiles(out);
}

}  // namespace oxbow::internal
