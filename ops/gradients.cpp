#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/control/stop_gradient.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/flow.h>

#include <algorithm>
#include <array>

namespace oxbow {

using ops::add_flows;
using ops::filled;
using ops::or_zero;

namespace {

[[noreturn]] void refuse(const std::string& problem, Location at, const std::string& remedy) {
  throw Error("gradients: " + problem + (at.known() ? "\n  at " + to_string(at) : "") + "\n  " + remedy);
}

std::string describe(Value v) { return to_string(v.node()) + ", " + to_string(v.type()); }

// One walk from y back to the xs. A value is active when it is an x, or floating point and computed from one by reading
// more than its shape, and not through `stop_gradient`; a node is when one of its outputs may be. Only active values
// collect gradients.
class Reverse {
 public:
  Reverse(Values y, Values x, Location at) : graph_(y[0].graph()), y_(y[0]), last_(y[0].node_id()), at_(at) {
    for (const Value& v : y) last_ = std::max(last_, v.node_id());
    mark(x);
  }

  /// What has flowed to an x before.
  void begin_with(Value x, const Flow& sum) {
    if (x.node_id() <= last_) flows_[slot(x)] = sum;
  }

  void walk(Values y, Flows dy) {
    for (int i = 0; i < y.size(); ++i) collect(y[i], dy[static_cast<std::size_t>(i)]);
    for (NodeId id = last_; id >= lowest_; --id)
      if (active_node(id)) step(graph_.node(id));
  }

  /// All that has flowed to v.
  Flow flow(Value v) const { return v.node_id() <= last_ ? flows_[slot(v)] : Flow(); }

 private:
  void mark(Values x) {
    const NodeId end = last_ + 1;
    lowest_ = end;
    for (const Value& v : x) lowest_ = std::min(lowest_, v.node_id());
    first_.reserve(static_cast<std::size_t>(end - lowest_) + 1);
    std::size_t count = 0;
    for (NodeId id = lowest_; id < end; ++id) {
      first_.push_back(count);
      count += static_cast<std::size_t>(graph_.node(id).output_count());
    }
    first_.push_back(count);
    flows_.resize(count);
    active_.resize(count);
    node_active_.resize(static_cast<std::size_t>(end - lowest_));
    for (const Value& v : x)
      if (v.node_id() < end) active_[slot(v)] = true;
    for (NodeId id = lowest_; id < end; ++id) {
      const Node n = graph_.node(id);
      if (!reads_active(n) || n.op().is<ops::StopGradient>()) continue;
      node_active_[static_cast<std::size_t>(id - lowest_)] = true;
      for (int i = 0; i < n.output_count(); ++i)
        if (is_float(n.output(i).dtype())) active_[slot(n.output(i))] = true;
    }
  }

  bool reads_active(Node n) const {
    for (int i = 0; i < n.input_count(); ++i)
      if (n.op().info().reads(i) && active(n.input(i))) return true;
    return false;
  }

  // Asks a node that some gradient has reached for those of its inputs.
  void step(Node n) {
    if (!reached(n)) return;
    const OriginGuard guard(
        graph_, {.at = n.origin().at, .forward = n.id(), .phase = Phase::backward, .scope = n.origin().scope});
    const NodeId before = graph_.size();
    if (n.op().has_flow_back())
      flow_through(n, before);
    else
      differentiate(n, before);
  }

  // A node that owns graphs goes on from what has flowed to its inputs.
  void flow_through(Node n, NodeId before) {
    std::vector<Flow> dy, sums;
    for (int i = 0; i < n.output_count(); ++i) dy.push_back(flows_[slot(n.output(i))]);
    for (int i = 0; i < n.input_count(); ++i)
      sums.push_back(is_last(n, i) && active(n.input(i)) ? flows_[slot(n.input(i))] : Flow());
    std::vector<Flow> found = n.op().flow_back(n, dy, sums);
    check_count(n, found.size());
    for (int i = 0; i < n.input_count(); ++i) {
      Flow& f = found[static_cast<std::size_t>(i)];
      f.sum = wanted(n, i, f.sum);
    }
    keep(found, before);
    for (int i = 0; i < n.input_count(); ++i)
      if (const Flow& f = found[static_cast<std::size_t>(i)]; f && is_last(n, i)) flows_[slot(n.input(i))] = f;
  }

  void differentiate(Node n, NodeId before) {
    std::vector<Value> dy;
    const Value flows = flows_back(n, dy);
    const Grads grads = n.op().gradient(n, dy);
    if (!grads.refusal().empty()) refuse_missing(n, grads.refusal());
    check_count(n, grads.values().size());
    std::vector<Flow> shares;
    std::vector<bool> is_sum;  // of each input: its share was added in place, to what had flowed there
    for (int i = 0; i < n.input_count(); ++i) {
      const Flow share(wanted(n, i, grads.values()[static_cast<std::size_t>(i)]), flows);
      const Flow sum = share ? added_in_place(n, i, share) : Flow();
      is_sum.push_back(bool(sum));
      shares.push_back(sum ? sum : share);
    }
    keep(shares, before);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const Value x = n.input(static_cast<int>(i));
      if (is_sum[i])
        flows_[slot(x)] = shares[i];
      else
        collect(x, shares[i]);
    }
  }

  // Takes the nodes since `before` back that none of these need: an op gives the gradients of all its inputs.
  void keep(std::vector<Flow>& flows, NodeId before) {
    std::vector<Value> kept;
    for (const Flow& f : flows) kept.push_back(f.sum);
    for (const Flow& f : flows) kept.push_back(f ? f.flows : Value());
    graph_.settle(before, kept);
    for (std::size_t i = 0; i < flows.size(); ++i) flows[i] = {kept[i], kept[flows.size() + i], flows[i].zero_if_none};
  }

  void check_count(Node n, std::size_t gradients) const {
    if (static_cast<int>(gradients) != n.input_count())
      refuse_wrong(
          n, "gives " + std::to_string(gradients) + " gradients for " + std::to_string(n.input_count()) + " inputs");
  }

  // The gradient dx of input i, checked; empty where nobody asked for it.
  Value wanted(Node n, int i, Value dx) const {
    if (!dx || !active(n.input(i))) return {};
    if (dx.type() != n.input_type(i))
      refuse_wrong(n, "is " + to_string(dx.type()) + " for input " + std::to_string(i) + ", which is " +
                          to_string(n.input_type(i)));
    return dx;
  }

  bool reached(Node n) const {
    for (int i = 0; i < n.output_count(); ++i)
      if (flows_[slot(n.output(i))]) return true;
    return false;
  }

  // Writes the gradients of a node's outputs; gives whether any flows, empty where one always does. Of several outputs
  // none may be anything where it does not flow, but another does.
  Value flows_back(Node n, std::vector<Value>& dy) const {
    Value flows;
    bool always = false;
    for (int i = 0; i < n.output_count(); ++i) {
      const Flow& flow = flows_[slot(n.output(i))];
      dy.push_back(n.output_count() == 1 ? flow.sum : flow ? or_zero(flow) : Value());
      if (!flow) continue;
      always = always || flow.always();
      if (!always) flows = flows ? logical_or(flows, flow.flows) : flow.flows;
    }
    return always ? Value() : flows;
  }

  // Whether no later input of the node is the same value.
  static bool is_last(Node n, int i) {
    for (int j = i + 1; j < n.input_count(); ++j)
      if (n.input(j) && n.input(j).same(n.input(i))) return false;
    return true;
  }

  // What has flowed to input i, and dx, where dx can be added to that without being made: a part of a large value adds
  // to the part. Empty where it cannot, and for an input that the node has twice.
  Flow added_in_place(Node n, int i, const Flow& dx) const {
    const Flow& before = flows_[slot(n.input(i))];
    if (!before) return {};
    for (int j = 0; j < n.input_count(); ++j)
      if (j != i && n.input(j).same(n.input(i))) return {};
    const Value more = dx.sum.node().op().add_to(dx.sum.node().inputs(), or_zero(before), dx.flows);
    if (!more || before.always() || dx.always()) return more;
    return {more, logical_or(before.flows, dx.flows), true};
  }

  void collect(Value v, const Flow& dv) {
    if (active(v) && dv) flows_[slot(v)] = add_flows(flows_[slot(v)], dv);
  }

  [[noreturn]] void refuse_missing(Node n, const std::string& reason) const {
    throw Error("gradients: " + std::string(n.op().name()) + " has no gradient: " + reason + "\n  node " +
                to_string(n) + where(n) +
                "\n  Differentiate with respect to values after it, or wrap what it reads in stop_gradient");
  }
  [[noreturn]] void refuse_wrong(Node n, const std::string& problem) const {
    throw Error("gradients: the gradient of " + std::string(n.op().name()) + " " + problem + "\n  node " +
                to_string(n) + where(n) + "\n  Correct the op's gradient function: one Value an input, of its type");
  }
  std::string where(Node n) const {
    const Location& built = n.origin().at;
    return (built.known() ? "\n  at " + to_string(built) : "") +
           (at_.known() ? "\n  while differentiating " + to_string(y_.node()) + " at " + to_string(at_) : "");
  }

  std::size_t slot(Value v) const {
    return first_[static_cast<std::size_t>(v.node_id() - lowest_)] + static_cast<std::size_t>(v.output());
  }
  bool active(Value v) const { return v && v.node_id() >= lowest_ && active_[slot(v)]; }
  bool active_node(NodeId id) const { return node_active_[static_cast<std::size_t>(id - lowest_)]; }

  Graph& graph_;
  const Value y_;  // for messages
  NodeId last_;    // nodes after it lead to no y
  const Location at_;
  NodeId lowest_ = 0;               // nodes before it read no x
  std::vector<std::size_t> first_;  // of each node from the lowest on, where its outputs are in the next two
  std::vector<Flow> flows_;
  std::vector<bool> active_;
  std::vector<bool> node_active_;
};

void check(Value y, Values x, Location at) {
  if (!y) refuse("y is an empty Value", at, "Build what is to be differentiated first");
  if (!is_float(y.dtype()))
    refuse("y is not floating point (" + describe(y) + ")", at, "Differentiate a value before it was rounded or cast");
  for (int i = 0; i < x.size(); ++i) {
    const std::string which = "x[" + std::to_string(i) + "]";
    if (!x[i]) refuse(which + " is an empty Value", at, "Give values that y is computed from");
    if (&x[i].graph() != &y.graph())
      refuse(which + " (" + describe(x[i]) + ") belongs to another graph than y", at,
             "Differentiate with respect to values of y's graph");
    if (!is_float(x[i].dtype()))
      refuse(which + " (" + describe(x[i]) + ") is not floating point", at,
             "Only floating-point values have derivatives; leave it out");
  }
}

}  // namespace

std::vector<Flow> flow_back(Values y, Flows dy, Values x, Flows sums) {
  Reverse reverse(y, x, {});
  for (int i = 0; i < x.size(); ++i) reverse.begin_with(x[i], sums[static_cast<std::size_t>(i)]);
  reverse.walk(y, dy);
  std::vector<Flow> found;
  for (int i = 0; i < x.size(); ++i) {
    const Flow flow = reverse.flow(x[i]);
    found.push_back(flow ? flow : sums[static_cast<std::size_t>(i)]);
  }
  return found;
}

std::vector<Value> gradients(Value y, Value dy, Values x, At at) {
  check(y, x, at);
  if (!dy || &dy.graph() != &y.graph() || dy.type() != y.type())
    refuse("the seed dy is " + (dy ? describe(dy) : std::string("an empty Value")) + ", but y is " + describe(y), at,
           "Give a dy of y's type, from y's graph");
  Reverse reverse({y}, x, at);
  reverse.walk({y}, std::array{Flow(dy)});
  std::vector<Value> found;
  found.reserve(static_cast<std::size_t>(x.size()));
  const OriginGuard guard(y.graph(), {.at = {}, .phase = Phase::backward, .scope = y.graph().origin().scope});
  for (const Value& v : x) {
    const Flow dx = reverse.flow(v);
    found.push_back(dx ? or_zero(dx) : filled(0, v, at));
  }
  return found;
}

std::vector<Value> gradients(Value y, Values x, At at) {
  check(y, x, at);
  if (y.type().count() != 1)
    refuse("y has " + std::to_string(y.type().count()) + " elements (" + describe(y) + "), not one", at,
           "Reduce it first (mean or sum), or give the gradient with respect to y: gradients(y, dy, {x...})");
  const OriginGuard guard(
      y.graph(), {.at = {}, .forward = y.node_id(), .phase = Phase::backward, .scope = y.node().origin().scope});
  return gradients(y, filled(1, y, at), x, at);
}

}  // namespace oxbow
