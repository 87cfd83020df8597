// What is drawn element by element: first values of variables, and the random ops' numbers. Element i is a pure
// function of (seed, step, stream, i), in operations that round the same everywhere (Philox of graph/support/random.h,
// additions, multiplications, divisions, square roots), so any part may be drawn by any thread and on any machine.
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace oxbow::internal {

/// The standard ones: uniform in (0, 1), 52 bits in the middle of their cell; normal; and normal without what is more
/// than two deviations from 0.
enum class Distribution : std::uint8_t { uniform, normal, truncated_normal };
inline constexpr std::array<std::string_view, 3> distribution_names{"uniform", "normal", "truncated_normal"};

/// Which numbers: a sequence each.
struct DrawKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0, stream = 0;
};

/// So many elements are drawn at once.
constexpr std::int64_t draws = 256;
using Draws = std::array<double, draws>;

/// Elements batch * draws, batch * draws + 1, ... of that sequence.
void draw(Distribution distribution, const DrawKey& key, std::int64_t batch, Draws& out);

}  // namespace oxbow::internal
