// Dead code: nodes that no output of the graph needs are left out, effects included. Linear in the graph's edges. A
// pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

std::optional<Rewritten> dead_code(const Graph& from);

}  // namespace oxbow::internal
