#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/sums.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/reshape.h>

#include <algorithm>
#include <unordered_map>

namespace oxbow::ops {
namespace {

Type stacked_type(const Type& t, std::int64_t steps) { return {t.dtype, t.shape.inserted(0, steps)}; }

// Slice i of [steps, ...].
Value slice_of(Value stacked, std::int64_t i) {
  return apply(Reshape{.shape = stacked.shape().without(0).vector()}, {slice(stacked, 0, i, i + 1)}, At::current());
}

// Values, one a step, as [steps, ...].
Value stack(Graph& g, Values values, const Type& each) {
  if (values.empty()) return constant(g, Tensor(stacked_type(each, 0)), At::current());
  std::vector<Value> rows;
  for (const Value& v : values)
    rows.push_back(apply(Reshape{.shape = v.shape().inserted(0, 1).vector()}, {v}, At::current()));
  return rows.size() == 1 ? rows[0] : concat(rows, 0, At::current());
}

// What is done before the body is written: rewritten as a graph of its own, so that what is done for each step after
// that is done once.
struct Written {
  internal::Rewritten done;
  std::vector<Value> inputs, outputs;

  explicit Written(const Subgraph& body) : done(internal::rewrite_unfused(body.graph())) {
    for (const Value& v : body.inputs()) inputs.push_back(done(v));
    for (const auto& [name, v] : done.graph->outputs()) outputs.push_back(v);
  }
  std::vector<Value> write(Graph& to, Values in, const std::string& scope) const {
    return write_nodes(*done.graph, inputs, outputs, to, in, scope,
                       [&](Node n, Values read, const Origin& origin) { return to.append_copy(n, read, origin); });
  }
};

// About how many nodes a graph has once the loops in it are written out. `known`: of the graphs that were looked at, as
// one may stand in several places.
using Counts = std::unordered_map<const Graph*, std::int64_t>;
std::int64_t nodes_of(const Graph& g, Counts& known) {
  if (const auto found = known.find(&g); found != known.end()) return found->second;
  std::int64_t sum = 0;
  for (NodeId i = 0; i < g.size(); ++i) {
    const Op& op = g.node(i).op();
    std::int64_t inner = 1;
    for (const auto& [name, body] : op.subgraphs()) inner = internal::saturating_sum(inner, nodes_of(*body, known));
    const auto* loop = op.as<Repeat>();
    sum = internal::saturating_sum(sum, loop ? internal::saturating_product(loop->steps, inner) : inner);
  }
  known.emplace(&g, sum);
  return sum;
}

// With the nodes that cut its slices, and those that stack what it gives.
std::int64_t nodes_of_step(const Repeat& r) {
  Counts known;
  return internal::saturating_sum(nodes_of(r.body.graph(), known),
                                  2 * r.sliced + r.carried + std::ssize(r.body.outputs()));
}

// Refuses a loop that makes too large a graph, before memory is asked for it. `nodes`: of a step.
void check_size(const Graph& g, std::int64_t steps, std::int64_t nodes) {
  const std::int64_t all = internal::saturating_product(steps, nodes);
  if (internal::saturating_sum(all, g.size()) > internal::limits::nodes)
    throw OpError("its " + std::to_string(steps) + " steps of some " + std::to_string(nodes) +
                      " nodes make a graph of more than " + std::to_string(internal::limits::nodes) + " nodes",
                  "Take fewer steps and run the program several times, or compute more in each");
}

}  // namespace

std::vector<Type> Repeat::infer(Types in) const {
  const auto all = static_cast<std::int64_t>(in.size());
  if (in.empty()) throw OpError("it carries nothing and reads no slices", "Give the first value of what it carries");
  if (!body || steps < 0 || carried < 0 || sliced < 0 || carried > all || sliced > all - carried ||
      carried > static_cast<std::int64_t>(body.outputs().size()))
    throw OpError("it has " + std::to_string(steps) + " steps, " + std::to_string(carried) + " carried and " +
                      std::to_string(sliced) + " stacked values of " + std::to_string(all),
                  "Give at least 0 steps, and a body that takes and gives these values");
  std::vector<Type> step(in.begin(), in.end());
  for (std::int64_t i = carried; i < carried + sliced; ++i) {
    Type& t = step[index(i)];
    if (t.shape.rank() == 0 || t.shape[0] != steps)
      throw OpError("stacked value " + std::to_string(i - carried) + " is " + to_string(t) + ", not " +
                        std::to_string(steps) + " slices",
                    "Give a value [steps, ...]");
    t.shape = t.shape.without(0);
  }
  const std::vector<Type> next = body.infer(step);
  std::vector<Type> out(next.begin(), next.begin() + carried);
  for (std::int64_t i = 0; i < carried; ++i)
    if (next[index(i)] != step[index(i)])
      throw OpError("carried value " + std::to_string(i) + " is " + to_string(step[index(i)]) +
                        ", but the body gives " + to_string(next[index(i)]) + " for the next step",
                    "Cast or reshape it to what was carried");
  for (std::size_t j = index(carried); j < next.size(); ++j) out.push_back(stacked_type(next[j], steps));
  for (std::int64_t i = 0; i < carried; ++i) out.push_back(stacked_type(step[index(i)], steps));
  return out;
}

std::vector<Value> Repeat::lower(Values in) const {
  Graph& g = in[0].graph();
  const std::vector<Type> types = step_types(in, carried, sliced);
  const Subgraph typed = body.typed(types);
  check_size(g, steps, nodes_of_step(*this));
  const Written written(typed);
  std::vector<Value> step(in.begin(), in.end());
  std::vector<std::vector<Value>> stacks(typed.outputs().size());  // what is stacked, then what is carried in
  const std::size_t stacked = typed.outputs().size() - index(carried);
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t at = reverse ? steps - 1 - s : s;
    for (std::int64_t i = carried; i < carried + sliced; ++i) step[index(i)] = slice_of(in[static_cast<int>(i)], at);
    for (std::int64_t i = 0; i < carried; ++i) stacks[stacked + index(i)].push_back(step[index(i)]);
    const std::vector<Value> next = written.write(g, step, std::to_string(at));
    std::copy_n(next.begin(), carried, step.begin());
    for (std::size_t j = 0; j < stacked; ++j) stacks[j].push_back(next[index(carried) + j]);
  }
  std::vector<Value> out(step.begin(), step.begin() + carried);
  for (std::size_t j = 0; j < stacks.size(); ++j) {
    if (reverse) std::reverse(stacks[j].begin(), stacks[j].end());
    const Type each = j < stacked ? typed.outputs()[index(carried) + j].type() : types[j - stacked];
    out.push_back(stack(g, stacks[j], each));
  }
  return out;
}

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

RepeatResult repeat(std::int64_t steps, std::vector<Value> carried,
                    const std::function<RepeatNext(const RepeatStep&)>& body, RepeatOptions options, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error("repeat: " + problem + at_line(at) + "\n  " + remedy);
  };
  if (steps < 0) refuse("it cannot have " + std::to_string(steps) + " steps", "Give at least 0");
  std::vector<Value> in = carried;
  in.insert(in.end(), options.slices.begin(), options.slices.end());
  if (in.empty()) refuse("it carries nothing and reads no slices", "Give the first value of what it carries");
  for (const Value& v : in)
    if (!v) refuse("a carried or stacked value is empty", "Build it first");
  Graph& g = in[0].graph();
  std::vector<Type> types = types_of(in);
  for (std::size_t i = carried.size(); i < in.size(); ++i) {
    if (types[i].shape.rank() == 0) refuse("a stacked value is a scalar", "Give a value [steps, ...]");
    types[i].shape = types[i].shape.without(0);
  }
  const Scope scope(g, control_scope(g, options.name, "repeat"));
  std::vector<Value> captured;
  const auto count = static_cast<std::ptrdiff_t>(carried.size());
  const Subgraph built = build_subgraph(
      g, types, captured,
      [&](const std::vector<Value>& given) {
        RepeatNext next = body({{given.begin(), given.begin() + count}, {given.begin() + count, given.end()}});
        if (next.carried.size() != carried.size())
          refuse("the body gives " + std::to_string(next.carried.size()) + " carried values, but takes " +
                     std::to_string(carried.size()),
                 "Return the next value of each");
        std::vector<Value> all = std::move(next.carried);
        all.insert(all.end(), next.stacked.begin(), next.stacked.end());
        return all;
      },
      at);
  in.insert(in.end(), captured.begin(), captured.end());
  const Node node = g.append(ops::Repeat{.steps = steps,
                                         .carried = count,
                                         .sliced = static_cast<std::int64_t>(options.slices.size()),
                                         .reverse = options.reverse,
                                         .body = built},
                             in, at);
  node.output().named("repeat");
  RepeatResult result;
  const auto stacked = static_cast<int>(built.outputs().size());
  for (int k = 0; k < stacked; ++k) (k < count ? result.carried : result.stacked).push_back(node.output(k));
  return result;
}

}  // namespace oxbow
