// Fusion: connected elementwise nodes of one shape, and the reductions that read them, become one `Fused` node, which
// goes through memory once. Nothing is computed twice; values that others read become further outputs.
#pragma once

#include <oxbow/graph/rewrite.h>

namespace oxbow {

/// Works on a lowered graph. Linear in its edges.
///
/// Which nodes may join: each fused node gets a stage, the largest number of times that a path to it leaves fused nodes
/// of its own shape. Along an edge the stage never falls, and it rises on the way through any other node. So no path
/// between two nodes of one shape and stage leads through an outsider, and merging such nodes makes no cycle.
std::optional<Rewritten> fuse(const Graph& from);

}  // namespace oxbow
