// From a graph to an order of steps: which one thread would run after which, and what waits for what.
// Thread safety: values, and pure functions of what they are given.
#pragma once

#include <oxbow/runtime/plan/dependences.h>
#include <oxbow/runtime/plan/prepared_ops.h>
#include <oxbow/runtime/plan/serial_order.h>

namespace oxbow::internal {

struct Schedule {
  struct Step {
    NodeId node = -1;  ///< -1: nothing runs; what comes after may write variables
    const PreparedOp* op = nullptr;
    double cost = 0;  ///< estimated nanoseconds
    bool can_fail = false, commits = false;
  };
  std::vector<Step> steps;  ///< in serial order: every edge goes forward
  CompressedRows next;      ///< of each step those that wait for it
};

/// Makes schedules of one graph, by one preference or another. `ops` gathers what the steps' ops say; all arguments
/// must outlive the schedules.
class Scheduler {
 public:
  Scheduler(const Graph& graph, const Storages& storages, const Dependences& waits, PreparedOps& ops);
  Schedule schedule(Preference preference) const;
  /// The same in a given order of the steps, which has to follow all edges.
  Schedule schedule(std::span<const std::uint32_t> order) const;

 private:
  void collect_storages(const Graph& graph, const Storages& storages);

  std::vector<Schedule::Step> steps_;         // in the graph's order
  std::vector<CompressedRows::Entry> edges_;  // of values, then hazards
  CompressedRows next_, reads_, writes_;
  std::vector<double> rank_;
  std::vector<std::int64_t> bytes_;
};

}  // namespace oxbow::internal
