// What threads are handed: tasks, each a stretch of the serial order long enough to be worth it, or some of the parts
// of one wide step. A stretch of a topological order never closes a cycle, so tasks wait for tasks as their steps do.
// Thread safety: values, and pure functions.
#pragma once

#include <oxbow/runtime/plan/schedule.h>

namespace oxbow::internal {

inline constexpr std::uint32_t no_index = ~0u;  ///< no step, group or fence

struct Tasks {
  struct Group {
    std::uint32_t first, last;              ///< steps from `first` up to `last`
    std::uint32_t chunks = 1;               ///< tasks that share the parts of a single wide step
    std::uint32_t chain = 0, position = 0;  ///< the place in one of the chains; positions begin at 1
    std::uint32_t first_task = 0;           ///< the number of its first task; the smaller, the more urgent
    double cost = 0;
  };
  std::vector<Group> groups;                 ///< in serial order
  CompressedRows next;                       ///< without repetition
  std::vector<std::uint32_t> waits;          ///< for how many groups each waits
  std::vector<std::uint32_t> group_of;       ///< of each step
  std::vector<std::uint32_t> group_of_task;  ///< of each task, its group
  std::uint32_t chains = 1;
  std::vector<std::uint32_t> clocks;  ///< of each group and chain: the last position that is surely finished before it

  /// Whether step `a` is surely finished when step `b` starts, under every schedule that the groups allow.
  bool before(std::uint32_t a, std::uint32_t b) const {
    const Group &ga = groups[group_of[a]], &gb = groups[group_of[b]];
    if (&ga == &gb) return a < b;
    return clocks[group_of[b] * std::size_t{chains} + ga.chain] >= ga.position;
  }
};

/// How far threads may run ahead of the serial order: as far as the edges let them; up to the next of some fences (see
/// runtime/plan/fences.h), which keeps fewer values alive at once; or not at all: they share wide steps, and no more is
/// alive than in a serial run.
enum class RunAhead : std::uint8_t { free, fenced, in_order };

/// Cuts the schedule for so many threads. One thread, or a step too small to share, makes one group.
Tasks make_tasks(const Schedule& schedule, int threads, RunAhead ahead, const Grain& grain);

}  // namespace oxbow::internal
