#include <oxbow/graph/fuse.h>
#include <oxbow/graph/fused.h>

#include <algorithm>
#include <array>
#include <numeric>

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

// Which nodes go together: `group` numbers the groups that `fuse` makes, -1 for nodes that stay as they are.
class Grouping {
 public:
  explicit Grouping(const Graph& graph) : graph_(graph), nodes_(index(graph.size())) {
    for (NodeId i = 0; i < graph_.size(); ++i) nodes_[index(i)].fused = graph_.node(i).op().as<Fused>();
    for (NodeId i = 0; i < graph_.size(); ++i) rise(i);
    delay();
    for (NodeId i = 0; i < graph_.size(); ++i) join(i);
    cut();
  }

  std::int32_t groups() const { return groups_; }
  std::int32_t group(NodeId i) const { return nodes_[index(i)].group; }

 private:
  struct Mark {
    const Fused* fused = nullptr;
    std::int32_t stage = 0;
    NodeId parent = -1;      // in the forest of sets that `join` makes
    std::int32_t open = -1;  // of a set's root: its place in `cut`
    std::int32_t group = -1;
  };

  // Whether `reader` could go through memory together with what makes `v`.
  bool joins(const Value& v, NodeId reader) const {
    const Mark &from = nodes_[index(v.node_id())], &to = nodes_[index(reader)];
    return from.fused != nullptr && to.fused != nullptr && index(v.output()) < from.fused->tape.outputs.size() &&
           same_space(v.type(), space(graph_.node(reader), *to.fused));
  }

  void rise(NodeId i) {
    const Node node = graph_.node(i);
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      const std::int32_t before = nodes_[index(v.node_id())].stage;
      nodes_[index(i)].stage = std::max(nodes_[index(i)].stage, before + (joins(v, i) ? 0 : 1));
    }
  }

  // A node with at most one large input, all of whose readers stand in one later stage, moves there: its result need
  // not be stored then, and its input takes no more memory than its result would.
  void delay() {
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

  NodeId root(NodeId i) {
    while (nodes_[index(i)].parent >= 0) {
      const NodeId up = nodes_[index(i)].parent;
      if (nodes_[index(up)].parent >= 0) nodes_[index(i)].parent = nodes_[index(up)].parent;
      i = up;
    }
    return i;
  }

  void join(NodeId i) {
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
  void cut() {
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

  const Graph& graph_;
  std::vector<Mark> nodes_;
  std::int32_t groups_ = 0;
};

// Builds the graph of the groups.
class Fuser {
 public:
  Fuser(const Graph& from, const Grouping& grouping)
      : from_(from),
        grouping_(grouping),
        r_(from),
        begin_(index(grouping.groups()) + 1),
        done_(index(grouping.groups())),
        read_outside_(index(from.size())) {
    for (NodeId i = 0; i < from.size(); ++i)
      if (grouping.group(i) >= 0) ++begin_[index(grouping.group(i)) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    members_.resize(index(begin_.back()));
    std::vector<std::int32_t> next(begin_.begin(), begin_.end() - 1);
    for (NodeId i = 0; i < from.size(); ++i)
      if (grouping.group(i) >= 0) members_[index(next[index(grouping.group(i))]++)] = i;
  }

  Rewritten build() {
    find_outside_readers();
    for (NodeId i = 0; i < from_.size(); ++i) {
      const std::int32_t g = grouping_.group(i);
      if (g < 0 || members(g).back() == i) emit(i);
    }
    return r_.finish();
  }

 private:
  std::span<const NodeId> members(std::int32_t g) const {
    return std::span(members_).subspan(index(begin_[index(g)]), index(begin_[index(g) + 1] - begin_[index(g)]));
  }
  bool is_done(NodeId i) const {
    return grouping_.group(i) >= 0 ? done_[index(grouping_.group(i))] : r_.mapped(from_.node(i).output());
  }

  void find_outside_readers() {
    for (NodeId i = 0; i < from_.size(); ++i) {
      const Node node = from_.node(i);
      for (int k = 0; k < node.input_count(); ++k) {
        const Value v = node.input(k);
        if (grouping_.group(v.node_id()) < 0 || grouping_.group(v.node_id()) != grouping_.group(i)) mark_read(v);
      }
    }
    for (const auto& [name, v] : from_.outputs()) mark_read(v);
    for (const Value& v : from_.updates()) mark_read(v);
  }
  void mark_read(const Value& v) { read_outside_[index(v.node_id())] |= 1ull << std::min(v.output(), 63); }
  bool is_read(const Value& v) const { return (read_outside_[index(v.node_id())] >> std::min(v.output(), 63)) & 1; }

  // The node, or its group, after everything that it reads. A group's members may read nodes that come after another
  // member, so this goes depth first.
  void emit(NodeId start) {
    stack_.push_back(start);
    while (!stack_.empty()) {
      const NodeId i = stack_.back();
      if (is_done(i)) {
        stack_.pop_back();
        continue;
      }
      const std::size_t before = stack_.size();
      const std::int32_t g = grouping_.group(i);
      if (g < 0) {
        require_inputs(i, g);
      } else {
        for (const NodeId m : members(g)) require_inputs(m, g);
      }
      if (stack_.size() > before) continue;
      stack_.pop_back();
      if (g >= 0)
        merge(g);
      else
        r_.copy(from_.node(i));
    }
  }

  void require_inputs(NodeId i, std::int32_t group) {
    const Node node = from_.node(i);
    for (int k = 0; k < node.input_count(); ++k) {
      const NodeId input = node.input(k).node_id();
      if ((group < 0 || grouping_.group(input) != group) && !is_done(input)) stack_.push_back(input);
    }
  }

  void merge(std::int32_t g) {
    done_[index(g)] = true;
    const std::span<const NodeId> nodes = members(g);
    if (nodes.size() == 1) {
      r_.copy(from_.node(nodes[0]));
      return;
    }
    inputs_.clear();
    numbers_.clear();
    for (const NodeId m : nodes) collect_inputs(m, g);
    Fused f;
    f.tape.inputs = static_cast<std::int32_t>(inputs_.size());
    std::vector<Value> outputs, reduced;
    for (const NodeId m : nodes) add(m, f, outputs, reduced);
    outputs.insert(outputs.end(), reduced.begin(), reduced.end());
    if (outputs.empty()) return;  // nobody reads any of it
    const Node last = from_.node(nodes.back());
    const OriginGuard guard = r_.as(last);
    const Node now = r_.to().append(std::move(f), inputs_, last.origin().at);
    for (std::size_t o = 0; o < outputs.size(); ++o) r_.map(outputs[o], now.output(static_cast<int>(o)));
    r_.keep_name(last, now.output());
  }

  // `numbers_` holds the tape's numbers of values: of inputs by their new handle, of steps by their old one.
  void collect_inputs(NodeId m, std::int32_t g) {
    const Node node = from_.node(m);
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (grouping_.group(v.node_id()) == g) continue;
      const Value now = r_(v);
      const auto known = std::find_if(inputs_.begin(), inputs_.end(), [&](const Value& w) { return w.same(now); });
      if (known == inputs_.end()) inputs_.push_back(now);
    }
  }

  std::int32_t number(const Value& v, std::int32_t g) const {
    if (grouping_.group(v.node_id()) == g) {
      for (auto it = numbers_.rbegin(); it != numbers_.rend(); ++it)
        if (it->first.same(v)) return it->second;
      throw InternalError("a fused group reads a value of its own before it is computed");
    }
    const Value now = r_(v);
    const auto place = std::find_if(inputs_.begin(), inputs_.end(), [&](const Value& w) { return w.same(now); });
    return static_cast<std::int32_t>(place - inputs_.begin());
  }

  void add(NodeId m, Fused& into, std::vector<Value>& outputs, std::vector<Value>& reduced) {
    const Node node = from_.node(m);
    const Fused& f = *node.op().as<Fused>();
    const std::int32_t g = grouping_.group(m);
    std::vector<std::int32_t> now, operands;  // the member's value numbers in the group
    for (int k = 0; k < node.input_count(); ++k) now.push_back(number(node.input(k), g));
    for (const Tape::Step& step : f.tape.steps) {
      operands.clear();
      for (const std::int32_t v : f.tape.args_of(step)) operands.push_back(now[index(v)]);
      now.push_back(into.tape.add(step.op, operands));
    }
    for (std::size_t o = 0; o < f.tape.outputs.size(); ++o) {
      const Value v = node.output(static_cast<int>(o));
      const std::int32_t n = now[index(f.tape.outputs[o])];
      numbers_.emplace_back(v, n);
      if (!is_read(v)) continue;
      into.tape.outputs.push_back(n);
      outputs.push_back(v);
    }
    for (std::size_t o = 0; o < f.reductions.size(); ++o) {
      into.reductions.push_back({f.reductions[o].op, now[index(f.reductions[o].of)]});
      reduced.push_back(node.output(static_cast<int>(f.tape.outputs.size() + o)));
    }
  }

  const Graph& from_;
  const Grouping& grouping_;
  Rewriter r_;
  std::vector<std::int32_t> begin_;  // of each group's members
  std::vector<NodeId> members_;
  std::vector<bool> done_;
  std::vector<std::uint64_t> read_outside_;  // a bit an output
  std::vector<NodeId> stack_;
  std::vector<Value> inputs_;
  std::vector<std::pair<Value, std::int32_t>> numbers_;
};

}  // namespace

std::optional<Rewritten> fuse(const Graph& from) {
  const Grouping grouping(from);
  std::vector<std::int32_t> sizes(index(grouping.groups()));
  bool merges = false;
  for (NodeId i = 0; i < from.size(); ++i)
    if (const std::int32_t g = grouping.group(i); g >= 0) merges = ++sizes[index(g)] > 1 || merges;
  if (!merges) return std::nullopt;
  return Fuser(from, grouping).build();
}

}  // namespace oxbow
