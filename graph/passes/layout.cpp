#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/passes/layout.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace oxbow::internal {
namespace {

using Axes = std::vector<int>;
using Key = std::pair<NodeId, int>;

constexpr std::size_t most_nodes = 1024;  // between transpositions that cancel out

Key key(Value v) { return {v.node_id(), v.output()}; }

Axes inverse(const Axes& axes) {
  Axes back(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) back[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
  return back;
}

// Whether no element changes its place in memory.
bool moves_nothing(const Shape& x, const Axes& axes) {
  int last = -1;
  for (const int axis : axes) {
    if (x[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

// An op's input that is given to `transposed` in the new order.
bool is_turned(const Node& node, int i, std::size_t rank) {
  return node.input(i) && !node.op().info().by_value.contains(i) &&
         static_cast<std::size_t>(node.input(i).rank()) == rank;
}

bool commutes(const Node& node, std::size_t rank) {
  if (!node.op().has_transposed()) return false;
  return std::all_of(node.output_types().begin(), node.output_types().end(), [&](const Type& t) {
    return t.layout.plain() && static_cast<std::size_t>(t.shape.rank()) == rank;
  });
}

// The elements that a graph's transpositions move, those that nothing reads left out.
double moved(const Graph& g) {
  const std::vector<bool> live = live_nodes(g);
  double sum = 0;
  for (NodeId i = 0; i < g.size(); ++i) {
    const Node node = g.node(i);
    if (!live[static_cast<std::size_t>(i)] || !node.op().has_moved_axes()) continue;
    const Axes axes = node.op().moved_axes(node.input_types());
    if (!moves_nothing(node.input(0).shape(), axes)) sum += static_cast<double>(node.input(0).type().count());
  }
  return sum;
}

class Layout {
 public:
  explicit Layout(const Graph& from)
      : from_(from), live_(live_nodes(from)), seen_(live_.size()), order_(live_.size()), r_(from) {
    for (NodeId i = 0; i < from.size(); ++i) {
      const Node node = from.node(i);
      if (!live(i) || !node.op().has_moved_axes()) continue;
      const Axes axes = node.op().moved_axes(node.input_types());
      if (axes.size() < 2) continue;  // no order but its own, for which `order_` has none
      if (!maker_) maker_ = node.op();
      wanted_.emplace(key(node.input(0)), axes);
      axes_.emplace(i, axes);
    }
  }

  // Which nodes are computed in which order. False where none is.
  bool choose() {
    bool any = false;
    for (const auto& [id, axes] : axes_) any = undo(from_.node(id).input(0), axes) || any;
    if (any) sink();
    return any;
  }

  Rewritten build() {
    for (NodeId i = 0; i < from_.size(); ++i) {
      const Node node = from_.node(i);
      if (!live(i)) continue;
      if (!order(i).empty())
        turn(node);
      else if (const auto own = axes_.find(i); own != axes_.end())
        transpose(node, own->second);
      else
        copy(node);
    }
    for (const auto& [name, v] : from_.outputs()) plain(v);
    return r_.finish();
  }

 private:
  bool live(NodeId id) const { return live_[static_cast<std::size_t>(id)]; }
  const Axes& order(NodeId id) const { return order_[static_cast<std::size_t>(id)]; }

  // What a value that cannot be computed in another order costs, in elements to transpose.
  double cost(Value v, const Axes& axes) const {
    if (v.node().op().is<ops::Constant>() || moves_nothing(v.shape(), axes)) return 0;
    return wanted_.contains({key(v), axes}) ? 0 : static_cast<double>(v.type().count());
  }

  // Whether v is a transposition that these axes undo.
  bool is_undone(Value v, const Axes& axes) const {
    const auto own = axes_.find(v.node_id());
    return own != axes_.end() && inverse(own->second) == axes;
  }

  // Computes v in the order of `axes`, with all that it takes, where that is worth it.
  bool undo(Value v, const Axes& axes) {
    std::vector<NodeId> nodes, open{v.node_id()};
    double saved = 0, paid = 0;
    const int attempt = ++attempts_;
    if (!order(v.node_id()).empty() || !commutes(v.node(), axes.size())) return false;
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      if (std::exchange(seen_[static_cast<std::size_t>(id)], attempt) == attempt) continue;
      nodes.push_back(id);
      if (nodes.size() > most_nodes) return false;
      const Node node = from_.node(id);
      for (int i = 0; i < node.input_count(); ++i) {
        if (!is_turned(node, i, axes.size())) continue;
        const Value in = node.input(i);
        if (order(in.node_id()) == axes || is_undone(in, axes))
          saved += static_cast<double>(in.type().count());
        else if (order(in.node_id()).empty() && commutes(in.node(), axes.size()))
          open.push_back(in.node_id());
        else if (!node.op().info().shape_only.contains(i))
          paid += cost(in, axes);
      }
    }
    if (saved == 0 || paid > saved) return false;
    for (const NodeId id : nodes) order_[static_cast<std::size_t>(id)] = axes;
    return true;
  }

  // A node that would have several inputs transposed back has its output transposed instead, if that is less.
  void sink() {
    for (NodeId i = 0; i < from_.size(); ++i) {
      if (!live(i) || !order(i).empty() || axes_.contains(i)) continue;
      const Node node = from_.node(i);
      const Axes* axes = nullptr;
      for (int k = 0; k < node.input_count() && axes == nullptr; ++k)
        if (node.input(k) && !order(node.input(k).node_id()).empty()) axes = &order(node.input(k).node_id());
      if (axes == nullptr || !commutes(node, axes->size())) continue;
      double back = 0, paid = 0;
      for (int k = 0; k < node.input_count(); ++k) {
        if (!is_turned(node, k, axes->size()) || node.op().info().shape_only.contains(k)) continue;
        const Value in = node.input(k);
        if (order(in.node_id()) == *axes || is_undone(in, *axes))
          back += static_cast<double>(in.type().count());
        else
          paid += cost(in, *axes);
      }
      for (const Type& t : node.output_types()) paid += static_cast<double>(t.count());
      if (back > paid) order_[static_cast<std::size_t>(i)] = *axes;
    }
  }

  // The new graph's value of v in the order of `axes`.
  Value turned(Value v, const Axes& axes) {
    if (order(v.node_id()) == axes) return twins_.at(key(v));
    if (is_undone(v, axes)) return at_hand(v.node().input(0));
    const auto [place, made] = turned_.try_emplace({key(v), axes});
    if (made) {
      const Value now = at_hand(v);
      const OriginGuard guard = r_.as(v.node());
      place->second = apply(maker_->with_moved_axes(axes), {now}, Location{});
    }
    return place->second;
  }

  // The new graph's v in its own order.
  Value at_hand(Value v) {
    plain(v);
    return r_(v);
  }

  void plain(Value v) {
    if (order(v.node_id()).empty() || r_.mapped(v)) return;
    const OriginGuard guard = r_.as(v.node());
    r_.map(v, apply(maker_->with_moved_axes(inverse(order(v.node_id()))), {twins_.at(key(v))}, Location{}));
  }

  void turn(const Node& node) {
    const Axes& axes = order(node.id());
    std::vector<Value> in;
    for (int i = 0; i < node.input_count(); ++i) {
      if (is_turned(node, i, axes.size()))
        in.push_back(turned(node.input(i), axes));
      else
        in.push_back(node.input(i) ? at_hand(node.input(i)) : Value());
    }
    const OriginGuard guard = r_.as(node);
    const std::vector<Value> out = in_order(r_.to(), [&] { return node.op().transposed(in, axes); });
    invariant(static_cast<int>(out.size()) == node.output_count(), "a transposed op has another number of outputs");
    for (int i = 0; i < node.output_count(); ++i) twins_.emplace(key(node.output(i)), out[static_cast<std::size_t>(i)]);
    r_.absorb(node, out[0].node());
    if (out.size() == 1) r_.keep_name(node, out[0]);
  }

  // One of the graph's own transpositions: what it gives may be there already.
  void transpose(const Node& node, const Axes& axes) {
    const Value x = node.input(0);
    if (order(x.node_id()) == axes || is_undone(x, axes) || turned_.contains({key(x), axes})) {
      r_.map(node, turned(x, axes));
      r_.keep_name(node, r_(node.output()));
    } else {
      copy(node);
      turned_.emplace(std::pair(key(x), axes), r_(node.output()));
    }
  }

  void copy(const Node& node) {
    for (int i = 0; i < node.input_count(); ++i)
      if (node.input(i)) plain(node.input(i));
    r_.copy(node);
  }

  const Graph& from_;
  const std::vector<bool> live_;
  std::vector<int> seen_;  // by which attempt a node was met last
  int attempts_ = 0;
  std::optional<Op> maker_;                       // makes transpositions
  std::map<NodeId, Axes> axes_;                   // of those that the graph has
  std::set<std::pair<Key, Axes>> wanted_;         // the same by what they are of
  std::vector<Axes> order_;                       // that a node is computed in; empty: its own
  std::map<Key, Value> twins_;                    // values in the order of their node
  std::map<std::pair<Key, Axes>, Value> turned_;  // transposed for others, each once
  Rewriter r_;
};

}  // namespace

std::optional<Rewritten> layout(const Graph& from) {
  Layout pass(from);
  if (!pass.choose()) return std::nullopt;
  Rewritten made = pass.build();
  if (moved(*made.graph) >= moved(from)) return std::nullopt;
  return made;
}

}  // namespace oxbow::internal
