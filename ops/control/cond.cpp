#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/cond.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shared/flow.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

Values captured_of(Values in) { return std::span(in.begin() + 1, in.end()); }

bool only_looks(const Node& n) {
  const std::vector<Alias> aliases = n.op().alias(n.input_types());
  return n.input_count() > 0 && !aliases.empty() &&
         std::all_of(aliases.begin(), aliases.end(), [](Alias a) { return bool(a); });
}

// A branch as its nodes: rewritten like a program of its own, each node that computes under the guard.
std::vector<Value> branch(const Subgraph& body, bool when, Values in) {
  Graph& to = in[0].graph();
  const Subgraph typed = body.typed(types_of(captured_of(in)));
  const internal::Rewritten r = internal::rewrite(typed.graph());
  std::vector<Value> inputs, outputs;
  for (const Value& v : typed.inputs()) inputs.push_back(r(v));
  for (const auto& [name, v] : r.graph->outputs()) outputs.push_back(v);
  return write_nodes(*r.graph, inputs, outputs, to, captured_of(in), when ? "then" : "otherwise",
                     [&](Node n, Values read, const Origin& origin) {
                       if (n.op().is<ops::Constant>() || only_looks(n)) return to.append_copy(n, read, origin);
                       std::vector<Value> guarded{in[0]};
                       guarded.insert(guarded.end(), read.begin(), read.end());
                       const OriginGuard guard(to, origin);
                       const Node now = to.append(Guarded{{n.op()}, when}, guarded, origin.at);
                       if (!n.name().empty() && !to.find(origin.scoped(n.name()))) to.name(now.id(), n.name());
                       return now;
                     });
}

// The first of these that is the same value as number i.
int first_same(Values values, int i) {
  int first = 0;
  while (!values[first].same(values[i])) ++first;
  return first;
}

// All that is there of these, one after the other.
std::vector<Value> parts_of(Flows flows) {
  std::vector<Value> values;
  for (const Flow& f : flows)
    for (const Value& v : {f.sum, f.flows})
      if (v) values.push_back(v);
  return values;
}

// A graph that takes the captured values, each once, then those of `dy` and of `sums` that are there, and gives all that
// flows to the captured values: what flowed to them before, and what the branch adds.
struct BackwardBranch {
  SubgraphBuilder built;
  std::vector<Value> captured;
  std::vector<Flow> before, total;

  BackwardBranch(const Subgraph& body, Values outside, Flows dy, Flows sums) : built(body.graph()) {
    for (int i = 0; i < outside.size(); ++i) {
      const int first = first_same(outside, i);
      captured.push_back(first < i ? captured[index(first)] : built.input(outside[i].type()));
    }
    const std::vector<Flow> flows = inputs(dy);
    before = inputs(sums);
    total = flow_through(body, built.graph(), captured, flows, before);
  }

  std::vector<Flow> inputs(Flows given) {
    std::vector<Flow> made;
    for (const Flow& f : given) {
      const Value sum = f ? built.input(f.sum.type()) : Value();
      made.emplace_back(sum, f.flows ? built.input(f.flows.type()) : Value(), f.zero_if_none);
    }
    return made;
  }

  bool adds(std::size_t i) const { return total[i] && !(before[i] && total[i].sum.same(before[i].sum)); }
  bool always(std::size_t i) const { return total[i] && total[i].always(); }
  bool zero_if_none(std::size_t i) const { return !total[i] || total[i].always() || total[i].zero_if_none; }

  void output_sum(std::size_t i) { built.output(total[i] ? total[i].sum : filled(0, captured[i])); }
  void output_flows(std::size_t i) {
    built.output(total[i] && total[i].flows ? total[i].flows : constant(built.graph(), bool(total[i]), boolean));
  }
};

}  // namespace

std::vector<Type> Cond::infer(Types in) const {
  check_predicate(in[0]);
  if (!then || !otherwise) throw OpError("it lacks a branch", "Give both graphs");
  const std::vector<Type> a = then.infer(in.subspan(1)), b = otherwise.infer(in.subspan(1));
  if (a != b)
    throw OpError("one branch gives " + to_string(Types(a)) + ", the other " + to_string(Types(b)),
                  "Return values of the same types from both");
  return a;
}

std::vector<Value> Cond::lower(Values in) const {
  const std::vector<Value> a = branch(then, true, in), b = branch(otherwise, false, in);
  std::vector<Value> merged;
  for (std::size_t k = 0; k < a.size(); ++k) merged.push_back(apply(Merge{}, {in[0], a[k], b[k]}, At::current()));
  return merged;
}

std::vector<Value> Cond::simplify(Values in) const {
  const std::optional<Tensor> known = known_value(in[0]);
  if (!known) return {};
  const bool taken = known->item<bool>();
  return (taken ? then : otherwise).write(in[0].graph(), captured_of(in), taken ? "then" : "otherwise");
}

std::vector<Flow> Cond::flow_back(const Node& n, Flows dy, Flows sums) const {
  const std::vector<Value> in = n.inputs();
  const Flows before = sums.subspan(1);
  const Values captured = captured_of(in);
  const std::vector<Type> types = types_of(captured);
  BackwardBranch a(then.typed(types), captured, dy, before), b(otherwise.typed(types), captured, dy, before);
  std::vector<Flow> found(sums.begin(), sums.end());
  std::vector<Value*> given;  // what the outputs are
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!a.adds(i) && !b.adds(i)) continue;
    Flow& flow = found[i + 1];
    flow.zero_if_none = a.zero_if_none(i) && b.zero_if_none(i);
    a.output_sum(i);
    b.output_sum(i);
    given.push_back(&flow.sum);
    flow.flows = {};
    if (a.always(i) && b.always(i)) continue;
    if (a.always(i) && !b.total[i]) {
      flow.flows = in[0];
    } else if (b.always(i) && !a.total[i]) {
      flow.flows = logical_not(in[0]);
    } else {
      a.output_flows(i);
      b.output_flows(i);
      given.push_back(&flow.flows);
    }
  }
  if (given.empty()) return found;
  std::vector<Value> read{in[0]};
  for (int i = 0; i < captured.size(); ++i)
    if (first_same(captured, i) == i) read.push_back(captured[i]);
  for (const Flows& more : {dy, before})
    for (const Value& v : parts_of(more)) read.push_back(v);
  const Scope scope(n.graph(), "gradient");
  const Node back = n.graph().append(Cond{a.built.build(), b.built.build()}, read, At::current());
  for (std::size_t k = 0; k < given.size(); ++k) *given[k] = back.output(static_cast<int>(k));
  return found;
}

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

std::vector<Value> cond(Value predicate, const std::function<std::vector<Value>()>& then,
                        const std::function<std::vector<Value>()>& otherwise, CondOptions options, At at) {
  if (!predicate) throw Error("cond: the predicate is an empty Value" + at_line(at) + "\n  Build it first");
  Graph& g = predicate.graph();
  const Scope scope(g, control_scope(g, options.name, "cond"));
  std::vector<Value> captured{};
  const auto built = [&](const std::function<std::vector<Value>()>& build) {
    return build_subgraph(
        g, {}, captured, [&](const std::vector<Value>&) { return build(); }, at);
  };
  const Subgraph first = built(then), second = built(otherwise);
  std::vector<Value> in{predicate};
  in.insert(in.end(), captured.begin(), captured.end());
  const Node node = g.append(ops::Cond{with_captured(first, captured), second}, in, at);
  node.output().named("cond");
  std::vector<Value> outputs;
  for (int k = 0; k < node.output_count(); ++k) outputs.push_back(node.output(k));
  return outputs;
}

}  // namespace oxbow
