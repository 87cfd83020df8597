// Which fused nodes go through memory together: what `fuse` (graph/passes/fusion/fuse.h) makes one node of each.
//
// Each fused node gets a stage, the largest number of times that a path to it leaves fused nodes of its own shape.
// Along an edge the stage never falls, and it rises on the way through any other node. So no path between two nodes of
// one shape and stage leads through an outsider, and merging such nodes makes no cycle. Linear in the graph's edges.
// Thread safety: immutable once made.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/passes/fusion/fused.h>

namespace oxbow::internal {

class FuseGroups {
 public:
  /// Groups the nodes of a lowered graph, which must outlive this.
  explicit FuseGroups(const Graph& graph);

  std::int32_t count() const { return groups_; }
  /// The node's group, 0 to `count()`; -1 for a node that is not fused.
  std::int32_t of(NodeId i) const { return nodes_[static_cast<std::size_t>(i)].group; }

 private:
  struct Mark {
    const Fused* fused = nullptr;
    std::int32_t products = 0;  // operands that could apply this node to their blocks (graph/passes/fusion/epilogue.h)
    bool begins_sum = false;    // it does not join the sum of products that it adds to
    std::int32_t stage = 0;
    NodeId parent = -1;      // in the forest of sets that `join` makes
    std::int32_t open = -1;  // of a set's root: its place in `cut`
    std::int32_t group = -1;
  };
  /// Whether `reader` could go through memory together with what makes `v`.
  bool joins(const Value& v, NodeId reader) const;
  void cut_sums();
  void rise(NodeId i);
  void delay();
  void postpone();
  bool is_large(const Value& v, const Node& reader) const;
  std::vector<std::int32_t> keeps() const;
  std::int32_t kept_by(const Value& v, NodeId reader, const std::vector<std::int32_t>& kept) const;
  NodeId root(NodeId i);
  void unite(NodeId a, NodeId b);
  void join(NodeId i);
  void cut();

  const Graph& graph_;
  std::vector<Mark> nodes_;
  std::int32_t groups_ = 0;
};

}  // namespace oxbow::internal
