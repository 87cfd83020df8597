// Where in the arena every value lies. Lifetimes follow the partial order of the tasks, never the serial order: two
// values share bytes only if under every schedule all readers of the one are finished before the other is written.
// Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/plan/tasks.h>

namespace oxbow::internal {

/// A stretch of memory that some values use one after another, each overwriting the last in place.
struct Block {
  std::int64_t bytes = 0;    ///< a multiple of 64
  std::uint32_t writer = 0;  ///< the step that first writes it
  /// The steps after which it is free; without any, it is kept to the end of the run.
  std::vector<std::uint32_t> last = {};
  std::uint32_t free_after = ~0u;  ///< the last of those in serial order
};

struct Blocks {
  std::vector<Block> list;               ///< by writer, in serial order
  std::vector<std::int32_t> of_storage;  ///< -1 where a storage is outside the arena
};

/// The blocks of all storages in the arena; steps take over the bytes of inputs that nobody reads after them, where
/// their ops allow it (`Op::overwrites`).
Blocks find_blocks(const Graph& graph, const Storages& storages, const Schedule& schedule, const Tasks& tasks);

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
