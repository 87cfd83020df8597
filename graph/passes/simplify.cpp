#include <oxbow/graph/passes/simplify.h>

namespace oxbow {
namespace {

constexpr int most_steps = 32;  // of one node; an op that never declines is not worth a hang

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
    Value now;
    {
      const OriginGuard guard = r.as(node);
      NodeId built = r.to().size();
      now = in_order(r.to(), [&] { return node.op().simplify(r.inputs(node)); });
      // What it became may simplify in its turn, if it was built just now: the nodes before it were asked already.
      for (int step = 0; now && now.node_id() >= built && now.output() == 0 && step < most_steps; ++step) {
        built = r.to().size();
        const Value next = in_order(r.to(), [&] { return now.node().op().simplify(now.node().inputs()); });
        if (!next) break;
        now = next;
      }
    }
    if (!now) {
      r.copy(node);
      continue;
    }
    invariant(now.type() == node.output_types()[0], "simplify changes a type");
    changed = true;
    r.map(node.output(), now);
    r.keep_name(node, now);
  }
  if (!changed) return std::nullopt;
  return r.finish();
}

}  // namespace oxbow
