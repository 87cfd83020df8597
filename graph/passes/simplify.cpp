#include <oxbow/graph/passes/simplify.h>

namespace oxbow::internal {
namespace {

constexpr int most_steps = 32;  // of one node; an op that never declines is not worth a hang

// What a value became may simplify in its turn, if it was built just now: the nodes before it were asked already.
void simplify_further(Value& v, NodeId built) {
  Graph& g = v.graph();
  for (int step = 0; v.node_id() >= built && step < most_steps; ++step) {
    built = g.size();
    const Node node = v.node();
    const std::vector<Value> next = in_order(g, [&] { return node.op().simplify(node.inputs()); });
    if (next.empty()) return;
    v = next[static_cast<std::size_t>(v.output())];
  }
}

}  // namespace

std::optional<Rewritten> simplify(const Graph& from) {
  bool asks = false;
  for (NodeId i = 0; i < from.size() && !asks; ++i) asks = from.node(i).op().has_simplify();
  if (!asks) return std::nullopt;

  Rewriter r(from);
  bool changed = false;
  for (NodeId i = 0; i < from.size(); ++i) {
    const Node node = from.node(i);
    if (!node.op().has_simplify()) {
      r.copy(node);
      continue;
    }
    std::vector<Value> now;
    {
      const OriginGuard guard = r.as(node);
      const NodeId built = r.to().size();
      now = in_order(r.to(), [&] { return node.op().simplify(r.inputs(node)); });
      for (Value& v : now) simplify_further(v, built);
    }
    if (now.empty()) {
      r.copy(node);
      continue;
    }
    for (int k = 0; k < static_cast<int>(now.size()) && k < node.output_count(); ++k)
      invariant(now[static_cast<std::size_t>(k)].type() == node.output(k).type(), "simplify changes a type");
    changed = true;
    r.map(node, now);
    if (now.size() == 1) r.keep_name(node, now[0]);
  }
  if (!changed) return std::nullopt;
  return r.finish();
}

}  // namespace oxbow::internal
