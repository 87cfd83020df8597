#include <oxbow/graph/leaves.h>
#include <oxbow/graph/subgraph.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/scope.h>

#include <algorithm>

namespace oxbow {
namespace {

// Appended, as g++ 12 warns of the one-line sum (its bug 105651).
std::string input_name(std::size_t i) {
  std::string name = "x";
  name += std::to_string(i);
  return name;
}

// What the scope of a node is called within `outer`. That of a layer that was made outside keeps its name.
std::string inner_scope(const std::string& outer, const std::string& scope) {
  if (outer.empty()) return scope;
  if (scope == outer) return "";
  return scope.starts_with(outer + "/") ? scope.substr(outer.size() + 1) : scope;
}

// Moves what was appended from `first` on into a graph of its own.
class Cutter {
 public:
  Cutter(Graph& g, NodeId first, std::size_t types, std::vector<Value>& captured)
      : g_(g),
        first_(first),
        outer_scope_(g.origin().scope.str()),
        captured_(captured),
        to_(g),
        now_(static_cast<std::size_t>(g.size() - first)) {
    for (std::size_t i = 0; i < types; ++i)
      now_[i] = to_.input(g.node(first + static_cast<NodeId>(i)).output().type()).node();
    for (const Value& v : captured_) capture_.push_back(to_.input(v.type()));
    types_ = types;
  }

  Subgraph cut(std::vector<Value>& results) {
    for (NodeId id = first_ + static_cast<NodeId>(types_); id < g_.size(); ++id) move(g_.node(id));
    for (const Value& v : results) to_.output(value(v));
    return to_.build();
  }

  // The leaves that the function made, by the places in `captured` that wait for them.
  struct Hoisted {
    Op op;
    std::string name;
    Origin origin;
    std::size_t captured;
  };
  const std::vector<Hoisted>& hoisted() const { return hoisted_; }

 private:
  void move(Node n) {
    auto& now = now_[static_cast<std::size_t>(n.id() - first_)];
    if (n.op().is<ops::Input>() || n.op().is<ops::Variable>()) {
      hoisted_.push_back({n.op(), n.name(), n.origin(), captured_.size()});
      captured_.emplace_back();
      capture_.push_back(to_.input(n.output().type()));
      now = capture_.back().node();
      return;
    }
    std::vector<Value> in;
    for (const Value& v : n.inputs()) in.push_back(v ? value(v) : Value());
    Origin origin = n.origin();
    origin.scope = inner_scope(outer_scope_, origin.scope.str());
    if (origin.forward >= first_ && now_[static_cast<std::size_t>(origin.forward - first_)])
      origin.forward = now_[static_cast<std::size_t>(origin.forward - first_)]->id();
    else
      origin.forward = -1;
    now = to_.graph().append_copy(n, in, origin);
  }

  Value value(const Value& v) {
    if (v.node_id() >= first_) return now_[static_cast<std::size_t>(v.node_id() - first_)]->output(v.output());
    for (std::size_t i = 0; i < captured_.size(); ++i)
      if (captured_[i].same(v)) return capture_[i];
    if (const auto* fixed = v.node().op().as<ops::Constant>()) {
      auto& copy = constants_[v.node_id()];
      if (!copy) copy = constant(to_.graph(), fixed->value);
      return copy;
    }
    captured_.push_back(v);
    capture_.push_back(to_.input(v.type()));
    return capture_.back();
  }

  Graph& g_;
  const NodeId first_;
  const std::string outer_scope_;
  std::vector<Value>& captured_;
  std::size_t types_ = 0;
  SubgraphBuilder to_;
  std::vector<Value> capture_;            // of each in `captured_`, the input that stands for it
  std::vector<std::optional<Node>> now_;  // of each node from `first_` on
  std::unordered_map<NodeId, Value> constants_;
  std::vector<Hoisted> hoisted_;
};

}  // namespace

SubgraphBuilder::SubgraphBuilder(const Graph& names) { graph_->share_names(names); }

Value SubgraphBuilder::input(const Type& type) {
  const std::string name = input_name(inputs_++);
  return graph_->append(ops::Input{.name = name, .type = type, .free_axes = {}}, {}, {}).output().named(name);
}

void SubgraphBuilder::output(Value v) { graph_->add_output("y" + std::to_string(graph_->outputs().size()), v); }

Subgraph::Subgraph(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {
  for (NodeId id = 0; id < graph_->size(); ++id)
    if (graph_->node(id).op().is<ops::Input>()) inputs_.push_back(graph_->node(id).output());
  for (const auto& [name, v] : graph_->outputs()) outputs_.push_back(v);
}

std::vector<Type> Subgraph::infer(Types in) const {
  if (in.size() != inputs_.size())
    throw OpError("its subgraph has " + std::to_string(inputs_.size()) + " inputs, but is given " +
                  std::to_string(in.size()));
  const auto types = [](const std::vector<Value>& values) {
    std::vector<Type> all;
    for (const Value& v : values) all.push_back(v.type());
    return all;
  };
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i] != inputs_[i].type()) try {
        return types(typed(in).outputs());
      } catch (const OpError&) {
        throw;
      } catch (const Error& e) {
        throw OpError(std::string("its subgraph does not take inputs of these types: ") + e.what());
      }
  return types(outputs_);
}

Subgraph Subgraph::typed(Types in) const {
  bool same = in.size() == inputs_.size();
  for (std::size_t i = 0; same && i < in.size(); ++i) same = in[i] == inputs_[i].type();
  if (same) return *this;
  SubgraphBuilder to(*graph_);
  std::vector<Value> now;
  for (const Type& type : in) now.push_back(to.input(type));
  const std::vector<Value> results = write(to.graph(), now, "");
  for (std::size_t k = 0; k < results.size(); ++k) to.graph().add_output(graph_->outputs()[k].first, results[k]);
  return to.build();
}

std::vector<Value> write_nodes(const Graph& from, Values inputs, Values outputs, Graph& to, Values in,
                               const std::string& scope,
                               const std::function<Node(Node node, Values in, const Origin& origin)>& each) {
  const Origin outer = to.origin();
  std::vector<NodeId> now(static_cast<std::size_t>(from.size()), -1);
  std::unordered_map<NodeId, Value> given;
  for (int i = 0; i < inputs.size(); ++i)
    if (inputs[i]) given.emplace(inputs[i].node_id(), in[i]);
  const auto value = [&](const Value& v) {
    if (!v) return Value();
    const auto place = given.find(v.node_id());
    return place != given.end() ? place->second : Value(to, now[static_cast<std::size_t>(v.node_id())], v.output());
  };
  // Scopes are few, and shared by the nodes in them.
  std::unordered_map<std::string, SharedText> scopes;
  const auto scope_of = [&](const SharedText& inner) -> const SharedText& {
    const auto [place, is_new] = scopes.try_emplace(inner.str());
    if (is_new) {
      std::string whole = outer.scope.str();
      for (const std::string& part : {scope, inner.str()})
        if (!part.empty()) whole += (whole.empty() ? "" : "/") + part;
      internal::check_scope(whole);
      place->second = std::move(whole);
    }
    return place->second;
  };
  std::vector<Value> read;
  for (NodeId id = 0; id < from.size(); ++id) {
    if (given.contains(id)) continue;
    const Node n = from.node(id);
    invariant(!n.op().is<ops::Input>(), "a subgraph is written without one of its inputs");
    read.clear();
    for (int i = 0; i < n.input_count(); ++i) read.push_back(value(n.input(i)));
    Origin origin = n.origin();
    origin.scope = scope_of(origin.scope);
    if (outer.phase != Phase::forward) {
      origin.phase = outer.phase;
      origin.forward = outer.forward;
    } else if (origin.forward >= 0) {
      origin.forward = now[static_cast<std::size_t>(origin.forward)];
    }
    now[static_cast<std::size_t>(id)] = each(n, read, origin).id();
  }
  std::vector<Value> results;
  for (const Value& v : outputs) results.push_back(value(v));
  return results;
}

std::vector<Value> Subgraph::write(Graph& to, Values in, const std::string& scope) const {
  invariant(in.size() == static_cast<int>(inputs_.size()), "a subgraph is written with other inputs than it has");
  return write_nodes(*graph_, inputs_, outputs_, to, in, scope,
                     [&](Node n, Values read, const Origin& origin) { return to.append_copy(n, read, origin); });
}

bool Subgraph::operator==(const Subgraph& other) const {
  if (graph_ == other.graph_) return true;
  return graph_ && other.graph_ && same_bits(AttrValue(graph_), AttrValue(other.graph_));
}

AttrValue to_attr(const Subgraph& s) { return s.shared(); }
void from_attr(const AttrValue& a, Subgraph& s) { s = Subgraph(a.get<std::shared_ptr<const Graph>>("a graph")); }

Subgraph build_subgraph(Graph& g, Types types, std::vector<Value>& captured,
                        const std::function<std::vector<Value>(std::vector<Value>)>& build, Location at) {
  const NodeId first = g.size();
  const std::size_t updates = g.updates().size(), outputs = g.outputs().size(), captured_before = captured.size();
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error("a function that builds a subgraph " + problem + at_line(at) + "\n  " + remedy);
  };
  try {
    std::vector<Value> given;
    for (const Type& t : types)
      given.push_back(
          g.append(ops::Input{.name = input_name(given.size()), .type = t, .free_axes = {}}, {}, at).output());
    const NodeId own = g.size();
    std::vector<Value> results = build(given);
    if (results.empty()) refuse("returns no value", "Return what it computes");
    for (const Value& v : results)
      if (!v || &v.graph() != &g) refuse("returns an empty value, or one of another graph", "Return what it computes");
    if (g.updates().size() > updates)
      refuse("adds an update of " + to_string(g.updates()[updates].node().input(0).node()),
             "Build what is updated outside: for dropout, call random_state(graph) before. A BatchNorm is frozen here, "
             "or called outside");
    if (g.outputs().size() > outputs) refuse("adds an output", "Name what it returns, outside");
    g.settle(own, results);
    for (NodeId id = own; id < g.size(); ++id)
      if (g.node(id).op().is<ops::Assign>())
        refuse("assigns to " + to_string(g.node(id).input(0).node()), "Return the value, and assign it outside");
    Cutter cutter(g, first, types.size(), captured);
    Subgraph made = cutter.cut(results);
    const std::vector<Cutter::Hoisted> hoisted = cutter.hoisted();
    g.take_back(first);
    for (const Cutter::Hoisted& leaf : hoisted) {
      const OriginGuard guard(g, leaf.origin);
      Value v = g.append(leaf.op, {}, leaf.origin.at).output();
      if (!leaf.name.empty()) v.named(leaf.name);
      captured[leaf.captured] = v;
    }
    return made;
  } catch (...) {
    captured.resize(captured_before);
    g.take_back(first);
    throw;
  }
}

Subgraph with_captured(const Subgraph& s, const std::vector<Value>& captured) {
  // Inputs for the last of them are all that is missing.
  SubgraphBuilder to(s.graph());
  std::vector<Value> in;
  for (const Value& v : captured) in.push_back(to.input(v.type()));
  for (const Value& v : s.write(to.graph(), std::span<const Value>(in).first(s.inputs().size()), "")) to.output(v);
  return to.build();
}

}  // namespace oxbow
