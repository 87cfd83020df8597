// Which values use the same bytes one after another, each overwriting the last in place. Thread safety: pure functions.
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

}  // namespace oxbow::internal
