#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fusion/fuse.h>
#include <oxbow/graph/passes/fusion/fuse_groups.h>
#include <oxbow/graph/passes/shared_ops.h>

#include <algorithm>
#include <numeric>

namespace oxbow::internal {
namespace {

constexpr std::int32_t most_copies = 8;  // of one group: each may add an input or two
constexpr std::int64_t small = 8;        // times as many elements has a value that is large beside another

// Builds the graph of the groups.
class Fuser {
 public:
  Fuser(const Graph& from, const FuseGroups& groups)
      : from_(from),
        groups_(groups),
        r_(from),
        begin_(index(groups.count()) + 1),
        done_(index(groups.count())),
        read_outside_(index(from.size())),
        copied_(index(from.size())),
        gone_(index(from.size())) {
    for (NodeId i = 0; i < from.size(); ++i)
      if (groups.of(i) >= 0) ++begin_[index(groups.of(i)) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    members_.resize(index(begin_.back()));
    written_.resize(index(from.size()), -1);
    for (NodeId i = 0; i < from.size(); ++i)
      if (const Node n = from.node(i); n.op().is<ops::Assign>())
        written_[index(n.input(1).node_id())] = n.input(0).node_id();
    std::vector<std::int32_t> next(begin_.begin(), begin_.end() - 1);
    for (NodeId i = 0; i < from.size(); ++i)
      if (groups.of(i) >= 0) members_[index(next[index(groups.of(i))]++)] = i;
  }

  Rewritten build() {
    find_copied();
    find_outside_readers();
    for (NodeId i = 0; i < from_.size(); ++i) {
      const std::int32_t g = groups_.of(i);
      if (g < 0 || members(g).back() == i) emit(i);
    }
    return r_.finish();
  }

 private:
  std::span<const NodeId> members(std::int32_t g) const {
    return std::span(members_).subspan(index(begin_[index(g)]), index(begin_[index(g) + 1] - begin_[index(g)]));
  }
  bool is_done(NodeId i) const {
    return groups_.of(i) >= 0 ? done_[index(groups_.of(i))] : r_.mapped(from_.node(i).output());
  }

  // A step that takes rows or columns of numbers to one large value (a difference to means, say), and that other groups
  // read: each of them computes it again in passing, from that value, which is kept in the place of the result. So
  // nothing is stored, and no more lies in memory, where all readers do so. What has one operand only may be a function
  // that takes long; and what alone reads a product's result goes into its epilogue.
  void find_copied() {
    std::vector<std::int32_t> copies(index(groups_.count()));  // that a group computes
    std::vector<std::vector<std::int32_t>> readers(index(from_.size()));
    std::vector<bool> stored(index(from_.size()));
    reads_.resize(index(from_.size()));
    for (NodeId i = 0; i < from_.size(); ++i) {
      const Node node = from_.node(i);
      for (int k = 0; k < node.input_count(); ++k) {
        const Value v = node.input(k);
        if (!v) continue;
        ++reads_[index(v.node_id())];
        if (groups_.of(v.node_id()) < 0) continue;
        const Type& own = v.type();
        const std::int32_t g = groups_.of(i);
        const Type* other = g < 0 || node.op().as<Fused>()->tape.outputs.empty() ? nullptr : &node.output_types()[0];
        if (other == nullptr || other->shape != own.shape || other->layout != own.layout)
          stored[index(v.node_id())] = true;
        else if (g != groups_.of(v.node_id()))
          readers[index(v.node_id())].push_back(g);
      }
    }
    for (const auto& [name, v] : from_.outputs()) stored[index(v.node_id())] = true;
    for (NodeId i = 0; i < from_.size(); ++i) {
      std::vector<std::int32_t>& by = readers[index(i)];
      if (by.empty() || stored[index(i)] || !is_light(from_.node(i))) continue;
      std::sort(by.begin(), by.end());
      by.erase(std::unique(by.begin(), by.end()), by.end());
      if (std::any_of(by.begin(), by.end(), [&](std::int32_t g) { return copies[index(g)] >= most_copies; })) continue;
      copied_[index(i)] = true;
      for (const std::int32_t g : by) ++copies[index(g)];
    }
  }
  bool is_light(const Node& node) const {
    const Fused& f = *node.op().as<Fused>();
    if (f.tape.steps.size() != 1 || f.tape.outputs.size() != 1 || !f.reductions.empty()) return false;
    const Type& own = node.output_types()[0];
    int large = 0;
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (v.shape() == own.shape) {
        const NodeId of = v.node_id();
        if (++large > 1 || v.type().bytes() > own.bytes() || v.type().layout != own.layout || copied_[index(of)] ||
            v.node().input_count() == 0 || (v.node().op().has_epilogue() && reads_[index(of)] == 1) ||
            (groups_.of(of) >= 0 && groups_.of(of) == groups_.of(node.id())))
          return false;
      } else if (v.type().count() == 1 || v.type().count() * small > own.count()) {
        return false;
      }
    }
    return large == 1 && node.input_count() > 1;
  }
  // Whether a member of group `g` computes this value again.
  bool copies(const Value& v, std::int32_t g) const {
    return copied_[index(v.node_id())] && groups_.of(v.node_id()) != g;
  }
  bool copies_any(NodeId m, std::int32_t g) const {
    const Node node = from_.node(m);
    for (int k = 0; k < node.input_count(); ++k)
      if (node.input(k) && copies(node.input(k), g)) return true;
    return false;
  }

  void find_outside_readers() {
    for (NodeId i = 0; i < from_.size(); ++i) {
      const Node node = from_.node(i);
      for (int k = 0; k < node.input_count(); ++k) {
        const Value v = node.input(k);
        if (!v || copies(v, groups_.of(i))) continue;
        if (groups_.of(v.node_id()) < 0 || groups_.of(v.node_id()) != groups_.of(i)) mark_read(v);
      }
    }
    for (const auto& [name, v] : from_.outputs()) mark_read(v);
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
      const std::int32_t g = groups_.of(i);
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
      if (!node.input(k)) continue;
      const NodeId input = node.input(k).node_id();
      if (copies(node.input(k), group)) {
        require_inputs(input, group);
        continue;
      }
      if ((group < 0 || groups_.of(input) != group) && !is_done(input)) stack_.push_back(input);
    }
  }

  // Puts a member whose result is assigned to a variable behind all members that read that variable and do not depend
  // on it, so that it may be written in place.
  void order(std::int32_t g) {
    const auto nodes = std::span(members_).subspan(index(begin_[index(g)]), members(g).size());
    if (std::none_of(nodes.begin(), nodes.end(), [&](NodeId m) { return written_[index(m)] >= 0; })) return;
    old_order_.assign(nodes.begin(), nodes.end());
    states_.assign(nodes.size(), State::open);
    std::size_t count = 0;
    for (std::size_t m = 0; m < nodes.size(); ++m) place(m, g, nodes, count);
  }

  // The member number `m` of the old order and what must come before it, unless that depends on what is just being
  // placed.
  bool place(std::size_t m, std::int32_t g, std::span<NodeId> to, std::size_t& count) {
    if (states_[m] != State::open) return states_[m] == State::placed;
    states_[m] = State::pending;
    const Node node = from_.node(old_order_[m]);
    bool possible = true;
    for (int k = 0; k < node.input_count() && possible; ++k)
      if (groups_.of(node.input(k).node_id()) == g) possible = place(old_place(node.input(k).node_id()), g, to, count);
    if (const NodeId variable = written_[index(node.id())]; possible && variable >= 0)
      for (std::size_t other = m + 1; other < old_order_.size(); ++other)
        if (reads(from_.node(old_order_[other]), variable)) place(other, g, to, count);
    states_[m] = possible ? State::placed : State::open;
    if (possible) to[count++] = node.id();
    return possible;
  }
  std::size_t old_place(NodeId m) const {
    return static_cast<std::size_t>(std::lower_bound(old_order_.begin(), old_order_.end(), m) - old_order_.begin());
  }
  static bool reads(const Node& node, NodeId input) {
    for (int k = 0; k < node.input_count(); ++k)
      if (node.input(k).node_id() == input) return true;
    return false;
  }

  void merge(std::int32_t g) {
    done_[index(g)] = true;
    order(g);
    const std::span<const NodeId> nodes = members(g);
    if (nodes.size() == 1 && !copied_[index(nodes[0])] && !copies_any(nodes[0], g)) {
      r_.copy(from_.node(nodes[0]));
      return;
    }
    inputs_.clear();
    numbers_.clear();
    copies_here_.clear();
    for (const NodeId m : nodes) collect_inputs(m, g);
    Fused f;
    f.tape.inputs = static_cast<std::int32_t>(inputs_.size());
    std::vector<Value> outputs, reduced;
    for (const NodeId m : copies_here_) add(m, g, f, nullptr, nullptr);
    for (const NodeId m : nodes) add(m, g, f, &outputs, &reduced);
    outputs.insert(outputs.end(), reduced.begin(), reduced.end());
    if (outputs.empty()) return;  // nobody reads any of it
    const Node stands = representative(nodes);
    const OriginGuard guard = r_.as(stands);
    const Node now = r_.to().append(shared_(std::move(f)), inputs_, stands.origin().at);
    for (const NodeId m : nodes)
      if (!gone_[index(m)]) r_.absorb(from_.node(m), now);
    for (const NodeId m : copies_here_)
      if (!gone_[index(m)]) {  // its first reader stands for it
        gone_[index(m)] = true;
        r_.absorb(from_.node(m), now);
      }
    for (std::size_t o = 0; o < outputs.size(); ++o) r_.map(outputs[o], now.output(static_cast<int>(o)));
    r_.keep_name(stands, now.output());
  }

  // The member whose origin and name the fused node takes: the last one, but where forward and backward meet, the last
  // of forward.
  Node representative(std::span<const NodeId> nodes) const {
    const auto phase = [&](NodeId m) { return from_.node(m).origin().phase; };
    if (phase(nodes.back()) == Phase::backward)
      for (auto m = nodes.rbegin(); m != nodes.rend(); ++m)
        if (phase(*m) == Phase::forward) return from_.node(*m);
    return from_.node(nodes.back());
  }

  // The values that the group reads of others, each once, by their new handles: the tape's inputs.
  void collect_inputs(NodeId m, std::int32_t g) {
    const Node node = from_.node(m);
    for (int k = 0; k < node.input_count(); ++k) {
      const Value v = node.input(k);
      if (groups_.of(v.node_id()) == g) continue;
      if (copies(v, g)) {
        if (std::find(copies_here_.begin(), copies_here_.end(), v.node_id()) != copies_here_.end()) continue;
        copies_here_.push_back(v.node_id());
        collect_inputs(v.node_id(), g);
        continue;
      }
      const Value now = r_(v);
      const auto known = std::find_if(inputs_.begin(), inputs_.end(), [&](const Value& w) { return w.same(now); });
      if (known == inputs_.end()) inputs_.push_back(now);
    }
  }

  // The tape's number of a value that a member of group `g` reads.
  std::int32_t number(const Value& v, std::int32_t g) const {
    if (groups_.of(v.node_id()) == g || copies(v, g)) {
      for (auto it = numbers_.rbegin(); it != numbers_.rend(); ++it)
        if (it->first.same(v)) return it->second;
      throw InternalError("a fused group reads a value of its own before it is computed");
    }
    const Value now = r_(v);
    const auto place = std::find_if(inputs_.begin(), inputs_.end(), [&](const Value& w) { return w.same(now); });
    return static_cast<std::int32_t>(place - inputs_.begin());
  }

  // A member of group `g`, or, without lists, one that it computes again.
  void add(NodeId m, std::int32_t g, Fused& into, std::vector<Value>* outputs, std::vector<Value>* reduced) {
    const Node node = from_.node(m);
    const Fused& f = *node.op().as<Fused>();
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
      if (outputs == nullptr || !is_read(v)) continue;
      into.tape.outputs.push_back(n);
      outputs->push_back(v);
    }
    for (std::size_t o = 0; o < f.reductions.size(); ++o) {
      into.reductions.push_back({f.reductions[o].op, now[index(f.reductions[o].of)]});
      reduced->push_back(node.output(static_cast<int>(f.tape.outputs.size() + o)));
    }
  }

  const Graph& from_;
  const FuseGroups& groups_;
  Rewriter r_;
  SharedOps shared_;
  std::vector<std::int32_t> begin_;  // of each group's members
  std::vector<NodeId> members_;
  std::vector<bool> done_;
  std::vector<std::uint64_t> read_outside_;  // a bit an output
  std::vector<std::int32_t> reads_;          // of each node, by others
  std::vector<bool> copied_;                 // nodes that other groups compute again
  std::vector<bool> gone_;                   // those that one has computed again
  std::vector<NodeId> copies_here_;          // by the group that is being merged
  std::vector<NodeId> written_;              // of each node, the variable that its result is assigned to, or -1
  enum class State : std::uint8_t { open, pending, placed };
  std::vector<NodeId> old_order_;  // of the members of one group
  std::vector<State> states_;
  std::vector<NodeId> stack_;
  std::vector<Value> inputs_;
  std::vector<std::pair<Value, std::int32_t>> numbers_;  // the tape's, of the members' values by their old handles
};

}  // namespace

std::optional<Rewritten> fuse(const Graph& from) {
  const FuseGroups groups(from);
  std::vector<std::int32_t> sizes(index(groups.count()));
  bool merges = false;
  for (NodeId i = 0; i < from.size(); ++i)
    if (const std::int32_t g = groups.of(i); g >= 0) merges = ++sizes[index(g)] > 1 || merges;
  if (!merges) return std::nullopt;
  return Fuser(from, groups).build();
}

}  // namespace oxbow::internal
