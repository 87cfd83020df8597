// Sums and products of sizes that a graph or a file chooses, and that may be beyond what a number holds: those are the
// largest number then, which no limit lets pass. Pure functions.
#pragma once

#include <cstdint>
#include <limits>

namespace oxbow::internal {

/// a + b, of numbers that are not negative.
constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

/// a * b, of numbers that are not negative.
constexpr std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

}  // namespace oxbow::internal
