// Placing blocks one by one, the largest first, each at the lowest offset where nothing lies that may be alive at the
// same time; then again in other orders. It leaves little unused, but compares all pairs, so it is for some thousands
// of blocks: those of a large graph that matter. Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/plan/arena.h>

namespace oxbow::internal {

/// So many blocks of `count` can be placed thus in time linear in `count`.
std::size_t most_compared(std::size_t count);

/// Offsets of those blocks, by their numbers in `blocks`, and how many bytes they take. Stops at `enough` bytes.
/// Deterministic. `lower_bound` is left 0.
Arena place_largest_first(const Blocks& blocks, std::span<const std::uint32_t> which, const Tasks& tasks,
                          std::int64_t enough);

}  // namespace oxbow::internal
