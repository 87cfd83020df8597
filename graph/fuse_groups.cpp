#include <oxbow/graph/fuse_groups.h>

#include <algorithm>
#include <array>

namespace oxbow {
namespace {

constexpr std::int32_t most_steps = 256;  // of one tape: beyond it slots leave the cache, and nothing is won
constexpr std::size_t most_inputs = 48;   // of them, the first 31 may be overwritten
constexpr std::size_t most_reductions = 8;

std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

// The type whose shape a fused node goes through.
const Type& space(const Node& node, const Fused& f) {
  return f.tape.outputs.empty() ? node.input(0).type() : node.output_types()[0];
}

bool same_space(const Type& a, const Type& b) { return a.shape == b.shape && a.layout == b.layout; }

}  // namespace

FuseGroups::FuseGroups(const Graph& graph) : graph_(graph), nodes_(index(graph.size())) {
  for (NodeId i = 0; i < graph_.size(); ++i) nodes_[index(i)].fused = graph_.node(i).op().as<Fused>();
  for (NodeId i = 0; i < graph_.size(); ++i) rise(i);
  delay();
  for (NodeId i = 0; i < graph_.size(); ++i) join(i);
  cut();
}

bool FuseGroups::joins(const Value& v, NodeId reader) const {
  const Mark &from = nodes_[index(v.node_id())], &to = nodes_[index(reader)];
  return from.fused != nullptr && to.fused != nullptr && index(v.output()) < from.fused->tape.outputs.size() &&
         same_space(v.type(), space(graph_.node(reader), *to.fused));
}

void FuseGroups::rise(NodeId i) {
  const Node node = graph_.node(i);
  for (int k = 0; k < node.input_count(); ++k) {
    const Value v = node.input(k);
    const std::int32_t before = nodes_[index(v.node_id())].stage;
    nodes_[index(i)].stage = std::max(nodes_[index(i)].stage, before + (joins(v, i) ? 0 : 1));
  }
}

// A node with at most one large input, all of whose readers stand in one later stage, moves there: its result need not
// be stored then, and its input takes no more memory than its result would.
void FuseGroups::delay() {
  struct Readers {
    std::int32_t stage = -1;
    bool together = true;
  };
  std::vector<Readers> readers(index(graph_.size()));
  for (const auto& [name, v] : graph_.outputs()) readers[index(v.node_id())].together = false;
  for (NodeId i = graph_.size() - 1; i >= 0; --i) {
    const Node node = graph_.node(i);
    Mark& mark = nodes_[index(i)];
    const Readers& mine = readers[index(i)];
    if (mark.fused != nullptr && mine.together && mine.stage > mark.stage && mark.fused->reductions.empty()) {
      int large = 0;
      for (int k = 0; k < node.input_count(); ++k)
        large += node.input(k).type().count() * 2 > node.output_types()[0].count() ? 1 : 0;
      if (large <= 1) mark.stage = mine.stage;
    }
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      Readers& r = readers[index(v.node_id())];
      const bool first = r.stage < 0;
      r.together = r.together && joins(v, i) && (first || r.stage == mark.stage);
      r.stage = mark.stage;
    }
  }
}

NodeId FuseGroups::root(NodeId i) {
  while (nodes_[index(i)].parent >= 0) {
    const NodeId up = nodes_[index(i)].parent;
    if (nodes_[index(up)].parent >= 0) nodes_[index(i)].parent = nodes_[index(up)].parent;
    i = up;
  }
  return i;
}

void FuseGroups::join(NodeId i) {
  const Node node = graph_.node(i);
  for (int k = 0; k < node.input_count(); ++k) {
    const Value v = node.input(k);
    if (!joins(v, i) || nodes_[index(v.node_id())].stage != nodes_[index(i)].stage) continue;
    const NodeId a = root(v.node_id()), b = root(i);
    if (a != b) nodes_[index(std::max(a, b))].parent = std::min(a, b);
  }
}

// Sets become groups. A set beyond the limits is cut in the order of its nodes, which keeps it free of cycles. One
// chunk length a group: a reduction with another stays alone, as nobody in a group reads a reduction's result.
void FuseGroups::cut() {
  struct Open {
    std::int32_t group = -1, steps = 0;
    std::size_t inputs = 0, reductions = 0;
    std::int64_t chunk = 0;
    std::array<NodeId, most_inputs> input{};
  };
  std::vector<Open> open;
  std::vector<NodeId> more;
  for (NodeId i = 0; i < graph_.size(); ++i) {
    Mark& mark = nodes_[index(i)];
    if (mark.fused == nullptr) continue;
    const Node node = graph_.node(i);
    std::int32_t& place = nodes_[index(root(i))].open;
    if (place < 0) {
      place = static_cast<std::int32_t>(open.size());
      open.emplace_back();
    }
    Open& set = open[index(place)];
    std::int64_t chunk = set.chunk;
    if (!mark.fused->reductions.empty()) {
      chunk = mark.fused->reductions[0].op.consume(std::array{space(node, *mark.fused)}).chunk;
      if (set.chunk != 0 && chunk != set.chunk && mark.fused->tape.outputs.empty()) {
        mark.group = groups_++;
        continue;
      }
    }
    more.clear();
    for (int k = 0; k < node.input_count(); ++k) {
      const NodeId from = node.input(k).node_id();
      const auto end = set.input.begin() + static_cast<std::ptrdiff_t>(set.inputs);
      const bool own = nodes_[index(from)].group == set.group && set.group >= 0;
      if (!own && std::find(set.input.begin(), end, from) == end) more.push_back(from);
    }
    const auto steps = static_cast<std::int32_t>(mark.fused->tape.steps.size());
    const std::size_t reductions = mark.fused->reductions.size();
    if (set.group < 0 || set.steps + steps > most_steps || set.inputs + more.size() > most_inputs ||
        set.reductions + reductions > most_reductions || (set.chunk != 0 && chunk != set.chunk))
      set = {.group = groups_++};
    mark.group = set.group;
    set.steps += steps;
    set.reductions += reductions;
    set.chunk = chunk;
    for (const NodeId from : more)
      if (set.inputs < most_inputs) set.input[set.inputs++] = from;
  }
}

}  // namespace oxbow
