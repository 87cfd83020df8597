#include <oxbow/graph/order/order.h>
#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

Rewritten chain(Rewritten first, Rewritten second) {
  for (Value& v : first.values)
    if (v) v = second(v);
  first.graph = std::move(second.graph);
  return first;
}

Rewriter::Rewriter(const Graph& from) : from_(from), absorbed_(static_cast<std::size_t>(from.size()), -1) {
  out_.graph = std::make_shared<Graph>();
  out_.graph->share_names(from);
  out_.first.reserve(static_cast<std::size_t>(from.size()));
  std::int32_t count = 0;
  for (NodeId i = 0; i < from.size(); ++i) {
    out_.first.push_back(count);
    count += from.node(i).output_count();
  }
  out_.values.resize(static_cast<std::size_t>(count));
}

Value Rewriter::operator()(Value old) const {
  const Value now = out_(old);
  invariant(static_cast<bool>(now), "a rewrite reads a value that it dropped");
  return now;
}

std::vector<Value> Rewriter::inputs(Node old) const {
  std::vector<Value> now;
  now.reserve(static_cast<std::size_t>(old.input_count()));
  for (int i = 0; i < old.input_count(); ++i) now.push_back(old.input(i) ? (*this)(old.input(i)) : Value());
  return now;
}

void Rewriter::map(Value old, Value now) {
  out_.values[static_cast<std::size_t>(out_.first[static_cast<std::size_t>(old.node_id())] + old.output())] = now;
}

void Rewriter::map(Node old, Values now) {
  invariant(now.size() == old.output_count(), "a rewrite gives a node another number of outputs");
  for (int i = 0; i < now.size(); ++i) map(old.output(i), now[i]);
}

void Rewriter::map_outputs(Node old, Node now) {
  for (int i = 0; i < old.output_count(); ++i) map(old.output(i), now.output(i));
}

NodeId Rewriter::forward_of(Node old) const {
  if (old.origin().forward < 0) return -1;
  const Node forward = from_.node(old.origin().forward);
  for (int o = 0; o < forward.output_count(); ++o)
    if (mapped(forward.output(o))) return out_(forward.output(o)).node_id();
  return absorbed_[static_cast<std::size_t>(forward.id())];
}

Node Rewriter::copy(Node old) {
  inputs_.clear();
  for (int i = 0; i < old.input_count(); ++i) inputs_.push_back(old.input(i) ? (*this)(old.input(i)) : Value());
  const Node now = to().append_copy(old, inputs_, forward_of(old));
  map_outputs(old, now);
  return now;
}

Node Rewriter::replace(Node old, Op op, Values inputs) {
  const OriginGuard guard = as(old);
  const Node now = to().append(std::move(op), inputs, old.origin().at);
  if (!old.name().empty()) to().name(now.id(), old.name());
  map_outputs(old, now);
  return now;
}

void Rewriter::keep_name(Node old, Value now) {
  if (!old.name().empty() && now.node().name().empty() && now.node().origin().scope == old.origin().scope)
    to().name(now.node_id(), old.name());
}

OriginGuard Rewriter::as(Node old) {
  Origin origin = old.origin();
  origin.forward = forward_of(old);
  return OriginGuard(to(), std::move(origin));
}

Rewritten Rewriter::finish(std::span<const std::pair<std::string, Value>> outputs) {
  std::vector<std::pair<std::string, Value>> now;
  for (const auto& [name, value] : outputs) now.emplace_back(name, (*this)(value));
  return finish_with(now);
}

Rewritten Rewriter::finish_with(std::span<const std::pair<std::string, Value>> outputs) {
  for (const auto& [name, value] : outputs) to().add_output(name, value);
  for (const Value& update : from_.updates())
    if (mapped(update)) to().add_update(out_(update));
  to().continue_streams(from_);
  return std::move(out_);
}

Rewritten copy_of(const Graph& from) {
  Rewriter r(from);
  for (NodeId i = 0; i < from.size(); ++i) r.copy(from.node(i));
  return r.finish();
}

std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<Value> results;
  for (const auto& [name, value] : graph.outputs()) results.push_back(value);
  return ancestors(graph, results);
}

}  // namespace oxbow::internal
