// Fusion: connected elementwise nodes of one shape, and the reductions that read them, become one `Fused` node, which
// goes through memory once. Nothing is computed twice; values that others read become further outputs.
//
// The node takes phase, scope and line of its last member. One of forward and backward work is forward: there the pass
// turns round, and the backward nodes after it belong to it. A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewrite.h>

namespace oxbow {

/// Works on a lowered graph. Linear in its edges. Which nodes may join: graph/passes/fuse_groups.h.
std::optional<Rewritten> fuse(const Graph& from);

}  // namespace oxbow
