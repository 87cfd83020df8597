// Simplification: each op says by `Op::simplify` when it equals something cheaper on its inputs (x + 0 where the sign
// of zero allows it, a reshape of a reshape, an unpack of a pack); this pass asks all of them, in order, until each
// declines. A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

std::optional<Rewritten> simplify(const Graph& from);

}  // namespace oxbow::internal
