// What must wait for what, before any order is chosen.
//
// Edges are the values that steps read, and hazards: a step that writes a variable in place comes after all other
// readers of that variable, and after every step that can fail on its data, so that a failed run leaves the variables
// as they were; a step of a gradient that reads no other integers (labels, indices) than its forward step, which can
// fail, does not fail where that one has not. Where the value cannot lie in the variable, or where the hazards would
// close a cycle, a `Copy` has to write the variable instead: a step like any other, but one that nothing waits for.
// `copies` puts those into the graph (runtime/plan/copies.h). Thread safety: values, and pure functions.
#pragma once

#include <oxbow/runtime/plan/compressed_rows.h>
#include <oxbow/runtime/plan/storage.h>

#include <optional>

namespace oxbow::internal {

struct Dependences {
  static constexpr std::uint32_t none = ~0u;

  std::vector<NodeId> nodes;           ///< of each step, in the graph's order; the barrier, if any, is last and has -1
  std::vector<std::uint32_t> step_of;  ///< of each node, or `none`
  std::vector<CompressedRows::Entry> values;   ///< writer and reader, each pair once; failing steps and the barrier
  std::vector<CompressedRows::Entry> hazards;  ///< which step a write must wait for besides, and the write
  /// An assigned value that its writer puts straight into the variable.
  struct Write {
    std::uint32_t step;
    std::int32_t storage, variable;  ///< the value's storage, and the variable's number
    std::size_t assign;
  };
  std::vector<Write> in_place;
  std::vector<std::uint32_t> failing;  ///< steps that may fail on their data: each write of a variable waits for them
  std::vector<std::size_t> left;       ///< the assigns whose values need a copy that is written so
};

/// A node that has to wait for another one, for no value's sake.
struct Wait {
  NodeId node, after;
};

/// Linear in the graph's edges, and in the variables' readers. `failing`: the nodes that may fail, where that is known.
Dependences find_dependences(const Graph& graph, const Storages& storages, std::span<const Wait> waits = {},
                             std::optional<std::span<const NodeId>> failing = {});

}  // namespace oxbow::internal
