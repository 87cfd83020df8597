// Graphs as DOT, Graphviz's language: what to look at. The same text every time. Pure functions.
//
// Blue is forward, orange backward, green update; an edge has the colour of its reader's phase and the type of its
// value. Ovals are fed, cylinders stored, notes fixed, boxes computed; a double border marks outputs. Dotted edges
// carry a shape only; bold ones a forward value that backward keeps in memory. A leaf that another phase reads is shown
// again there, dashed. Frames are phases and the scopes in them. A node that others were fused into says which. What a
// plan made of the graph can be told beside it: a remark at each node, and a path in a colour of its own.
#pragma once

#include <oxbow/graph/graph.h>

#include <string>
#include <vector>

namespace oxbow::tools {

/// What is said of a node beside what the graph has of it.
struct DotRemark {
  std::string name = {};   ///< replaces the node's own, where there is one
  std::string label = {};  ///< lines at its label's end
  std::string tip = {};    ///< lines at its tooltip's end
};

struct DotOptions {
  bool types = true;                    ///< on the edges
  bool reduced = false;                 ///< leaves out edges that others imply: for graphs of a few thousand nodes
  std::string note = {};                ///< below the picture
  std::vector<DotRemark> remarks = {};  ///< each node's; empty: none
  std::vector<NodeId> path = {};        ///< nodes whose borders, and the edges from each to the next, stand out
  std::string path_note = {};           ///< what the path is, below the picture

  const DotRemark& remark(NodeId node) const {
    static const DotRemark none;
    return node >= 0 && node < std::ssize(remarks) ? remarks[static_cast<std::size_t>(node)] : none;
  }
};

std::string dot(const Graph& graph, const DotOptions& options = {});

}  // namespace oxbow::tools
