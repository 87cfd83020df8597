// From a timeline back to a graph, in which steps that run more than once are several nodes.
// Thread safety: a pure function.
#pragma once

#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/plan/timeline.h>

namespace oxbow::internal {

/// A graph in which some nodes stand more than once, the order of its steps, and which of them wait for which besides.
struct Recomputed {
  Rewritten graph;
  std::vector<NodeId> order;    ///< of the steps; -1: the barrier
  std::vector<NodeId> failing;  ///< steps that what writes variables waits for, as it did before
  std::vector<Wait> waits;      ///< they keep threads from making a value anew long before it is read
};

/// A node that stands once more is a backward node: of the one whose values it makes anew.
Recomputed rebuilt(const Graph& from, const Storages& storages, const Timeline& line);

}  // namespace oxbow::internal
