#include <oxbow/graph/order/needed.h>

namespace oxbow {

std::vector<bool> needed(const Graph& graph, Values values) {
  std::vector<bool> marked(static_cast<std::size_t>(graph.size()));
  for (const Value& v : values) marked[static_cast<std::size_t>(v.node_id())] = true;
  for (NodeId i = graph.size() - 1; i >= 0; --i) {  // readers come after what they read
    if (!marked[static_cast<std::size_t>(i)]) continue;
    const Node n = graph.node(i);
    for (int k = 0; k < n.input_count(); ++k)
      if (n.input(k)) marked[static_cast<std::size_t>(n.input(k).node_id())] = true;
  }
  return marked;
}

}  // namespace oxbow
