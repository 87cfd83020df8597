#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/cond.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

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

// A graph that takes the captured values, then those of `dy` and of `sums` that are there, and gives all that flows to
// the captured values: what flowed to them before, and what the branch adds. Empty where neither is.
struct BackwardBranch {
  SubgraphBuilder built;
  std::vector<Value> captured, before, total;

  BackwardBranch(const Subgraph& body, Values dy, Types captured_types, Values sums) : built(body.graph()) {
    for (const Type& t : captured_types) captured.push_back(built.input(t));
    std::vector<Value> flows;
    for (const Value& d : dy) flows.push_back(d ? built.input(d.type()) : Value());
    for (const Value& s : sums) before.push_back(s ? built.input(s.type()) : Value());
    total = flow_through(body, built.graph(), captured, flows, before);
  }

  bool flows(std::size_t i) const { return total[i] && !(before[i] && total[i].same(before[i])); }

  // With outputs for these inputs: 0 where nothing flows to one.
  Subgraph with_outputs(const std::vector<bool>& which) {
    for (std::size_t i = 0; i < captured.size(); ++i)
      if (which[i]) built.output(total[i] ? total[i] : zeros(captured[i]));
    return built.build();
  }

  Value zeros(const Value& like) {
    const Value zero = constant(built.graph(), 0, like.dtype());
    return like.rank() == 0 ? zero : broadcast_like(zero, like);
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

Grads Cond::gradient(const Node& n, Values dy, Values sums) const {
  Graph& g = n.graph();
  const std::vector<Value> in = n.inputs();
  const Values before = captured_of(sums);
  const std::vector<Type> types = types_of(captured_of(in));
  BackwardBranch a(then.typed(types), dy, types, before), b(otherwise.typed(types), dy, types, before);
  std::vector<bool> flows;
  for (std::size_t i = 0; i < types.size(); ++i) flows.push_back(a.flows(i) || b.flows(i));
  std::vector<Value> grads(in.size()), if_taken(in.size());
  if (std::none_of(flows.begin(), flows.end(), [](bool f) { return f; })) return grads;
  std::vector<Value> read = in;
  for (const Values& more : {dy, before})
    for (const Value& v : more)
      if (v) read.push_back(v);
  const Scope scope(g, "gradient");
  const Node back = g.append(Cond{a.with_outputs(flows), b.with_outputs(flows)}, read, At::current());
  const Value not_taken = logical_not(in[0]);
  int next = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!flows[i]) continue;
    grads[i + 1] = back.output(next++);
    if (a.flows(i) != b.flows(i)) if_taken[i + 1] = a.flows(i) ? in[0] : not_taken;
  }
  return {grads, if_taken};
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
