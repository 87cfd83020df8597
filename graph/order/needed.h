// Which nodes a result is computed from. Pure.
#pragma once

#include <oxbow/graph/graph.h>

#include <vector>

namespace oxbow {

/// For each node of `graph`, whether one of its `values` is computed from it; the values' own nodes are. Linear in the
/// graph's edges.
std::vector<bool> needed(const Graph& graph, Values values);

}  // namespace oxbow
