// The graph: an append-only list of nodes, each an op applied to earlier values, so ids are in topological order.
//
//   Graph g;
//   Value x = input(g, "x", f32, {any(32), 784});
//   Value h = relu(matmul(x, w) + b);
//
// A `Value` or `Node` is a small handle (graph and number) and is valid as long as its graph, which never moves.
// Passes never edit a graph: they build a new one (graph/passes/rewriter.h).
// Thread safety: building is for one thread; a graph that nobody appends to may be read by any number.
#pragma once

#include <oxbow/graph/tensor.h>
#include <oxbow/graph/value.h>

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace oxbow {

class Graph {
 public:
  Graph();
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// No other graph of the process has or had it: unlike its address.
  std::uint64_t number() const { return number_; }

  /// Appends `op` applied to `inputs`. The one way in: checks that the inputs are of this graph and as many as the op
  /// takes, and infers the types. Throws `Error` with op, shapes, the line `at` and what to do.
  Node append(Op op, Values inputs, Location at);

  /// Appends a copy of `old`, a node of the graph that this one is made from, on these inputs: the same op, name and
  /// origin, except that it belongs to the forward node `forward` of this graph. Types are inferred again only where
  /// those of the inputs differ.
  Node append_copy(Node old, Values inputs, NodeId forward);
  /// The same of a node of any graph that shares this one's names (`share_names`), with an origin of its own. It is
  /// named as `old` is where nothing in that scope has the name.
  Node append_copy(Node old, Values inputs, const Origin& origin);

  /// Puts the nodes from `first` on in the order in which one reads the expressions that made them: from the values in
  /// `kept` on, operands from left to right. (A C++ compiler evaluates the operands of `a * b + c * d` in an order of
  /// its own.) Nodes that no value in `kept` needs and that have no effect are taken back. `kept` follows; any other
  /// handle to a node from `first` on is void. For a builder that has just appended them: see `in_order`.
  void settle(NodeId first, std::span<Value> kept);

  /// Removes the nodes from `first` on, which no update and no output reads; updates and outputs that are among them go
  /// too. Handles to them are invalid.
  void take_back(NodeId first);

  NodeId size() const { return static_cast<NodeId>(wired_.size()); }
  Node node(NodeId id) { return {*this, id}; }
  /// Handles give no way to change a node, so a const graph hands them out as well.
  Node node(NodeId id) const { return {const_cast<Graph&>(*this), id}; }

  /// Names a node; see Value::named.
  void name(NodeId node, std::string_view name);
  /// The node with this full name, if any.
  std::optional<Node> find(std::string_view full_name) const;

  /// Writes that layers make beside the loss (running statistics, a generator's counter): `Assign` nodes, in order. Of
  /// several of one variable each builds on the one before (`updated`). Whoever runs a training step fetches those that
  /// its loss depends on: `updates_of` in graph/updates.h.
  void add_update(Value assign);
  const std::vector<Value>& updates() const;

  /// What the graph is for: named values that tools and `Program`s fetch by name, in order ("loss", "accuracy").
  void add_output(std::string name, Value value);
  const std::vector<std::pair<std::string, Value>>& outputs() const;

  /// A number that no earlier call on this graph returned: the stream of a random op or an initialiser.
  std::int64_t next_stream() { return next_stream_++; }
  /// Goes on where the streams of `other` ended, with its seed.
  void continue_streams(const Graph& other) {
    next_stream_ = other.next_stream_;
    seed_ = other.seed_;
  }
  /// Makes `next` the stream that comes next: for a reader of graphs, which finds the streams before it in the ops.
  void continue_streams(std::int64_t next) { next_stream_ = next; }
  /// What `next_stream` will return.
  std::int64_t peek_stream() const { return next_stream_; }

  /// What everything random that is built from now on is keyed by, together with its stream: first values of parameters
  /// (ops/initializers.h) and dropout (ops/random/dropout.h).
  std::uint64_t seed() const { return seed_; }
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  /// Where nodes appended from now on come from. Builders do not touch it: see `Scope` and `OriginGuard`.
  const Origin& origin() const { return origin_; }

  /// Keeps a file name alive for as long as this graph and those derived from it.
  const char* intern(std::string_view text);
  /// Shares the interned names of `other`, so that locations may be copied from it.
  void share_names(const Graph& other);

 private:
  friend class Known;
  friend class Node;
  friend class Value;
  friend std::optional<Tensor> known_value(Value v);
  friend class OriginGuard;
  struct Record;
  struct Storage;  // graph/support/storage.h: it keeps the containers out of this header

  struct Knowledge;

  Record& at(NodeId id);
  const Record& at(NodeId id) const;
  Node add(Op op, Values inputs, Types outputs, const Origin& origin);
  Node add_copy(Node old, Values inputs, const Origin& origin);
  bool take_name(NodeId copy, Node old);
  /// What is known of a node, found out once: see graph/known.h. The reference is good while its lock is held.
  const Knowledge& knowledge(NodeId id) const;
  std::vector<NodeId> reading_order(NodeId first, std::span<const NodeId> roots) const;
  std::span<Type> new_types(std::size_t count);

  /// What a node reads and gives. Apart from all else of it, since `Value` and `Node` ask for it all the time.
  struct Wired {
    std::uint32_t first_input, input_count;  ///< within `inputs_`
    Types outputs;                           ///< they do not move
  };
  struct Slot {
    NodeId node;  ///< -1: the input is absent
    std::int32_t output;
  };
  const Wired& wired(NodeId id) const { return wired_[static_cast<std::size_t>(id)]; }

  std::vector<Wired> wired_;
  std::vector<Slot> inputs_;  // of all nodes, one after another
  std::unique_ptr<Storage> own_;
  const std::uint64_t number_;
  std::int64_t next_stream_ = 1;
  std::uint64_t seed_ = 0;
  Origin origin_;
  bool pinned_ = false;  // the origin's line stands for whatever `append` is told
};

/// Sets where appended nodes come from, until the end of the block. With a known line in `origin`, that line stands for
/// all of them (a pass building on a node's behalf); otherwise each keeps its own.
class OriginGuard {
 public:
  OriginGuard(Graph& graph, Origin origin);
  ~OriginGuard();
  OriginGuard(const OriginGuard&) = delete;
  OriginGuard& operator=(const OriginGuard&) = delete;

 private:
  Graph& graph_;
  Origin before_;
  bool pinned_before_;
};

/// Nodes built until the end of the block belong to this scope: `Scope s(g, "encoder");` nests as "encoder/layer1".
class Scope {
 public:
  Scope(Graph& graph, std::string_view name);

 private:
  OriginGuard guard_;
};

/// What `build` returns, a Value or a vector of them, its nodes being in the order in which one reads their
/// expressions, whatever order the compiler evaluates operands in: so that graphs are the same with every compiler.
///   Value m = in_order(g, [&] { return beta * m + (1 - beta) * square(x); });
template <class F>
auto in_order(Graph& g, F&& build) {
  const NodeId first = g.size();
  auto built = build();
  if constexpr (std::derived_from<decltype(built), Value>)
    g.settle(first, {&built, 1});
  else
    g.settle(first, built);
  return built;
}

/// What an op said about its data or types, with its node's inputs, line and scope: the message that a user sees.
Error located(const Node& node, const OpError& e);

/// Appends an op and returns its first output: how builder functions end.
///   Value argmax(Value x, std::int64_t axis, At at) { return apply(ops::ArgMax{.axis = axis}, {x}, at); }
/// Throws `Error` when an input is empty or the inputs are of two graphs.
Value apply(Op op, Values inputs, Location at);

inline Node Value::node() const { return {*graph_, node_}; }
inline const Type& Value::type() const { return graph_->wired(node_).outputs[static_cast<std::size_t>(output_)]; }

inline int Node::input_count() const { return static_cast<int>(graph_->wired(id_).input_count); }
inline Value Node::input(int i) const {
  const Graph::Slot& slot = graph_->inputs_[graph_->wired(id_).first_input + static_cast<std::size_t>(i)];
  return slot.node < 0 ? Value() : Value(*graph_, slot.node, slot.output);
}
inline const Type& Node::input_type(int i) const {
  const Value v = input(i);
  return v ? v.type() : Type::absent();
}
inline int Node::output_count() const { return static_cast<int>(graph_->wired(id_).outputs.size()); }
inline Types Node::output_types() const { return graph_->wired(id_).outputs; }

}  // namespace oxbow
