// Graphs as DOT, Graphviz's language: what to look at. The same text every time. Pure functions.
//
// Blue is forward, orange backward, green update; an edge has the colour of its reader's phase and the type of its
// value. Ovals are fed, cylinders stored, notes fixed, boxes computed; a double border marks outputs. Dotted edges
// carry a shape only; bold ones a forward value that backward keeps in memory. A leaf that another phase reads is shown
// again there, dashed. Frames are phases and the scopes in them.
#pragma once

#include <oxbow/graph/graph.h>

#include <string>
#include <vector>

namespace oxbow {

struct DotOptions {
  bool types = true;      ///< on the edges
  bool reduced = false;   ///< leaves out edges that others imply (graph/order.h: for graphs of a few thousand nodes)
  std::string note = {};  ///< stands below the picture
  std::vector<double> ns = {};  ///< each node's time, told in its label; -1: none
};

std::string dot(const Graph& graph, const DotOptions& options = {});

}  // namespace oxbow
