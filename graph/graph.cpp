#include <oxbow/graph/graph.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/scope.h>
#include <oxbow/graph/support/storage.h>
#include <oxbow/graph/support/utf8.h>

#include <algorithm>
#include <atomic>

namespace oxbow {

namespace {

// "inner sizes differ (784 and 256)" and below it inputs, line and remedy.
std::string describe(const Op& op, Values inputs, const Location& at, const SharedText& scope,
                     const std::string& problem, const std::string& remedy) {
  std::string text = problem;
  for (int i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) continue;
    const std::string name = op.info().inputs.of(i);
    text += "\n  " + (name.empty() ? "input " + std::to_string(i) : name) + ": " + to_string(inputs[i].type()) +
            " from " + to_string(inputs[i].node());
  }
  text += at_line(at);
  if (!scope.empty()) text += "\n  in scope " + internal::escaped(scope);
  if (!remedy.empty()) text += "\n  " + remedy;
  return text;
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> next = 1;
  return next++;
}

}  // namespace

Graph::Graph() : own_(std::make_unique<Storage>()), number_(next_number()) {}
Graph::~Graph() = default;

const std::vector<Value>& Graph::updates() const { return own_->updates; }
const std::vector<std::pair<std::string, Value>>& Graph::outputs() const { return own_->outputs; }

std::span<Type> Graph::new_types(std::size_t count) {
  constexpr std::size_t block = 256;
  if (count == 0) return {};
  if (count > own_->types_left) {
    own_->types_left = std::max(block, count);
    own_->type_blocks.push_back(std::make_unique<Type[]>(own_->types_left));
    if (count > block) {  // a block of its own
      own_->types_left = 0;
      return {own_->type_blocks.back().get(), count};
    }
  }
  Type* first = own_->type_blocks.back().get() + (block - own_->types_left);
  own_->types_left -= count;
  return {first, count};
}

Node Graph::append(Op op, Values inputs, Location at) {
  if (pinned_) at = origin_.at;
  const OpInfo& info = op.info();
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError(op.name(), describe(op, inputs, at, origin_.scope, problem, remedy));
  };

  int given = inputs.size();
  while (given > info.inputs.required() && !inputs[given - 1]) --given;
  if (!info.inputs.accepts(given))
    fail("it takes " + info.inputs.counted("input") + ", not " + std::to_string(given), "");
  // Optional inputs that were left out are absent ones like any other, so that ops need not count.
  std::vector<Value> all(inputs.begin(), inputs.begin() + given);
  all.resize(static_cast<std::size_t>(std::max(given, info.inputs.fixed())));
  std::vector<Type> types;
  types.reserve(all.size());
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    const Value& v = all[static_cast<std::size_t>(i)];
    const auto refuse = [&](const char* what, const char* remedy) {
      fail("input " + std::to_string(i) + what, remedy);
    };
    if (!v && !info.inputs.optional(i)) refuse(" is an empty Value", "Build it first");
    if (v && &v.graph() != this) refuse(" belongs to another graph", "Build all values that meet in one graph");
    if (v && !v.type().layout.plain() && !info.any_layout) refuse(" is not row-major", "Unpack it first");
    types.push_back(v ? v.type() : Type::absent());
  }

  std::vector<Type> outputs;
  try {
    outputs = op.infer(types, Known(all, info.inputs));
  } catch (const OpError& e) {
    fail(e.problem(), e.remedy());
  }
  if (!info.outputs.accepts(static_cast<int>(outputs.size())))
    fail("it infers " + std::to_string(outputs.size()) + " types, but names " + info.outputs.counted("output"),
         "Name each output in the op's `info.outputs`");

  const Node node = add(std::move(op), all, outputs, origin_);
  own_->nodes.back().origin.at = at;
  return node;
}

Node Graph::add(Op op, Values inputs, Types outputs, const Origin& origin) {
  while (own_->nodes.size() > wired_.size()) own_->nodes.pop_back();  // memory ran out below
  const auto first_input = static_cast<std::uint32_t>(inputs_.size());
  for (const Value& v : inputs) inputs_.push_back({v.node_id(), v.output()});  // an empty one is node -1
  const std::span<Type> kept = new_types(outputs.size());
  std::copy(outputs.begin(), outputs.end(), kept.begin());
  own_->nodes.push_back({std::move(op), {}, origin});
  wired_.push_back({first_input, static_cast<std::uint32_t>(inputs.size()), kept});
  return {*this, size() - 1};
}

Node Graph::append_copy(Node old, Values inputs, NodeId forward) {
  Origin origin = old.origin();
  origin.forward = forward;
  const Node copy = add_copy(old, inputs, origin);
  if (!take_name(copy.id(), old)) name(copy.id(), old.name());  // throws: the name is taken
  return copy;
}

Node Graph::append_copy(Node old, Values inputs, const Origin& origin) {
  const Node copy = add_copy(old, inputs, origin);
  take_name(copy.id(), old);
  return copy;
}

// The old node's name for its copy, which has none: false where it is taken. Copies share the text.
bool Graph::take_name(NodeId copy, Node old) {
  const SharedText& name = old.graph().at(old.id()).name;
  if (name.empty()) return true;
  Record& record = at(copy);
  if (!own_->names.try_emplace(record.origin.scoped(name), copy).second) return false;
  record.name = name;
  return true;
}

Node Graph::add_copy(Node old, Values inputs, const Origin& origin) {
  const Record& from = old.graph().at(old.id());
  // What an op makes of values may change with them, even where their types stay.
  bool same = inputs.size() == old.input_count() && from.op.info().by_value.empty();
  for (int i = 0; same && i < inputs.size(); ++i)
    same = inputs[i] ? inputs[i].type() == old.input_type(i) : !old.input(i);
  if (same) return add(from.op, inputs, old.output_types(), origin);
  const OriginGuard guard(*this, origin);
  return append(from.op, inputs, origin.at);
}

void Graph::take_back(NodeId first) {
  if (first >= size()) return;
  for (NodeId id = first; id < size(); ++id) own_->forget_names(at(id), id);
  std::erase_if(own_->updates, [&](const Value& v) { return v.node_id() >= first; });
  std::erase_if(own_->outputs, [&](const auto& output) {
    return output.second.node_id() >= first && own_->output_names.erase(output.first) > 0;
  });
  own_->forget_knowledge(first);
  inputs_.resize(wired(first).first_input);
  wired_.resize(static_cast<std::size_t>(first));
  own_->nodes.erase(own_->nodes.begin() + first, own_->nodes.end());
}

// From the roots on, operands from left to right, each before what reads it.
std::vector<NodeId> Graph::reading_order(NodeId first, std::span<const NodeId> roots) const {
  std::vector<NodeId> order;
  std::vector<bool> seen(static_cast<std::size_t>(size() - first));
  struct Open {
    NodeId node;
    std::uint32_t next;  // of its inputs
  };
  std::vector<Open> open;
  const auto enter = [&](NodeId id) {
    if (id < first || seen[static_cast<std::size_t>(id - first)]) return;
    seen[static_cast<std::size_t>(id - first)] = true;
    open.push_back({id, 0});
  };
  for (const NodeId root : roots)
    for (enter(root); !open.empty();) {
      const auto [id, next] = open.back();
      const Wired& reads = wired(id);
      if (next < reads.input_count) {
        ++open.back().next;
        enter(inputs_[reads.first_input + next].node);
      } else {
        open.pop_back();
        order.push_back(id);
      }
    }
  return order;
}

void Graph::settle(NodeId first, std::span<Value> kept) {
  if (first == size()) return;
  const auto each_root = [&](auto&& visit) {
    for (Value& v : kept)
      if (v && v.node_id() >= first) visit(v);
    for (Value& v : own_->updates)
      if (v.node_id() >= first) visit(v);
    for (auto& [name, v] : own_->outputs)
      if (v.node_id() >= first) visit(v);
  };
  std::vector<NodeId> roots;
  each_root([&](const Value& v) { roots.push_back(v.node_id()); });
  for (NodeId id = first; id < size(); ++id)
    if (node(id).op().info().effect) roots.push_back(id);
  const std::vector<NodeId> order = reading_order(first, roots);
  const auto in_place = [&](std::size_t i) { return order[i] == first + static_cast<NodeId>(i); };
  bool settled = order.size() == static_cast<std::size_t>(size() - first);
  for (std::size_t i = 0; i < order.size() && settled; ++i) settled = in_place(i);
  if (settled) return;

  const auto begin = own_->nodes.begin() + first;
  std::vector<Record> records(std::make_move_iterator(begin), std::make_move_iterator(own_->nodes.end()));
  own_->nodes.erase(begin, own_->nodes.end());
  const std::vector<Wired> unsettled(wired_.begin() + first, wired_.end());
  wired_.resize(static_cast<std::size_t>(first));
  const std::uint32_t first_input = unsettled[0].first_input;
  const std::vector<Slot> slots(inputs_.begin() + first_input, inputs_.end());
  inputs_.resize(first_input);
  std::vector<NodeId> now(records.size(), -1);
  const auto moved = [&](NodeId id) { return id < first ? id : now[static_cast<std::size_t>(id - first)]; };
  for (std::size_t i = 0; i < order.size(); ++i)
    now[static_cast<std::size_t>(order[i] - first)] = first + static_cast<NodeId>(i);
  for (std::size_t i = 0; i < records.size(); ++i) own_->forget_names(records[i], first + static_cast<NodeId>(i));
  for (const NodeId id : order) {
    Record& r = records[static_cast<std::size_t>(id - first)];
    Wired w = unsettled[static_cast<std::size_t>(id - first)];
    const std::uint32_t from = std::exchange(w.first_input, static_cast<std::uint32_t>(inputs_.size())) - first_input;
    for (std::uint32_t i = 0; i < w.input_count; ++i)
      inputs_.push_back({moved(slots[from + i].node), slots[from + i].output});
    wired_.push_back(w);
    r.origin.forward = moved(r.origin.forward);
    if (!r.name.empty()) own_->names.emplace(r.origin.scoped(r.name), moved(id));
    if (const std::string* key = internal::key_of(r.op)) own_->names.emplace(*key, moved(id));
    own_->nodes.push_back(std::move(r));
  }
  own_->forget_knowledge(first);
  each_root([&](Value& v) { v = Value(*this, moved(v.node_id()), v.output()); });
}

void Graph::name(NodeId node, std::string_view name) {
  Record& record = at(node);
  if (name.empty() || name.find('/') != std::string_view::npos)
    throw Error(internal::in_quotes(name) + " cannot name a node" + at_line(record.origin.at) +
                "\n  Give at least one character and no '/': a Scope puts \"encoder/\" before names");
  if (record.name.str() == name) return;
  const std::string full = record.origin.scoped(name);
  const auto [place, is_new] = own_->names.try_emplace(full, node);
  if (!is_new) {
    const Location& first = this->node(place->second).origin().at;
    throw Error("the name " + internal::in_quotes(full) + " is taken" +
                (first.known() ? " at " + to_string(first) : "") + at_line(record.origin.at) +
                "\n  Use another name, or a Scope around one of the two");
  }
  // What is fed or stored under its first name keeps that one as well.
  const std::string* key = internal::key_of(record.op);
  if (const std::string old = record.origin.scoped(record.name); !record.name.empty() && !(key && *key == old))
    own_->names.erase(old);
  record.name = std::string(name);
}

std::optional<Node> Graph::find(std::string_view full_name) const {
  const auto place = own_->names.find(std::string(full_name));
  if (place == own_->names.end()) return std::nullopt;
  return node(place->second);
}

void Graph::add_update(Value assign) {
  if (!assign || &assign.graph() != this) throw Error("add_update: the value belongs to another graph");
  if (!assign.node().op().is<ops::Assign>())
    throw Error("add_update: " + to_string(assign.node()) + " writes nothing" +
                at_line(assign.node().origin().at, "built at") + "\n  Give what assign() returned");
  own_->updates.push_back(assign);
}

void Graph::add_output(std::string name, Value value) {
  if (!value || &value.graph() != this)
    throw Error("add_output(" + internal::in_quotes(name) + "): the value belongs to another graph");
  if (!own_->output_names.insert(name).second)
    throw Error("the graph has an output named " + internal::in_quotes(name) + " already. Use another name");
  own_->outputs.emplace_back(std::move(name), value);
}

const char* Graph::intern(std::string_view text) {
  const auto place = own_->interned->find(text);
  return (place != own_->interned->end() ? place : own_->interned->emplace(text).first)->c_str();
}

void Graph::share_names(const Graph& other) { own_->interned = other.own_->interned; }

OriginGuard::OriginGuard(Graph& graph, Origin origin)
    : graph_(graph), before_(graph.origin_), pinned_before_(graph.pinned_) {
  graph_.pinned_ = origin.at.known() || pinned_before_;
  if (!origin.at.known()) origin.at = before_.at;
  graph_.origin_ = std::move(origin);
}

OriginGuard::~OriginGuard() {
  graph_.origin_ = std::move(before_);
  graph_.pinned_ = pinned_before_;
}

namespace {
Origin inside(const Graph& graph, std::string_view name) {
  Origin origin = graph.origin();
  origin.at = {};
  std::string scope = origin.scoped(name);
  internal::check_scope(scope);
  origin.scope = std::move(scope);
  return origin;
}
}  // namespace

Scope::Scope(Graph& graph, std::string_view name) : guard_(graph, inside(graph, name)) {}

Error located(const Node& node, const OpError& e) {
  return BuildError(node.op().name(),
                    describe(node.op(), node.inputs(), node.origin().at, node.origin().scope, e.problem(), e.remedy()));
}

Value apply(Op op, Values inputs, Location at) {
  for (const Value& v : inputs)
    if (v) return v.graph().append(std::move(op), inputs, at).output();
  const bool none = inputs.empty();
  throw BuildError(op.name(), describe(op, {}, at, "", none ? "there are no inputs" : "every input is an empty Value",
                                       none ? "Give at least one value" : "Build the inputs first"));
}

}  // namespace oxbow
