#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/near_names.h>

#include <set>

namespace oxbow::internal {
namespace {

using Outputs = std::vector<std::pair<std::string, Value>>;

// The fetches by name: the graph's own names at their first fetch, positions elsewhere.
Outputs named(const Graph& graph, Values fetches) {
  std::multimap<std::pair<NodeId, int>, std::string_view> known;  // the graph's names of a value, in their order
  for (const auto& [name, v] : graph.outputs()) known.emplace(std::pair(v.node_id(), v.output()), name);
  std::set<std::string, std::less<>> taken;
  Outputs outputs;
  for (const Value& fetch : fetches) {
    outputs.emplace_back("", fetch);
    const auto own = known.lower_bound({fetch.node_id(), fetch.output()});
    if (own == known.end() || own->first != std::pair(fetch.node_id(), fetch.output())) continue;
    outputs.back().first = own->second;
    taken.insert(outputs.back().first);
    known.erase(own);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].first.empty()) continue;
    std::string name = std::to_string(i);
    while (taken.contains(name)) name += "_";
    taken.insert(name);
    outputs[i].first = std::move(name);
  }
  return outputs;
}

ops::Input retyped(const Node& node, const ops::Input& in, const Shape& fed) {
  if (!in.accepts(fed))
    throw Error("input " + in_quotes(in.name) + " expects shape " + declared_shape(in) + ", but was fed " +
                to_string(fed) + at_line(node.origin().at, "declared at") +
                "\n  Feed the declared shape, or declare the axes that vary as any(example size)");
  ops::Input now = in;
  now.type.shape = fed;
  return now;
}

std::shared_ptr<const Graph> for_inference(const std::shared_ptr<const Graph>& graph);

// Puts what serves inference in the place of a node, and in that of nodes in the graphs that it owns. Returns whether
// there is anything of the kind.
bool stands_in(Rewriter& r, const Node& node) {
  if (node.op().has_inference()) {
    const OriginGuard guard = r.as(node);
    const std::vector<Value> instead = in_order(r.to(), [&] { return node.op().inference(r.inputs(node)); });
    if (!instead.empty()) r.map(node, instead);
    return !instead.empty();
  }
  std::vector<std::shared_ptr<const Graph>> graphs;
  bool changed = false;
  for (const auto& [name, graph] : node.op().subgraphs()) {
    graphs.push_back(for_inference(graph));
    changed = changed || graphs.back() != graph;
  }
  if (changed) r.replace(node, node.op().with_subgraphs(graphs), r.inputs(node));
  return changed;
}

// The same graph where nothing in it stands in for anything.
std::shared_ptr<const Graph> for_inference(const std::shared_ptr<const Graph>& graph) {
  Rewriter r(*graph);
  bool changed = false;
  for (NodeId i = 0; i < graph->size(); ++i) {
    if (stands_in(r, graph->node(i)))
      changed = true;
    else
      r.copy(graph->node(i));
  }
  return changed ? r.finish().graph : graph;
}

void check_names(const Graph& graph, const std::map<std::string, Shape>& shapes) {
  std::set<std::string> inputs;
  for (NodeId i = 0; i < graph.size(); ++i)
    if (const auto* in = graph.node(i).op().as<ops::Input>()) inputs.insert(in->name);
  for (const auto& [name, shape] : shapes) {
    if (inputs.contains(name)) continue;
    const std::vector<std::string> known(inputs.begin(), inputs.end());
    throw Error("no input is named " + in_quotes(name) + "\n  " +
                (known.empty() ? "The graph has no inputs" : "The graph's inputs: " + quoted(known)));
  }
}

}  // namespace

Rewritten specialise(const Graph& graph, Values fetches, const std::map<std::string, Shape>& shapes, Mode mode) {
  if (fetches.empty()) throw Error("nothing is fetched: name at least one value to compute");
  for (const Value& v : fetches)
    if (!v || &v.graph() != &graph)
      throw Error(v ? "the fetched value " + to_string(v.node()) + " belongs to another graph\n  built at " +
                          to_string(v.node().origin().at) + "\n  Fetch values of one graph"
                    : "a fetched value is empty: build it first");

  const std::vector<bool> live = ancestors(graph, fetches);
  std::size_t found = 0;
  Rewriter r(graph);
  for (NodeId i = 0; i < graph.size(); ++i) {
    if (!live[static_cast<std::size_t>(i)]) continue;
    const Node node = graph.node(i);
    if (const auto* in = node.op().as<ops::Input>()) {
      if (const auto fed = shapes.find(in->name); fed != shapes.end()) {
        ++found;
        r.replace(node, retyped(node, *in, fed->second), {});
        continue;
      }
    } else if (mode == Mode::inference && stands_in(r, node)) {
      continue;
    }
    r.copy(node);
  }
  if (found < shapes.size()) check_names(graph, shapes);
  return r.finish(named(graph, fetches));
}

}  // namespace oxbow::internal
