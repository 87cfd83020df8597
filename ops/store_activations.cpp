#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/shared/stored_activations.h>
#include <oxbow/ops/store_activations.h>

#include <algorithm>

namespace oxbow {
using namespace internal;

namespace {

// Elementwise ops from what is stored to what backward makes again of it, at most: a convolution's result is
// normalised, has a shortcut added, and goes through relu.
constexpr int most_steps = 6;
constexpr std::int64_t smallest_share = 64;  // of the largest value that waits: less is not worth a cast

[[noreturn]] void refuse(const std::string& problem, At at, const std::string& remedy) {
  throw Error("store_activations: " + problem + at_line(at) + "\n  " + remedy);
}

void check(Values fetches, DType dtype, At at) {
  if (fetches.empty()) refuse("nothing is fetched", at, "Name what a step computes: its loss and its updates");
  for (const Value& v : fetches)
    if (!v || &v.graph() != &fetches[0].graph())
      refuse(v ? "the fetches are of two graphs" : "a fetched Value is empty", at, "Give values of one graph");
  if (!is_float(dtype) || !is_narrow(dtype))
    refuse("activations cannot be stored as " + std::string(name(dtype)), at, "Take bf16 or f16");
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// The copy, node by node.
class Storing {
 public:
  Storing(const Graph& from, Values fetches, DType dtype)
      : from_(from), dtype_(dtype), live_(ancestors(from, fetches)), r_(from) {
    for (NodeId i = 0; i < from.size(); ++i) slots_.push_back(described(from.node(i)));
    for (NodeId i = 0; i < from.size(); ++i)
      for (int k = 0; live_[index(i)] && k < from.node(i).input_count(); ++k)
        if (const Value v = from.node(i).input(k); v && from.node(i).op().info().reads(k)) slot(v).is_read = true;
    for (NodeId i = 0; i < from.size(); ++i)
      each_waiting(from.node(i), [&](Value v) {
        slot(v).waits = true;
        largest_ = std::max(largest_, v.type().count());
      });
    for (NodeId i = 0; i < from.size(); ++i) choose(from.node(i));
  }

  Rewritten build() {
    for (NodeId i = 0; i < from_.size(); ++i) copy(from_.node(i));
    return r_.finish();
  }

 private:
  struct Slot {                 // of a value
    bool exact = false;         // keeps its dtype
    bool of_variables = false;  // depends on nothing else
    bool is_read = false;       // by any node that is wanted
    bool waits = false;         // backward reads it
    bool wanted = false;        // is to be stored
    int steps = 0;              // by which backward makes it again of what is stored; 0: it cannot
    Value rounded = {};         // in the new graph: what all read instead of it
    Value stored = {};          // and as it waits for backward
    Value again = {};           // and as backward reads it
  };
  Slot& slot(Value v) { return slots_[index(v.node_id())][index(v.output())]; }
  const Slot& slot(Value v) const { return slots_[index(v.node_id())][index(v.output())]; }

  // What inputs say about a node's outputs.
  std::vector<Slot> described(const Node& n) const {
    const Op& op = n.op();
    const auto* variable = op.as<ops::Variable>();
    // What is drawn from the state of random numbers is data, other data in each step.
    bool of_variables =
        variable ? variable->init.kind != Init::Kind::seed : op.is<ops::Constant>() || n.input_count() > 0;
    bool of_exact = n.input_count() > 0 && op.has_tile();
    for (int k = 0; k < n.input_count(); ++k)
      if (const Value v = n.input(k)) {
        of_variables = of_variables && slot(v).of_variables;
        of_exact = of_exact && slot(v).exact;
      }
    std::vector<Slot> all(index(n.output_count()));
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {.exact = of_variables || of_exact || op.info().exact.contains(static_cast<int>(i)),
                .of_variables = of_variables};
    return all;
  }

  // What is stored, and what is not because a few steps make it again. Inputs come before what is made of them.
  void choose(const Node& n) {
    if (is_backward(n)) return;
    int steps = n.op().has_tile() || (n.output_count() == 1 && shown(n.output()) >= 0) ? 1 : 0;
    for (int k = 0; k < n.input_count() && steps > 0; ++k)
      if (const Value v = n.input(k); v && n.op().info().reads(k)) {
        const Slot& s = slot(v);
        const bool there = s.wanted || s.exact || v.node().input_count() == 0 || is_small(v);
        steps = !there && s.steps == 0 ? 0 : std::max(steps, there ? 1 : s.steps + 1);
      }
    if (steps > most_steps) steps = 0;
    for (Slot& s : slots_[index(n.id())]) s.steps = steps;
    for (int i = 0; i < n.output_count(); ++i)
      if (Slot& s = slot(n.output(i)); s.waits) s.wanted = !is_small(n.output(i)) && steps == 0;
  }

  bool is_small(Value v) const { return v.type().count() * smallest_share < largest_; }

  // Calls f with each value of forward that waits for this node of backward.
  template <class F>
  void each_waiting(const Node& n, const F& f) const {
    if (!is_backward(n) || !live_[index(n.id())]) return;
    for (int k = 0; k < n.input_count(); ++k)
      if (const Value v = n.input(k); v && n.op().info().reads(k) && may_be_stored(whole(v))) f(whole(v));
  }

  static bool is_backward(const Node& n) { return n.origin().phase == Phase::backward; }

  bool may_be_stored(Value v) const {
    const Node n = v.node();
    return n.origin().phase == Phase::forward && n.input_count() > 0 && n.op().subgraphs().empty() && !slot(v).exact &&
           is_float(v.dtype()) && size_of(v.dtype()) > size_of(dtype_);
  }

  // The number of the input whose bytes v shows, or -1.
  static int shown(Value v) {
    const std::vector<Alias> alias = v.node().op().alias(v.node().input_types());
    return index(v.output()) < alias.size() ? alias[index(v.output())].input : -1;
  }

  // The value that has the bytes which v shows all or some of.
  static Value whole(Value v) {
    for (int k = shown(v); k >= 0; k = shown(v)) v = v.node().input(k);
    return v;
  }

  void copy(const Node& n) {
    std::vector<Value> inputs;
    for (int k = 0; k < n.input_count(); ++k)
      if (const Value v = n.input(k); v && n.op().info().reads(k)) {
        const Value now = is_backward(n) ? again(v, n) : slot(v).rounded;
        if (!now) continue;
        if (inputs.empty()) inputs = r_.inputs(n);
        inputs[index(k)] = now;
      }
    const Node now = inputs.empty() ? r_.copy(n) : r_.replace(n, n.op(), inputs);
    for (int i = 0; i < n.output_count(); ++i)
      if (Slot& s = slot(n.output(i)); s.wanted) {
        const OriginGuard guard = r_.as(n);
        s.stored = cast(now.output(i), dtype_);
        s.rounded = cast(s.stored, n.output(i).dtype());
      }
  }

  // v as nodes of backward read it, of which `reader` is the first; empty where they read it as it is.
  Value again(Value v, const Node& reader) {
    Slot& s = slot(v);
    if (s.again || is_backward(v.node())) return s.again;
    if (slot(whole(v)).wanted) {
      const Value waits = stored(v), after = latest(reader);
      const OriginGuard guard = r_.as(reader);
      return s.again = after ? apply(ops::Restore{v.dtype()}, {waits, after}, At::current()) : cast(waits, v.dtype());
    }
    if (s.steps == 0 || s.exact || is_small(v)) return {};
    const Node n = v.node();
    std::vector<Value> inputs = r_.inputs(n);
    for (int k = 0; k < n.input_count(); ++k)
      if (n.input(k) && n.op().info().reads(k))
        if (const Value made = again(n.input(k), reader)) inputs[index(k)] = made;
    const OriginGuard guard = r_.as(reader);
    return s.again = r_.to().append(n.op(), inputs, n.origin().at).output(v.output());
  }

  // What flows back to a node: the last of it that is there. To one that only cuts or turns a value of forward nothing
  // does; before it, there was what flows back to others.
  Value latest(const Node& reader) const {
    Value last;
    for (int k = 0; k < reader.input_count(); ++k)
      if (const Value w = reader.input(k); w && flows_back(w) && reader.op().info().reads(k))
        if (!last || w.node_id() > last.node_id()) last = w;
    for (NodeId i = reader.id(); i-- > 0 && !last;)
      if (const Node n = from_.node(i); n.output_count() > 0 && flows_back(n.output(0)) && slot(n.output(0)).is_read)
        last = n.output(0);
    return last ? r_(last) : last;
  }
  bool flows_back(Value v) const { return is_backward(v.node()) && !slot(v).of_variables; }

  // v as it waits: a view shows what is stored.
  Value stored(Value v) {
    if (slot(v).stored) return slot(v).stored;
    const Node n = v.node();
    const OriginGuard guard = r_.as(n);
    std::vector<Value> inputs = r_.inputs(n);
    inputs[index(shown(v))] = stored(n.input(shown(v)));
    return slot(v).stored = r_.to().append(n.op(), inputs, n.origin().at).output(v.output());
  }

  const Graph& from_;
  DType dtype_;
  std::vector<bool> live_;
  std::vector<std::vector<Slot>> slots_;  // by node and output
  std::int64_t largest_ = 0;              // elements of what waits
  Rewriter r_;
};

}  // namespace

Rewritten ops::stored_activations(const Graph& from, Values fetches, DType dtype) {
  return Storing(from, fetches, dtype).build();
}

StoredActivations store_activations(Values fetches, DType dtype, At at) {
  check(fetches, dtype, at);
  const Rewritten made = ops::stored_activations(fetches[0].graph(), fetches, dtype);
  std::vector<Value> now;
  for (const Value& v : fetches) now.push_back(made(v));
  return {made.graph, std::move(now)};
}

}  // namespace oxbow
