#include <oxbow/graph/passes/common_subexpressions.h>
#include <oxbow/graph/support/hash.h>

#include <bit>

namespace oxbow::internal {
namespace {

// Where each old node's equal is, as the first of its kind among the old nodes.
class Finder {
 public:
  explicit Finder(const Graph& graph)
      : graph_(graph),
        table_(std::bit_ceil(static_cast<std::size_t>(graph.size()) * 2 + 2), empty),
        first_(static_cast<std::size_t>(graph.size())) {}

  // The first node equal to this one: itself when there is none before it.
  NodeId find(NodeId id) {
    const NodeId found = graph_.node(id).op().info().effect ? id : look_up(id);
    first_[static_cast<std::size_t>(id)] = found;
    return found;
  }

 private:
  struct Entry {
    NodeId node;
    std::uint32_t hash;
  };
  static constexpr Entry empty{-1, 0};

  NodeId look_up(NodeId id) {
    const Node node = graph_.node(id);
    std::size_t hash = shallow_hash(node);
    // Ops without inputs differ by attributes only; so do, say, a thousand slices of one value.
    constexpr int most_alike = 8;
    if (node.input_count() > 0) {
      int alike = 0;
      const NodeId found = probe(node, hash, most_alike, alike);
      if (alike < most_alike) return found;
    }
    hash = mixed(hash, node.op().hash());
    int alike = 0;
    return probe(node, hash, graph_.size(), alike);
  }

  // The equal node under this hash; enters `node` there unless `most` others are alike already.
  NodeId probe(const Node& node, std::size_t hash, int most, int& alike) {
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (std::size_t at = hash & (table_.size() - 1);; at = (at + 1) & (table_.size() - 1)) {
      Entry& entry = table_[at];
      if (entry.node < 0) {
        if (alike < most) entry = {node.id(), tag};
        return node.id();
      }
      if (entry.hash != tag) continue;
      if (equal(node, graph_.node(entry.node))) {
        alike = 0;
        return entry.node;
      }
      ++alike;
    }
  }

  Value canonical(const Value& v) const {
    return !v ? v : Value{v.graph(), first_[static_cast<std::size_t>(v.node_id())], v.output()};
  }

  std::size_t shallow_hash(const Node& node) const {
    std::size_t h = std::bit_cast<std::size_t>(&node.op().info());
    for (int i = 0; i < node.input_count(); ++i) {
      const Value v = canonical(node.input(i));
      h = mixed(h, static_cast<std::size_t>(v.node_id()) * 8 + static_cast<std::size_t>(v.output()));
    }
    return mixed(h, h >> 32);
  }

  bool equal(const Node& a, const Node& b) const {
    if (a.input_count() != b.input_count() || &a.op().info() != &b.op().info()) return false;
    for (int i = 0; i < a.input_count(); ++i)
      if (!canonical(a.input(i)).same(canonical(b.input(i)))) return false;
    // An op's == may take 0.0 for -0.0.
    return a.op() == b.op() && same_bits(AttrValue(a.op().attributes()), AttrValue(b.op().attributes()));
  }

  const Graph& graph_;
  std::vector<Entry> table_;
  std::vector<NodeId> first_;
};

}  // namespace

std::optional<Rewritten> common_subexpressions(const Graph& from) {
  Finder finder(from);
  std::vector<NodeId> first(static_cast<std::size_t>(from.size()));
  bool changed = false;
  for (NodeId i = 0; i < from.size(); ++i) {
    first[static_cast<std::size_t>(i)] = finder.find(i);
    changed = changed || first[static_cast<std::size_t>(i)] != i;
  }
  if (!changed) return std::nullopt;

  Rewriter r(from);
  for (NodeId i = 0; i < from.size(); ++i) {
    const Node node = from.node(i), equal = from.node(first[static_cast<std::size_t>(i)]);
    if (equal == node) {
      r.copy(node);
      continue;
    }
    for (int o = 0; o < node.output_count(); ++o) r.map(node.output(o), r(equal.output(o)));
    r.keep_name(node, r(equal.output()));
  }
  return r.finish();
}

}  // namespace oxbow::internal
