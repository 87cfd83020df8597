#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/verify.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace oxbow {
using namespace internal;

namespace {

// A check returns what is wrong, "" when nothing is. Later checks rely on earlier ones: the order is part of the list.

std::string inputs_stand_before(Node n) {
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (!v) continue;  // whether it may be absent: see arity_fits
    if (&v.graph() != &n.graph()) return "input " + std::to_string(i) + " is of another graph";
    if (v.node_id() < 0 || v.node_id() >= n.id())
      return "input " + std::to_string(i) + " is node " + std::to_string(v.node_id());
  }
  return {};
}

std::string inputs_are_outputs(Node n) {
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (v && (v.output() < 0 || v.output() >= v.node().output_count()))
      return "input " + std::to_string(i) + " is output " + std::to_string(v.output()) + " of " + to_string(v.node()) +
             ", which has " + std::to_string(v.node().output_count());
  }
  return {};
}

std::string arity_fits(Node n) {
  const Names& names = n.op().info().inputs;
  if (n.input_count() < names.fixed() || !names.accepts(n.input_count()))
    return "it has " + std::to_string(n.input_count()) + " inputs, but the op takes " + names.counted("input");
  for (int i = 0; i < n.input_count(); ++i)
    if (!n.input(i) && !names.optional(i)) return "input " + std::to_string(i) + " is absent";
  return {};
}

std::string outputs_are_named(Node n) {
  const Names& names = n.op().info().outputs;
  if (names.accepts(n.output_count())) return {};
  return "it has " + std::to_string(n.output_count()) + " outputs, but the op names " + names.counted("output");
}

std::string layouts_fit(Node n) {
  if (n.op().info().any_layout) return {};
  for (int i = 0; i < n.input_count(); ++i)
    if (!n.input_type(i).layout.plain()) return "input " + std::to_string(i) + " is " + to_string(n.input_type(i));
  return {};
}

std::string types_fit(Node n) {
  std::vector<Type> inferred;
  try {
    const std::vector<Value> inputs = n.inputs();
    inferred = n.op().infer(n.input_types(), Known(inputs, n.op().info().inputs));
  } catch (const Error& e) {
    return std::string("the op refuses its inputs: ") + e.what();
  }
  const Types kept = n.output_types();
  if (std::equal(kept.begin(), kept.end(), inferred.begin(), inferred.end())) return {};
  return "the node has " + to_string(kept) + ", but its op gives " + to_string(Types(inferred));
}

std::string name_is_found(Node n) {
  if (n.name().empty()) return {};
  if (n.name().find('/') != std::string::npos) return in_quotes(n.name()) + " has a '/'";
  const std::optional<Node> found = n.graph().find(n.full_name());
  if (!found) return in_quotes(n.full_name()) + " is not found";
  return found->id() == n.id() ? "" : in_quotes(n.full_name()) + " is node " + std::to_string(found->id());
}

std::string forward_stands_before(Node n) {
  const NodeId forward = n.origin().forward;
  return forward >= -1 && forward < n.id() ? "" : "it is node " + std::to_string(forward);
}

std::string phase_is_known(Node n) {
  return n.origin().phase <= Phase::update ? "" : "it is number " + std::to_string(static_cast<int>(n.origin().phase));
}

std::string free_axes_exist(Node n) {
  const ops::Input* input = n.op().as<ops::Input>();
  if (!input) return {};
  for (std::size_t i = 0; i < input->free_axes.size(); ++i) {
    const std::int64_t axis = input->free_axes[i];
    if (axis < 0 || axis >= input->type.shape.rank())
      return "there is no axis " + std::to_string(axis) + " in " + to_string(input->type.shape);
    if (i > 0 && axis <= input->free_axes[i - 1]) return "axis " + std::to_string(axis) + " is out of order";
  }
  return {};
}

std::string constant_has_bytes(Node n) {
  const ops::Constant* c = n.op().as<ops::Constant>();
  return c && c->value.bytes() == nullptr && c->value.type().bytes() > 0 ? "there are none" : "";
}

std::string assigns_a_variable(Node n) {
  if (!n.op().is<ops::Assign>() || n.input(0).node().op().is<ops::Variable>()) return {};
  return "it is " + to_string(n.input(0).node());
}

std::string subgraphs_are_sound(Node n) {
  for (const auto& [name, graph] : n.op().subgraphs()) {
    if (!graph) return "there is no " + std::string(name);
    if (const std::optional<Violation> v = first_violation(*graph))
      return std::string(name) + " breaks " + in_quotes(v->invariant) + ": " + v->what;
  }
  return {};
}

struct NodeInvariant {
  const char* statement;
  std::string (*wrong)(Node n);
};

constexpr NodeInvariant node_invariants[] = {
    {"a node's inputs stand before it, in its graph", inputs_stand_before},
    {"an input is one of the outputs that its node has", inputs_are_outputs},
    {"a node has as many inputs as its op takes", arity_fits},
    {"a node has the outputs that its op names", outputs_are_named},
    {"an input is row-major unless the op takes any layout", layouts_fit},
    {"a graph that an op owns keeps all of this", subgraphs_are_sound},
    {"an op gives the types that its node has", types_fit},
    {"a name has no '/', belongs to one node, and finds it", name_is_found},
    {"the forward node of a backward node stands before it", forward_stands_before},
    {"a node's phase is forward, backward or update", phase_is_known},
    {"an input's free axes exist and ascend", free_axes_exist},
    {"a constant has its bytes", constant_has_bytes},
    {"what an assign writes is a variable", assigns_a_variable},
};

// What is fed and what is stored goes by name, so a name stands for one node.
template <class Leaf>
std::optional<Violation> leaf_names_are_unique(const Graph& g) {
  std::unordered_map<std::string_view, NodeId> seen;
  for (NodeId i = 0; i < g.size(); ++i) {
    const Leaf* leaf = g.node(i).op().template as<Leaf>();
    if (!leaf) continue;
    const auto [first, is_new] = seen.try_emplace(leaf->name, i);
    if (!is_new)
      return Violation{i, "", in_quotes(leaf->name) + " is the name of " + to_string(g.node(first->second)) + " too"};
  }
  return {};
}

std::string belongs(const Graph& g, const Value& v) {
  if (!v) return "is empty";
  if (&v.graph() != &g) return "is a value of another graph";
  if (v.node_id() < 0 || v.node_id() >= g.size()) return "is of node " + std::to_string(v.node_id());
  return v.output() >= 0 && v.output() < v.node().output_count() ? "" : "is output " + std::to_string(v.output());
}

std::optional<Violation> outputs_belong(const Graph& g) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : g.outputs()) {
    if (const std::string wrong = belongs(g, value); !wrong.empty())
      return Violation{-1, "", "output " + in_quotes(name) + " " + wrong};
    if (!names.insert(name).second) return Violation{-1, "", "there are two outputs " + in_quotes(name)};
  }
  return {};
}

std::optional<Violation> updates_are_assigns(const Graph& g) {
  for (const Value& value : g.updates()) {
    if (const std::string wrong = belongs(g, value); !wrong.empty()) return Violation{-1, "", "an update " + wrong};
    if (!value.node().op().is<ops::Assign>())
      return Violation{value.node_id(), "", "it is an update, but its op is " + std::string(value.node().op().name())};
  }
  return {};
}

std::optional<Violation> variables_are_written_once(const Graph& g) {
  std::unordered_map<NodeId, NodeId> writer;
  for (const auto& [name, value] : g.outputs()) {
    const Node n = value.node();
    if (!n.op().is<ops::Assign>()) continue;
    const auto [first, is_new] = writer.try_emplace(n.input(0).node_id(), n.id());
    if (!is_new && first->second != n.id())
      return Violation{n.id(), "",
                       to_string(n.input(0).node()) + " is written by " + to_string(g.node(first->second)) + " too"};
  }
  return {};
}

struct GraphInvariant {
  const char* statement;
  std::optional<Violation> (*wrong)(const Graph& g);
};

constexpr GraphInvariant graph_invariants[] = {
    {"inputs have different names", leaf_names_are_unique<ops::Input>},
    {"variables have different names", leaf_names_are_unique<ops::Variable>},
    {"outputs are values of the graph, with different names", outputs_belong},
    {"updates are assigns of the graph", updates_are_assigns},
    {"among the outputs, a variable is written by one assign", variables_are_written_once},
};

}  // namespace

std::optional<Violation> first_violation(const Graph& graph) {
  for (NodeId i = 0; i < graph.size(); ++i)
    for (const NodeInvariant& invariant : node_invariants)
      if (std::string wrong = invariant.wrong(graph.node(i)); !wrong.empty())
        return Violation{i, invariant.statement, std::move(wrong)};
  for (const GraphInvariant& invariant : graph_invariants)
    if (std::optional<Violation> wrong = invariant.wrong(graph)) {
      wrong->invariant = invariant.statement;
      return wrong;
    }
  return {};
}

void verify(const Graph& graph) {
  const std::optional<Violation> v = first_violation(graph);
  if (!v) return;
  const std::string where =
      v->node < 0 ? "the graph" : "node " + std::to_string(v->node) + " (" + to_string(graph.node(v->node)) + ")";
  throw InternalError(where + " breaks " + in_quotes(v->invariant) + ": " + v->what);
}

}  // namespace oxbow
