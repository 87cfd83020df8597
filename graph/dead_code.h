// Dead code: nodes that no output of the graph needs are left out, effects included.
#pragma once

#include <oxbow/graph/rewrite.h>

namespace oxbow {

std::optional<Rewritten> dead_code(const Graph& from);

}  // namespace oxbow
