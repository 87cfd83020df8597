#include <oxbow/graph/op.h>
#include <oxbow/graph/support/same_nodes.h>

#include <algorithm>

namespace oxbow::internal {

bool same_place(const Value& a, const Value& b) { return a.node_id() == b.node_id() && a.output() == b.output(); }

bool same_nodes(const Graph& a, const Graph& b) {
  if (&a == &b) return true;
  if (a.size() != b.size()) return false;
  for (NodeId id = 0; id < a.size(); ++id) {
    const Node x = a.node(id), y = b.node(id);
    const Types s = x.output_types(), t = y.output_types();
    if (x.input_count() != y.input_count() || !std::equal(s.begin(), s.end(), t.begin(), t.end())) return false;
    for (int i = 0; i < x.input_count(); ++i)
      if (!same_place(x.input(i), y.input(i))) return false;
    // Not by an op's own ==, to which NaN is not itself, and 0.0 is -0.0, but for ops that no catalogue has.
    if ((&x.op().info() != &y.op().info() && !(x.op() == y.op())) ||
        !same_bits(AttrValue(x.op().attributes()), AttrValue(y.op().attributes())))
      return false;
  }
  return std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                    [](const auto& x, const auto& y) { return same_place(x.second, y.second); });
}

}  // namespace oxbow::internal
