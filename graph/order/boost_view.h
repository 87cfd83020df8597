// A graph as Boost.Graph sees it: nodes are vertices, each input of a node an edge from the value's node to its reader,
// lowered to a compressed sparse row graph, which models VertexListGraph, EdgeListGraph and BidirectionalGraph.
// Included by order.cpp only, which is slow enough to compile. Linear to make; a copy, so later appends do not show.
#pragma once

#include <oxbow/graph/graph.h>

#include <boost/graph/compressed_sparse_row_graph.hpp>

namespace oxbow::internal {

/// Which input of the edge's target it is.
struct InputEdge {
  std::int32_t input = 0;
};

using BoostView = boost::compressed_sparse_row_graph<boost::bidirectionalS, boost::no_property, InputEdge>;
using BoostVertex = boost::graph_traits<BoostView>::vertex_descriptor;
using BoostEdge = boost::graph_traits<BoostView>::edge_descriptor;

/// What Boost's BidirectionalGraph asks for and its own graph leaves out; found by `InputEdge`.
inline auto degree(BoostVertex v, const BoostView& g) { return in_degree(v, g) + out_degree(v, g); }

inline NodeId node_of(BoostVertex v) { return static_cast<NodeId>(v); }
inline BoostVertex vertex_of(NodeId n) { return static_cast<BoostVertex>(n); }

/// With `entry`, one more vertex, the last, has an edge to each node without inputs: where algorithms that want a
/// single source start.
inline BoostView boost_view(const Graph& g, bool entry = false) {
  std::vector<std::pair<BoostVertex, BoostVertex>> edges;
  std::vector<InputEdge> inputs;
  const auto n = static_cast<BoostVertex>(g.size());
  for (NodeId i = 0; i < g.size(); ++i) {
    const Node node = g.node(i);
    for (std::int32_t k = 0; k < node.input_count(); ++k) {
      if (!node.input(k)) continue;
      edges.emplace_back(vertex_of(node.input(k).node_id()), vertex_of(i));
      inputs.push_back({k});
    }
    if (entry && node.input_count() == 0) {
      edges.emplace_back(n, vertex_of(i));
      inputs.push_back({});
    }
  }
  return BoostView(boost::edges_are_unsorted_multi_pass, edges.begin(), edges.end(), inputs.begin(),
                   n + (entry ? 1 : 0));
}

}  // namespace oxbow::internal
