#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/shape/reshape.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

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
  Rewritten done;
  std::vector<Value> inputs, outputs;

  explicit Written(const Subgraph& body) : done(rewrite_unfused(body.graph())) {
    for (const Value& v : body.inputs()) inputs.push_back(done(v));
    for (const auto& [name, v] : done.graph->outputs()) outputs.push_back(v);
  }
  std::vector<Value> write(Graph& to, Values in, const std::string& scope) const {
    return write_nodes(*done.graph, inputs, outputs, to, in, scope,
                       [&](Node n, Values read, const Origin& origin) { return to.append_copy(n, read, origin); });
  }
};

// One step backward, written into `g`: of a body's inputs, its outputs' gradients and what has flowed to its inputs
// before (empty where nothing has), all that flows to its inputs.
std::vector<Value> step_back(const Subgraph& body, Graph& g, Values in, Values dy, Values before) {
  const std::vector<Value> y = body.write(g, in, "");
  std::vector<Value> x, sums, total(index(in.size()));
  for (int i = 0; i < in.size(); ++i)
    if (is_float(in[i].dtype())) {
      x.push_back(in[i]);
      sums.push_back(before[i]);
    }
  if (x.empty()) return total;
  const std::vector<Value> found = flow_back(y, dy, x, sums);
  std::size_t next = 0;
  for (int i = 0; i < in.size(); ++i)
    if (is_float(in[i].dtype())) total[index(i)] = found[next++];
  return total;
}

// The gradient of a repeat: repeats of its steps in reverse. While it changes from step to step to which of the carried
// values something flows, each is of a single step: what nothing flows to is not the same as zero. All others are one.
// What the captured values get begins at -0.0, which adds nothing, not even a sign.
class BackwardSteps {
 public:
  BackwardSteps(const Repeat& op, const Node& n, Values dy)
      : op_(op),
        n_(n),
        g_(n.graph()),
        c_(op.carried),
        s_(op.sliced),
        k_(static_cast<std::int64_t>(op.body.outputs().size()) - op.carried),
        in_(n.inputs()),
        dy_(dy.begin(), dy.end()),
        captured_(in_.begin() + c_ + s_, in_.end()),
        carried_(dy_.begin(), dy_.begin() + c_),
        sums_(captured_.size()) {
    std::vector<Type> types = types_of(in_);
    for (std::int64_t i = c_; i < c_ + s_; ++i) types[index(i)].shape = types[index(i)].shape.without(0);
    body_ = op.body.typed(types);
  }

  std::vector<Value> grads() {
    for (std::int64_t left = op_.steps; left > 0;) left -= take_back(left);
    std::vector<Value> all = carried_;
    for (std::int64_t i = 0; i < s_; ++i) all.push_back(put_together(i));
    all.insert(all.end(), sums_.begin(), sums_.end());
    return all;
  }

 private:
  Value entry(std::int64_t i) const { return n_.output(static_cast<int>(c_ + k_ + i)); }
  const Value& d_stacked(std::int64_t j) const { return dy_[index(c_ + j)]; }
  const Value& d_entry(std::int64_t i) const { return dy_[index(c_ + k_ + i)]; }

  // The body that goes a step back, as it is built: its graph, and the values that its inputs get.
  struct Body {
    std::shared_ptr<Graph> graph = std::make_shared<Graph>();
    std::vector<Value> carried, stacked, captured;  // of the graph around it
    std::size_t inputs = 0;

    Value input(const Type& type) {
      const std::string name = "x" + std::to_string(inputs++);
      return graph->append(ops::Input{.name = name, .type = type, .free_axes = {}}, {}, {}).output().named(name);
    }
    void give(const Value& v) { graph->add_output("y" + std::to_string(graph->outputs().size()), v); }
  };

  // Goes back over the last of the first `left` steps, or over all of them; returns how many these are.
  std::int64_t take_back(std::int64_t left) {
    Body b;
    b.graph->share_names(body_.graph());
    std::vector<Value> in, dy(index(c_)), before, sums(captured_.size());
    for (std::int64_t i = 0; i < c_; ++i)
      if (carried_[index(i)]) {
        b.carried.push_back(carried_[index(i)]);
        dy[index(i)] = b.input(carried_[index(i)].type());
      }
    for (std::size_t i = 0; i < captured_.size(); ++i)
      if (is_float(captured_[i].dtype())) {
        b.carried.push_back(sums_[i] ? sums_[i] : nothing_for(captured_[i]));
        sums[i] = b.input(captured_[i].type());
      }
    const auto sliced = [&](const Value& whole) {
      if (!whole) return Value();
      b.stacked.push_back(whole);
      return b.input({whole.dtype(), whole.shape().without(0)});
    };
    for (std::int64_t i = 0; i < c_; ++i) in.push_back(sliced(entry(i)));
    for (std::int64_t i = 0; i < s_; ++i) in.push_back(sliced(in_[index(c_ + i)]));
    for (std::int64_t j = 0; j < k_; ++j) dy.push_back(sliced(d_stacked(j)));
    for (std::int64_t i = 0; i < c_; ++i) before.push_back(sliced(d_entry(i)));
    before.resize(index(c_ + s_));
    before.insert(before.end(), sums.begin(), sums.end());
    for (const Value& v : captured_) {
      b.captured.push_back(v);
      in.push_back(b.input(v.type()));
    }
    const std::vector<Value> total = step_back(body_, *b.graph, in, dy, before);

    bool steady = true;
    for (std::int64_t i = 0; i < c_; ++i) steady = steady && bool(total[index(i)]) == bool(carried_[index(i)]);
    const std::int64_t count = steady ? left : 1;
    const std::int64_t from = op_.reverse ? op_.steps - left : left - count;  // in the stacked values
    for (Value& whole : b.stacked) whole = slice(whole, 0, from, from + count);

    // What flows on to what flowed before is carried; what begins to flow in a single step is given out of it.
    for (std::int64_t i = 0; i < c_; ++i)
      if (carried_[index(i)]) b.give(total[index(i)] ? total[index(i)] : dy[index(i)]);
    for (std::size_t i = 0; i < captured_.size(); ++i)
      if (sums[i]) b.give(total[index(c_ + s_) + i]);
    std::vector<std::int64_t> given;  // inputs of the body
    for (std::int64_t i = 0; i < c_ + s_; ++i)
      if (total[index(i)] && (i >= c_ || !dy[index(i)])) {
        b.give(total[index(i)]);
        given.push_back(i);
      }
    const auto carried = static_cast<std::int64_t>(b.carried.size()),
               stacked = static_cast<std::int64_t>(b.stacked.size());
    std::vector<Value> inputs = std::move(b.carried);
    inputs.insert(inputs.end(), b.stacked.begin(), b.stacked.end());
    inputs.insert(inputs.end(), b.captured.begin(), b.captured.end());
    const Node back = g_.append(
        Repeat{
            .steps = count, .carried = carried, .sliced = stacked, .reverse = !op_.reverse, .body = Subgraph(b.graph)},
        inputs, At::current());
    int next = 0;
    for (std::int64_t i = 0; i < c_; ++i)
      if (Value& v = carried_[index(i)]; v) {
        v = total[index(i)] ? back.output(next) : Value();
        ++next;
      }
    for (std::size_t i = 0; i < captured_.size(); ++i)
      if (sums[i]) {
        if (!total[index(c_ + s_) + i].same(sums[i])) sums_[i] = back.output(next);  // else nothing flowed to it
        ++next;
      }
    Part part{from, count, std::vector<Value>(index(s_))};
    for (const std::int64_t i : given) {
      const Value whole = back.output(next++);
      if (i < c_)
        carried_[index(i)] = reshape(whole, slice(shape_of(whole), 0, 1));  // of any size
      else
        part.slices[index(i - c_)] = whole;
    }
    parts_.push_back(std::move(part));
    return count;
  }

  Value nothing_for(const Value& like) const {
    const Value none = constant(g_, -0.0, like.dtype(), At::current());
    return like.rank() == 0 ? none : broadcast_like(none, like);
  }

  // The gradient of a stacked input, from those of its parts: nothing where none has one.
  Value put_together(std::int64_t i) {
    std::vector<Value> values;
    bool any = false;
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.from < b.from; });
    for (const Part& part : parts_) {
      const Value& v = part.slices[index(i)];
      any = any || v;
      const Value& whole = in_[index(c_ + i)];
      values.push_back(v ? v
                         : broadcast_like(constant(g_, 0, whole.dtype(), At::current()),
                                          slice(whole, 0, part.from, part.from + part.count)));
    }
    if (!any) return {};
    return values.size() == 1 ? values[0] : concat(values, 0, At::current());
  }

  struct Part {
    std::int64_t from, count;   // which slices of the stacked inputs
    std::vector<Value> slices;  // of each such input, its gradient
  };

  const Repeat& op_;
  const Node n_;
  Graph& g_;
  const std::int64_t c_, s_, k_;  // how many are carried, sliced, stacked
  const std::vector<Value> in_, dy_, captured_;
  Subgraph body_;
  std::vector<Value> carried_, sums_;  // what flows to the carried and the captured values
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Type> Repeat::infer(Types in) const {
  const auto all = static_cast<std::int64_t>(in.size());
  if (!body || steps < 0 || carried < 0 || sliced < 0 || carried + sliced > all ||
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
  std::vector<Type> types = types_of(in);
  for (std::int64_t i = carried; i < carried + sliced; ++i) types[index(i)].shape = types[index(i)].shape.without(0);
  const Subgraph typed = body.typed(types);
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

Grads Repeat::gradient(const Node& n, Values dy) const {
  const Scope scope(n.graph(), "gradient");
  return BackwardSteps(*this, n, dy).grads();
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
