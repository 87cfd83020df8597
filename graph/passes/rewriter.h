// What all passes share: a new graph grown from an old one, and the map between their values.
//
//   std::optional<Rewritten> dead_code(const Graph& from) {
//     if (nothing is dead) return std::nullopt;  // a pass with nothing to do copies nothing
//     Rewriter r(from);
//     for (each live node n) r.copy(n);
//     return r.finish();
//   }
//
// A pass keeps what `Graph::outputs()` names and the effects that they need; everything else may go. It keeps every
// bit. Thread safety: the old graph is only read; a Rewriter is for one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

#include <memory>
#include <span>

namespace oxbow::internal {

/// A graph and where the old graph's values went: an empty Value for what is gone.
struct Rewritten {
  std::shared_ptr<Graph> graph;
  std::vector<Value> values;        ///< the old graph's outputs, node by node
  std::vector<std::int32_t> first;  ///< of each old node, the index of its output 0 in `values`
  Value operator()(Value old) const {
    return values[static_cast<std::size_t>(first[static_cast<std::size_t>(old.node_id())] + old.output())];
  }
};

/// One rewrite after another: the first one's map led on through the second's.
Rewritten chain(Rewritten first, Rewritten second);

class Rewriter {
 public:
  explicit Rewriter(const Graph& from);

  const Graph& from() const { return from_; }
  Graph& to() { return *out_.graph; }

  /// Where an old value went. Throws `InternalError` when it went nowhere.
  Value operator()(Value old) const;
  std::vector<Value> inputs(Node old) const;
  bool mapped(Value old) const { return static_cast<bool>(out_(old)); }
  void map(Value old, Value now);
  void map(Node old, Values now);
  /// What the old node computed is now part of `now`'s work, whether or not its value is still available: backward
  /// nodes that belong to it belong to `now`.
  void absorb(Node old, Node now) { absorbed_[static_cast<std::size_t>(old.id())] = now.id(); }

  /// Of its forward node, what does that one's work now, or -1.
  NodeId forward_of(Node old) const;

  /// The same op on the mapped inputs, with the same name and origin.
  Node copy(Node old);
  /// Another op in the old node's place: on these inputs, with its name and origin; outputs are mapped one to one.
  Node replace(Node old, Op op, Values inputs);

  /// Names the node that now stands for `old` as `old` was named, unless it has a name.
  void keep_name(Node old, Value now);

  /// While it lives, appended nodes take the old node's origin.
  OriginGuard as(Node old);

  /// Maps the graph's outputs and updates and hands everything over. Updates that are gone are left out.
  Rewritten finish() { return finish(from_.outputs()); }
  /// The same with other outputs, values of the old graph.
  Rewritten finish(std::span<const std::pair<std::string, Value>> outputs);
  /// The same with values of the new graph.
  Rewritten finish_with(std::span<const std::pair<std::string, Value>> outputs);

 private:
  void map_outputs(Node old, Node now);
  const Graph& from_;
  Rewritten out_;
  std::vector<NodeId> absorbed_;  // of each old node, the new one that does its work among other, or -1
  std::vector<Value> inputs_;     // of the node that is being copied
};

/// The same graph once more.
Rewritten copy_of(const Graph& from);

/// For each node, whether an output of the graph needs it. Effects count only where an output needs them.
std::vector<bool> live_nodes(const Graph& graph);

}  // namespace oxbow::internal
