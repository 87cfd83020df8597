// Which node of one graph is which of another: see diff.h for how they are matched. Part of tools/diff; pure functions.
#pragma once

#include <oxbow/graph/graph.h>

#include <vector>

namespace oxbow::tools {

inline std::size_t at(NodeId i) { return static_cast<std::size_t>(i); }

struct NodeMatches {
  std::vector<NodeId> b_of_a, a_of_b;  ///< of each node its match, or -1
  /// Whether these are the same output of a matched pair.
  bool pair(const Value& a, const Value& b) const {
    if (!a || !b) return !a && !b;
    return b_of_a[at(a.node_id())] == b.node_id() && a.output() == b.output();
  }
};

NodeMatches match_nodes(const Graph& a, const Graph& b);

}  // namespace oxbow::tools
