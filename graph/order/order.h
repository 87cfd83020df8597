// What depends on what, by Boost.Graph's algorithms: for dumps, tools and tests. Execution uses flat arrays instead.
// An edge goes from the node of a value to the node that reads it; ids are in topological order already.
// Linear in nodes and edges unless said otherwise. Thread safety: reads only.
#pragma once

#include <oxbow/graph/graph.h>

#include <span>
#include <vector>

namespace oxbow::internal {

/// All nodes, each behind its inputs, depth first: a chain stays together where it can.
std::vector<NodeId> topological_order(const Graph& graph);

/// Of each node: whether it is one of `from` or depends on one of them.
std::vector<bool> descendants(const Graph& graph, std::span<const NodeId> from);
/// Of each node: whether one of the values `of` is computed from it; their own nodes are among them.
std::vector<bool> ancestors(const Graph& graph, Values of);

struct Path {
  std::vector<NodeId> nodes;  ///< in order, each an input of the next
  double length = 0;          ///< the sum of their weights
};
/// The path of the largest sum of weights: the time that no number of threads can beat, if weights are times.
/// `weights`: one a node, none negative. Throws `Error` for another number of weights.
Path critical_path(const Graph& graph, std::span<const double> weights);

/// Of each node its immediate dominator: the last node before it that all paths to it from nodes without inputs pass;
/// -1 without one. Lengauer and Tarjan 1979, almost linear.
std::vector<NodeId> dominators(const Graph& graph);

struct Edge {
  NodeId from = -1, to = -1;
  auto operator<=>(const Edge&) const = default;
};
/// The fewest edges with the same reachability, in order. Takes time and memory of the square of the nodes: throws
/// `Error` for more than `largest_reduction` of them.
std::vector<Edge> transitive_reduction(const Graph& graph);
inline constexpr NodeId largest_reduction = 4096;

}  // namespace oxbow::internal
