#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>

namespace oxbow {
namespace {

[[noreturn]] void refuse(const std::string& problem, Location at, const std::string& remedy) {
  throw Error("gradients: " + problem + (at.known() ? "\n  at " + to_string(at) : "") + "\n  " + remedy);
}

std::string describe(Value v) { return to_string(v.node()) + ", " + to_string(v.type()); }

// A scalar's value in every element of a value like `like`.
Value filled(double scalar, Value like, At at) {
  const Value c = constant(like.graph(), scalar, like.dtype(), at);
  return like.rank() == 0 ? c : broadcast_like(c, like, {}, at);
}

// What has flowed to a value. Where branches are, only a run decides whether anything does.
struct Flow {
  Value sum;
  Value flows;                // whether anything has, a bool[]; empty where it always has
  bool zero_if_none = false;  // what the sum is where nothing has flowed: otherwise anything

  explicit operator bool() const { return bool(sum); }
  bool always() const { return !flows; }
  // The sum, and 0 where nothing has flowed.
  Value or_zero() const { return always() || zero_if_none ? sum : where(flows, sum, 0.0); }
  // The sum, and where nothing has flowed what adds nothing to anything.
  Value or_nothing() const { return always() ? sum : where(flows, sum, -0.0); }

  // One after the other; what has not flowed is not added, as it has no place in the graph without the branch: a zero
  // would change the sign of another, and what follows from it may be no number.
  void add(const Flow& more) {
    if (!sum) {
      *this = more;
      return;
    }
    Value total = oxbow::add(sum, more.sum);
    if (!more.always()) total = where(more.flows, total, sum);
    if (!always()) total = where(flows, total, more.sum);
    zero_if_none = more.zero_if_none;
    flows = always() || more.always() ? Value() : logical_or(flows, more.flows);
    sum = total;
  }
};

// One walk from y back to the xs. A value is active when it is an x, or floating point and computed from one by reading
// more than its shape; a node is when one of its outputs may be. Only active values collect gradients.
class Reverse {
 public:
  Reverse(Values y, Values x, Location at) : graph_(y[0].graph()), y_(y[0]), last_(y[0].node_id()), at_(at) {
    for (const Value& v : y) last_ = std::max(last_, v.node_id());
    mark(x);
  }

  /// What has flowed to an x before.
  void begin_with(Value x, Value sum) {
    if (x.node_id() <= last_) flows_[slot(x)] = {sum};
  }

  void walk(Values y, Values dy) {
    for (int i = 0; i < y.size(); ++i)
      if (dy[i]) collect(y[i], {dy[i]});
    for (NodeId id = last_; id >= lowest_; --id)
      if (active_node(id)) step(graph_.node(id));
  }

  /// Empty when nothing flowed to v.
  Value gradient(Value v) const { return v.node_id() <= last_ ? flows_[slot(v)].or_zero() : Value(); }

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
      if (!reads_active(n)) continue;
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
    std::vector<Value> dy;
    const Value flows = flows_back(n, dy);
    const bool adds_up = n.op().adds_up() && !flows;
    std::vector<Value> sums;
    if (n.op().adds_up())
      for (int i = 0; i < n.input_count(); ++i)
        sums.push_back(adds_up && is_last(n, i) && active(n.input(i)) ? flows_[slot(n.input(i))].or_nothing()
                                                                      : Value());
    const Grads grads = n.op().gradient(n, dy, sums);
    if (!grads.refusal().empty()) refuse_missing(n, grads.refusal());
    if (static_cast<int>(grads.values().size()) != n.input_count())
      refuse_wrong(n, "gives " + std::to_string(grads.values().size()) + " gradients for " +
                          std::to_string(n.input_count()) + " inputs");
    const std::size_t count = grads.values().size();
    std::vector<Value> wanted = grads.values();
    for (int i = 0; i < n.input_count(); ++i) {
      Value& dx = wanted[static_cast<std::size_t>(i)];
      if (!dx || !active(n.input(i)))
        dx = {};
      else if (dx.type() != n.input_type(i))
        refuse_wrong(n, "is " + to_string(dx.type()) + " for input " + std::to_string(i) + ", which is " +
                            to_string(n.input_type(i)));
    }
    std::vector<bool> is_sum(count), zero_if_none(count);
    for (std::size_t i = 0; i < count; ++i) {
      const int input = static_cast<int>(i);
      if (adds_up)
        is_sum[i] = wanted[i] && sums[i];
      else if (const Value sum = wanted[i] && !flows ? added_in_place(n, input, wanted[i]) : Value()) {
        wanted[i] = sum;
        is_sum[i] = true;
      }
      const Value own = wanted[i] ? grads.flows(input) : Value();
      zero_if_none[i] = own && !flows;
      if (adds_up && is_sum[i])  // of what has flowed, and what the op adds
        wanted.push_back(sum_flows(n.input(input), own));
      else
        wanted.push_back(own && flows ? logical_and(own, flows) : own || !wanted[i] ? own : flows);
    }
    graph_.settle(before, wanted);        // an op gives the gradients of all its inputs
    for (const bool sum : {true, false})  // what adds to a sum comes after it
      for (std::size_t i = 0; i < count; ++i) {
        const Value dx = wanted[i];
        if (!dx || is_sum[i] != sum) continue;
        const Value x = n.input(static_cast<int>(i));
        if (sum)
          flows_[slot(x)] = {dx, wanted[count + i]};
        else
          collect(x, {dx, wanted[count + i], zero_if_none[i]});
      }
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
      dy.push_back(n.output_count() == 1 ? flow.sum : flow ? flow.or_zero() : Value());
      if (!flow) continue;
      always = always || flow.always();
      if (!always) flows = flows ? logical_or(flows, flow.flows) : flow.flows;
    }
    return always ? Value() : flows;
  }

  // Whether anything flows to v when `more` says that more does; both may be empty for always.
  Value sum_flows(Value v, Value more) const {
    const Value& flows = flows_[slot(v)].flows;
    return flows && more ? logical_or(flows, more) : Value();
  }

  // What has always flowed to v so far.
  Value sum_of(Value v) const { return active(v) && flows_[slot(v)].always() ? flows_[slot(v)].sum : Value(); }

  // Whether no later input of the node is the same value.
  static bool is_last(Node n, int i) {
    for (int j = i + 1; j < n.input_count(); ++j)
      if (n.input(j) && n.input(j).same(n.input(i))) return false;
    return true;
  }

  // What has flowed to input i, and dx, where dx can be added to that without being made: a part of a large value adds
  // to the part. Empty where it cannot, and for an input that the node has twice.
  Value added_in_place(Node n, int i, Value dx) const {
    const Value sum = sum_of(n.input(i));
    const Value more = sum ? dx.node().op().add_to(dx.node().inputs(), sum) : Value();
    for (int j = 0; more && j < n.input_count(); ++j)
      if (j != i && n.input(j).same(n.input(i))) return {};
    return more;
  }

  void collect(Value v, const Flow& dv) {
    if (active(v)) flows_[slot(v)].add(dv);
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

std::vector<Value> flow_back(Values y, Values dy, Values x, Values sums) {
  Reverse reverse(y, x, {});
  for (int i = 0; i < x.size(); ++i)
    if (sums[i]) reverse.begin_with(x[i], sums[i]);
  reverse.walk(y, dy);
  std::vector<Value> found;
  for (int i = 0; i < x.size(); ++i) {
    const Value dx = reverse.gradient(x[i]);
    found.push_back(dx ? dx : sums[i]);
  }
  return found;
}

std::vector<Value> gradients(Value y, Value dy, Values x, At at) {
  check(y, x, at);
  if (!dy || &dy.graph() != &y.graph() || dy.type() != y.type())
    refuse("the seed dy is " + (dy ? describe(dy) : std::string("an empty Value")) + ", but y is " + describe(y), at,
           "Give a dy of y's type, from y's graph");
  Reverse reverse({y}, x, at);
  reverse.walk({y}, {dy});
  std::vector<Value> found;
  found.reserve(static_cast<std::size_t>(x.size()));
  const OriginGuard guard(y.graph(), {.at = {}, .phase = Phase::backward, .scope = y.graph().origin().scope});
  for (const Value& v : x) {
    const Value dx = reverse.gradient(v);
    found.push_back(dx ? dx : filled(0, v, at));
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
