// Constant folding: a node whose inputs are all constants is computed here, by its own kernel, and becomes a constant.
// A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

/// Leaves alone what has effects, may fail on its data, or would store more than 64 KiB more than its inputs do.
std::optional<Rewritten> fold(const Graph& from);

}  // namespace oxbow::internal
