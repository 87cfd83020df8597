#include <oxbow/graph/passes/dead_code.h>

#include <algorithm>

namespace oxbow::internal {

std::optional<Rewritten> dead_code(const Graph& from) {
  const std::vector<bool> live = live_nodes(from);
  if (std::find(live.begin(), live.end(), false) == live.end()) return std::nullopt;
  Rewriter r(from);
  for (NodeId i = 0; i < from.size(); ++i)
    if (live[static_cast<std::size_t>(i)]) r.copy(from.node(i));
  return r.finish();
}

}  // namespace oxbow::internal
