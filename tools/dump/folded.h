// Graphs of thousands of nodes on one screen: each scope of each phase one box, with how many nodes of which ops it
// holds, its parameters, and the bytes that flow between boxes. The same text every time. Pure functions.
//
// Scopes are folded as little as keeps the picture at `most_boxes`: first from the innermost on ("stage1/block2/conv"
// into "stage1/block2"), then those that differ by a number only into one ("branch*, 64 scopes"). Forward runs down;
// backward runs up beside it, each box level with the one that it belongs to. Colours and borders as in
// tools/dump/dot.h.
#pragma once

#include <oxbow/graph/graph.h>

#include <string>
#include <vector>

namespace oxbow::tools {

struct FoldOptions {
  int most_boxes = 64;
  std::string note = {};          ///< below the picture
  std::vector<double> ns = {};    ///< each node's time, summed in its box's label; -1: none
  std::vector<NodeId> path = {};  ///< nodes whose boxes, and the edges from each box to the next, stand out
  std::string path_note = {};     ///< what the path is, below the picture
};

std::string folded_dot(const Graph& graph, const FoldOptions& options = {});

}  // namespace oxbow::tools
