// What differs between two graphs, or between two plans: which nodes were added, removed, changed or renamed.
//
// Nodes are matched by what they compute and by their neighbours, in the graphs' order, not by number: phase by phase
// the longest common sequence of ops with the same attributes and types (Myers 1986), backward nodes beside the forward
// nodes that they belong to; what is left over between two matches, by op; then another op that reads the same, and is
// read by the same, in the place of one; then by name. So an inserted layer is an addition, and only its neighbours
// have other inputs, and a tanh in the place of a relu is one changed node. Source lines are notes and no difference.
// Near linear in nodes for graphs that differ little. Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "diff/match.h"

namespace oxbow::tools {

struct Difference : NodeMatches {
  struct Pair {
    NodeId a, b;
    std::vector<std::string> what;  ///< "op: relu -> tanh", "type: f32[2] -> f32[3]", "input 0: %3 -> %8"
  };
  std::vector<NodeId> removed, added;
  std::vector<Pair> changed;  ///< matched, and not the same
  std::vector<std::pair<std::string, std::string>> renamed;
  std::vector<std::string> notes;  ///< seed, outputs, updates; of plans: peak, cost, where values went

  bool same() const { return removed.empty() && added.empty() && changed.empty() && renamed.empty() && notes.empty(); }
};

Difference diff(const Graph& a, const Graph& b);
/// Of the graphs that were planned, and of the plans.
Difference diff(const Ledger& a, const Ledger& b);

/// Lines that begin with - (removed), + (added), ~ (changed), > (renamed), ! (notes), and a last one that counts; ""
/// when nothing differs.
std::string diff_text(const Difference& d, const Graph& a, const Graph& b);

/// Both graphs in one picture, as DOT: green added, red and dashed removed, amber changed, grey the same, with a
/// legend. Of large graphs only what differs is drawn, and its neighbours; of more than `most` nodes so many, those
/// that differ first, with a note that says so.
std::string diff_dot(const Difference& d, const Graph& a, const Graph& b,
                     std::size_t most = std::numeric_limits<std::size_t>::max());

/// An op's or a node's name on a line: as it is, or in quotes with escapes where a terminal would obey it.
std::string shown(std::string_view name);
/// A node as a line: "%2 = matmul(%x, %w) {...} : f32[64, 256]", long attributes cut.
std::string node_line(Node n);

}  // namespace oxbow::tools
