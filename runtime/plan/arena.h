// Where in the arena every block lies. Two blocks share bytes only if under every schedule all readers of the one are
// finished before the other is written: that follows from the partial order of the tasks, never from the serial order.
// Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/plan/blocks.h>

namespace oxbow::internal {

/// The most bytes that are in use at once in a serial run: no arena is smaller.
std::int64_t serial_peak(const Blocks& blocks);

struct Arena {
  std::vector<std::int64_t> offsets;  ///< of each block
  std::int64_t bytes = 0;
  std::int64_t lower_bound = 0;  ///< the blocks' `serial_peak`
};

/// Places blocks at offsets that are multiples of 64. Several ways are tried and the smallest arena is kept: best fit
/// and first fit along the serial order, and the largest first, in several orders, among as many of the blocks as time
/// linear in their number allows.
Arena place_blocks(const Blocks& blocks, const Tasks& tasks);

}  // namespace oxbow::internal
