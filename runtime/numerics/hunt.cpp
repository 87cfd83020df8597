#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/numerics/hunt_report.h>

#include <cmath>

namespace oxbow::internal {
namespace {

Outputs compute(const Rerun& run, Node n, const std::vector<Outputs>& values) {
  if (n.op().is<ops::Input>() || n.op().is<ops::Variable>()) return {run.leaf(n)};
  if (const auto* c = n.op().as<ops::Constant>()) return {c->value};
  std::vector<Tensor> in;
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (!v)
      in.emplace_back(Type::absent(), nullptr);
    else
      in.push_back(values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]);
  }
  try {
    return evaluate(n.op(), in);
  } catch (const OpError& e) {
    throw located(n, e);
  }
}

// Computes all nodes that `wanted` marks, in order, and shows each with its outputs; values are forgotten after their
// last reader.
template <class See>
void compute_all(const Rerun& run, const std::vector<bool>& wanted, See&& see) {
  const Graph& g = *run.graph;
  std::vector<std::int32_t> readers(static_cast<std::size_t>(g.size()));
  for (NodeId id = 0; id < g.size(); ++id)
    if (wanted[static_cast<std::size_t>(id)])
      for (const Value& v : g.node(id).inputs())
        if (v) ++readers[static_cast<std::size_t>(v.node_id())];
  std::vector<Outputs> values(static_cast<std::size_t>(g.size()));
  for (NodeId id = 0; id < g.size(); ++id) {
    if (!wanted[static_cast<std::size_t>(id)]) continue;
    const Node n = g.node(id);
    values[static_cast<std::size_t>(id)] = compute(run, n, values);
    see(n, values);
    for (const Value& v : n.inputs())
      if (v && --readers[static_cast<std::size_t>(v.node_id())] == 0)
        values[static_cast<std::size_t>(v.node_id())].clear();
    if (readers[static_cast<std::size_t>(id)] == 0) values[static_cast<std::size_t>(id)].clear();
  }
}

bool infinite_first_value(const ops::Variable& v) {
  return v.init.kind == Init::Kind::constant && std::isinf(v.init.a);
}

void mark(Node n, const Outputs& outputs, Marks& marks) {
  bool any_bad = false, from_bad = false, from_meant = false;
  for (int i = 0; i < n.input_count(); ++i) {
    if (!reads(n, i)) continue;
    const Mark& in = marks.of(n.input(i));
    if (!in.bad) continue;
    (in.meant ? from_meant : from_bad) = true;
  }
  if (n.op().is<ops::Constant>()) from_meant = true;
  if (const auto* v = n.op().as<ops::Variable>()) from_meant = infinite_first_value(*v);
  for (int k = 0; k < n.output_count(); ++k) {
    const Tensor& t = outputs[static_cast<std::size_t>(k)];
    if (all_finite(t.type(), t.bytes())) continue;
    Mark& m = marks.of(n.output(k));
    m = {.bad = true, .nan = !no_nan(t.type(), t.bytes())};
    m.meant = !m.nan && from_meant && !from_bad;
    any_bad = any_bad || !m.meant;
  }
  marks.maker[static_cast<std::size_t>(n.id())] = any_bad && !from_bad;
}

// Whatever a bad result depends on: an Inf may turn into a zero, and that into a NaN.
std::vector<bool> behind_bad_results(const Graph& g, const Marks& marks) {
  std::vector<bool> behind(static_cast<std::size_t>(g.size()));
  for (const auto& [name, v] : g.outputs())
    if (marks.of(v).bad && !marks.of(v).meant) behind[static_cast<std::size_t>(v.node_id())] = true;
  for (NodeId id = g.size(); id-- > 0;) {
    if (!behind[static_cast<std::size_t>(id)]) continue;
    const Node n = g.node(id);
    for (int i = 0; i < n.input_count(); ++i)
      if (reads(n, i)) behind[static_cast<std::size_t>(n.input(i).node_id())] = true;
  }
  return behind;
}

Marks mark_all(const Rerun& run, const std::vector<bool>& live) {
  Marks marks(*run.graph);
  compute_all(run, live, [&](Node n, const std::vector<Outputs>& values) {
    mark(n, values[static_cast<std::size_t>(n.id())], marks);
  });
  return marks;
}

}  // namespace

Hunted hunt(const Rerun& run, const Numerics& options, bool everywhere, const std::vector<bool>& usual) {
  const Graph& g = *run.graph;
  const std::vector<bool> live = live_nodes(g);
  const Marks marks = mark_all(run, live);
  Hunted out;
  for (const auto& [name, v] : g.outputs()) {
    out.results.push_back(marks.of(v).bad);
    out.bad = out.bad || out.results.back();
  }
  const std::vector<bool> suspects = everywhere ? live : behind_bad_results(g, marks);
  std::vector<NodeId> culprits;
  for (NodeId id = 0; id < g.size(); ++id) {
    const auto i = static_cast<std::size_t>(id);
    if (suspects[i] && marks.maker[i] && (usual.empty() || !usual[i])) culprits.push_back(id);
  }
  if (culprits.empty()) return out;

  Scene scene;
  compute_all(run, ancestors(g, {g.node(culprits[0]).output()}), [&](Node n, const std::vector<Outputs>& values) {
    if (n.id() == culprits[0]) set_scene(run, n, values, scene);
  });
  out.found = report(run, culprits, scene, marks, options);
  return out;
}

std::vector<bool> makers(const Rerun& run) { return mark_all(run, live_nodes(*run.graph)).maker; }

}  // namespace oxbow::internal
