#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fusion/fuse_groups.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace oxbow::internal {
namespace {

constexpr std::int32_t most_steps = 256;  // of one tape: beyond it slots leave the cache, and nothing is won
constexpr std::size_t most_inputs = 48;   // of them, the first 31 may be overwritten
constexpr std::size_t most_reductions = 8;
static_assert(most_inputs <= TapePlan::max_inputs);
constexpr std::int32_t most_summed = 4;  // products in one sum: all but one of them are kept until the last is there
constexpr std::int32_t latest_stage = 1 << 30;  // where nodes stand that nobody reads

// The type whose shape a fused node goes through.
const Type& space(const Node& node, const Fused& f) {
  return f.tape.outputs.empty() ? node.input(0).type() : node.output_types()[0];
}

bool same_space(const Type& a, const Type& b) { return a.shape == b.shape && a.layout == b.layout; }

}  // namespace

FuseGroups::FuseGroups(const Graph& graph) : graph_(graph), nodes_(index(graph.size())) {
  for (NodeId i = 0; i < graph_.size(); ++i) nodes_[index(i)].fused = graph_.node(i).op().as<Fused>();
  cut_sums();
  for (NodeId i = 0; i < graph_.size(); ++i) rise(i);
  delay();
  postpone();
  for (NodeId i = 0; i < graph_.size(); ++i) join(i);
  cut();
}

bool FuseGroups::joins(const Value& v, NodeId reader) const {
  const Mark &from = nodes_[index(v.node_id())], &to = nodes_[index(reader)];
  return from.fused != nullptr && to.fused != nullptr && index(v.output()) < from.fused->tape.outputs.size() &&
         same_space(v.type(), space(graph_.node(reader), *to.fused)) && !(to.begins_sum && from.products > 0);
}

// The gradients of a weight that is used a hundred times are as many products, summed up one after another. Together in
// one pass, all of them would be kept for it; each few in a pass of their own, the last of which adds to the sum so
// far.
void FuseGroups::cut_sums() {
  std::vector<std::int32_t> readers(index(graph_.size())), summed(index(graph_.size()));
  for (NodeId i = 0; i < graph_.size(); ++i)
    for (int k = 0; k < graph_.node(i).input_count(); ++k)
      if (const Value v = graph_.node(i).input(k)) ++readers[index(v.node_id())];
  for (const auto& [name, v] : graph_.outputs()) ++readers[index(v.node_id())];
  for (NodeId i = 0; i < graph_.size(); ++i) {
    Mark& mark = nodes_[index(i)];
    if (mark.fused == nullptr) continue;
    const Node node = graph_.node(i);
    std::int32_t before = 0;
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (!v || !same_space(v.type(), space(node, *mark.fused))) continue;
      mark.products += v.node().op().has_epilogue() && readers[index(v.node_id())] == 1;
      before = std::max(before, summed[index(v.node_id())]);
    }
    mark.begins_sum = mark.products > 0 && before + mark.products > most_summed;
    if (mark.products > 0) summed[index(i)] = mark.products + (mark.begins_sum ? 0 : before);
  }
}

void FuseGroups::rise(NodeId i) {
  const Node node = graph_.node(i);
  for (int k = 0; k < node.input_count(); ++k) {
    const Value v = node.input(k);
    if (!v) continue;
    const std::int32_t before = nodes_[index(v.node_id())].stage;
    nodes_[index(i)].stage = std::max(nodes_[index(i)].stage, before + (joins(v, i) ? 0 : 1));
  }
}

// A node whose first readers of its own space stand in a later stage may move there: then its result is in cache when
// they read it, and need not be stored unless others want it too. That keeps the large values alive that it is computed
// from, so it pays where these are no more than what it saves: one where the result need not be stored, else none.
// Leaves lie in memory anyhow, and what is computed from them alone moves along.
void FuseGroups::delay() {
  const std::vector<std::int32_t> kept = keeps();
  struct Readers {
    std::int32_t latest = std::numeric_limits<std::int32_t>::max();  // the last stage that all of them allow
    std::int32_t first = std::numeric_limits<std::int32_t>::max();   // the first stage of those that join
    std::int32_t last = -1;                                          // the last stage of any
    bool stored = false;                                             // for one that does not join, or joins later
  };
  std::vector<Readers> readers(index(graph_.size()));
  for (const auto& [name, v] : graph_.outputs()) readers[index(v.node_id())].stored = true;
  for (NodeId i = graph_.size() - 1; i >= 0; --i) {
    const Node node = graph_.node(i);
    Mark& mark = nodes_[index(i)];
    const Readers& mine = readers[index(i)];
    if (mark.fused == nullptr) {
      mark.stage = std::max(mark.stage, std::min(mine.latest, latest_stage));
    } else if (mine.first <= mine.latest && mine.first > mark.stage && mine.first <= latest_stage &&
               mark.fused->reductions.empty()) {
      std::int32_t large = 0;
      for (int k = 0; k < node.input_count(); ++k) {
        const Value v = node.input(k);
        if (is_large(v, node) && readers[index(v.node_id())].last < mine.first) large += kept_by(v, i, kept);
      }
      if (large <= (mine.stored ? 0 : 1)) mark.stage = mine.first;
    }
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (!v) continue;
      Readers& r = readers[index(v.node_id())];
      const bool together = joins(v, i);
      r.stored = r.stored || !together || (r.last >= 0 && r.last != mark.stage);
      r.latest = std::min(r.latest, mark.stage - (together ? 0 : 1));
      if (together) r.first = std::min(r.first, mark.stage);
      r.last = std::max(r.last, mark.stage);
    }
  }
}

// What is only assigned to variables is in no hurry, nor should it hurry what it is computed from: with it in the last
// stage of all that it hangs together with, that may be delayed anew. Then it goes where its operands went: an update
// goes through memory once, and behind those who read the old value.
void FuseGroups::postpone() {
  std::vector<bool> hurried(index(graph_.size()));
  for (const auto& [name, v] : graph_.outputs())
    if (!v.node().op().is<ops::Assign>()) hurried[index(v.node_id())] = true;
  for (NodeId i = graph_.size() - 1; i >= 0; --i) {
    const Node node = graph_.node(i);
    const bool writes = node.op().is<ops::Assign>() && !hurried[index(i)];
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (!v) continue;
      if (!writes || k == 0) hurried[index(v.node_id())] = true;
      if (joins(v, i)) unite(v.node_id(), i);
    }
  }
  std::vector<std::int32_t> last(index(graph_.size()));
  for (NodeId i = 0; i < graph_.size(); ++i)
    if (nodes_[index(i)].fused != nullptr)
      last[index(root(i))] = std::max(last[index(root(i))], nodes_[index(i)].stage);
  std::vector<std::pair<NodeId, std::int32_t>> moved;  // and their stages before
  for (NodeId i = 0; i < graph_.size(); ++i) {
    Mark& mark = nodes_[index(i)];
    const std::int32_t latest = last[index(root(i))];
    if (mark.fused == nullptr || !mark.fused->reductions.empty() || hurried[index(i)] || mark.stage == latest) continue;
    moved.emplace_back(i, std::exchange(mark.stage, latest));
  }
  for (Mark& mark : nodes_) mark.parent = -1;
  if (moved.empty()) return;
  delay();
  for (const auto& [i, before] : moved) {
    nodes_[index(i)].stage = before;
    rise(i);
  }
}

bool FuseGroups::is_large(const Value& v, const Node& reader) const {
  return v.type().count() * 2 > reader.output_types()[0].count();
}

// How many large values stay alive for `reader` to compute with `v`: `v` itself, or what it is computed from in turn.
std::int32_t FuseGroups::kept_by(const Value& v, NodeId reader, const std::vector<std::int32_t>& kept) const {
  if (v.node().input_count() == 0) return 0;
  return joins(v, reader) ? std::min(kept[index(v.node_id())], 1) : 1;
}

// For each fused node, how many large values its result is computed from, if all those move along that are read by
// such nodes only.
std::vector<std::int32_t> FuseGroups::keeps() const {
  std::vector<bool> stays(index(graph_.size()));
  for (const auto& [name, v] : graph_.outputs()) stays[index(v.node_id())] = true;
  for (NodeId i = 0; i < graph_.size(); ++i)
    for (int k = 0; k < graph_.node(i).input_count(); ++k)
      if (const Value v = graph_.node(i).input(k); v && !joins(v, i)) stays[index(v.node_id())] = true;
  std::vector<std::int32_t> kept(index(graph_.size()));
  for (NodeId i = 0; i < graph_.size(); ++i) {
    const Node node = graph_.node(i);
    const Fused* fused = nodes_[index(i)].fused;
    if (stays[index(i)] || fused == nullptr || !fused->reductions.empty()) {
      kept[index(i)] = 1;
      continue;
    }
    for (int k = 0; k < node.input_count(); ++k)
      if (is_large(node.input(k), node)) kept[index(i)] += kept_by(node.input(k), i, kept);
  }
  return kept;
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
    if (!v || !joins(v, i) || nodes_[index(v.node_id())].stage != nodes_[index(i)].stage) continue;
    unite(v.node_id(), i);
  }
}

void FuseGroups::unite(NodeId a, NodeId b) {
  a = root(a);
  b = root(b);
  if (a != b) nodes_[index(std::max(a, b))].parent = std::min(a, b);
}

// Sets become groups. A set beyond the limits is cut in the order of its nodes, which keeps it free of cycles. One
// chunk length a group: a reduction with another stays alone, as nobody in a group reads a reduction's result.
void FuseGroups::cut() {
  struct Open {
    std::int32_t group = -1, steps = 0;
    std::size_t reductions = 0;
    std::int64_t chunk = 0;
    std::vector<Value> inputs = {};
  };
  std::vector<Open> open;
  std::vector<Value> more;  // what a node reads of others, beyond the set's inputs
  const auto find_more = [&](const Node& node, const Open& set) {
    more.clear();
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      const bool own = set.group >= 0 && nodes_[index(v.node_id())].group == set.group;
      if (!own && std::none_of(set.inputs.begin(), set.inputs.end(), [&](const Value& w) { return w.same(v); }))
        more.push_back(v);
    }
  };
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
      const Fused::Reduction& first = mark.fused->reductions[0];
      const std::vector<Type> types = mark.fused->tape.types(node.input_types());
      chunk = first.op.consume(std::span(types).subspan(index(first.of), 1)).chunk;
      if (set.chunk != 0 && chunk != set.chunk && mark.fused->tape.outputs.empty()) {
        mark.group = groups_++;
        continue;
      }
    }
    find_more(node, set);
    const auto steps = static_cast<std::int32_t>(mark.fused->tape.steps.size());
    const std::size_t reductions = mark.fused->reductions.size();
    if (set.group < 0 || set.steps + steps > most_steps ||
        (!more.empty() && set.inputs.size() + more.size() > most_inputs) ||
        set.reductions + reductions > most_reductions || (set.chunk != 0 && chunk != set.chunk)) {
      set = {.group = groups_++};
      find_more(node, set);
    }
    mark.group = set.group;
    set.steps += steps;
    set.reductions += reductions;
    set.chunk = chunk;
    set.inputs.insert(set.inputs.end(), more.begin(), more.end());
  }
}

}  // namespace oxbow::internal
