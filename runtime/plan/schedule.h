// From a graph to an order of steps: what must wait for what, and in which order one thread would run them.
//
// Edges are the values that steps read, and hazards: a step that writes a variable in place comes after all other
// readers of that variable, and after every step that can fail on its data, so that a failed run leaves the variables
// as they were. Where that would close a cycle, or the value cannot lie in the variable (as what is fetched, too), a
// `Copy` writes the variable instead: a step like any other, but one that nothing waits for.
// Thread safety: values, and pure functions of what they are given.
#pragma once

#include <oxbow/runtime/plan/prepared_ops.h>
#include <oxbow/runtime/plan/storage.h>

namespace oxbow {

/// Lists of numbers, one list after another.
struct Lists {
  std::vector<std::uint32_t> first, items;  ///< list i is items[first[i]] up to items[first[i + 1]]
  std::span<const std::uint32_t> operator[](std::size_t i) const {
    return {items.data() + first[i], items.data() + first[i + 1]};
  }
  std::size_t size() const { return first.size() - 1; }

  struct Pair {
    std::uint32_t list, item;
  };
  static Lists of(std::size_t count, std::span<const Pair> pairs);
};

struct Schedule {
  struct Step {
    NodeId node = -1;  ///< -1: nothing runs; what comes after may write variables
    const PreparedOp* op = nullptr;
    double cost = 0;  ///< estimated nanoseconds
    bool commits = false;
  };
  std::vector<Step> steps;             ///< in serial order: every edge goes forward
  Lists next;                          ///< of each step those that wait for it
  std::vector<std::uint32_t> step_of;  ///< of each node, where it runs
};

/// Orders what `storages` found. Storages that a step may write straight into a variable get that variable as their
/// home; to the graph and to `storages` copies are added where none may. `ops` gathers what the steps' ops say, and
/// must outlive the schedule.
///
/// The serial order is depth first: a step is followed by what it made ready, the shorter way to the end first, so a
/// weight's gradient and its update come right after the backward step that allows them.
Schedule make_schedule(Graph& graph, Storages& storages, PreparedOps& ops);

}  // namespace oxbow
