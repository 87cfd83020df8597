// Fusion: connected elementwise nodes of one shape, and the reductions that read them, become one `Fused` node, which
// goes through memory once. Values that others read become further outputs; only what takes a row or column of numbers
// to one large value is computed again by each node that reads it (see `Fuser::find_copied`).
//
// One idea at four places: a value that one reader needs is handed over while it is near. `lower` makes a `Fused` node,
// a tape of one step, of each elementwise op. `fuse` joins tapes, so that values pass through tiles in cache and not
// through memory. `epilogue` hands the tape behind a product, reductions too, to the product, which applies it to its
// blocks in cache.
// `TapePlan` joins two steps of a tape where an op knows one routine for both (`absorb`), so that the value between
// them stays in a register. The first three change the graph; the last serves tapes of all of them when they are
// planned.
//
// The node takes phase, scope and line of its last member. One of forward and backward work is forward: there the pass
// turns round, and the backward nodes after it belong to it. A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

/// Works on a lowered graph. Linear in its edges. Which nodes may join: graph/passes/fusion/fuse_groups.h.
std::optional<Rewritten> fuse(const Graph& from);

}  // namespace oxbow::internal
