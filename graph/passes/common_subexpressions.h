// Common subexpressions: of equal ops on equal inputs the first stays. Equality is exact, to the bit of an attribute;
// hashes only narrow the search. Effects are never merged; random ops with different streams are different ops.
// Linear in the graph's edges, where equal hashes are rare. A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

std::optional<Rewritten> common_subexpressions(const Graph& from);

}  // namespace oxbow::internal
