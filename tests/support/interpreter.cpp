#include "interpreter.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/support/float_mode.h>
#include <oxbow/graph/support/initial_value.h>

#include <algorithm>
#include <cstring>

namespace oxbow::test {
namespace {

Tensor garbage(const Type& type) {
  Tensor t(type);
  std::memset(t.bytes(), 0xCD, static_cast<std::size_t>(type.bytes()));
  return t;
}

std::vector<Type> types_of(const std::vector<Tensor>& tensors) {
  std::vector<Type> types;
  for (const Tensor& t : tensors) types.push_back(t.type());
  return types;
}

// x stretched to `shape`, element by element.
Tensor stretched(const Tensor& x, const Type& to) {
  if (x.shape() == to.shape) return x;
  Tensor out({x.dtype(), to.shape, to.layout});
  const auto size = static_cast<std::size_t>(size_of(x.dtype()));
  for (std::int64_t i = 0; i < out.type().stored(); ++i) {
    std::int64_t rest = i, from = 0, stride = 1;
    for (int axis = 1; axis <= x.shape().rank(); ++axis) {
      const std::int64_t at = rest % to.shape[-axis];
      rest /= to.shape[-axis];
      if (x.shape()[-axis] != 1) from += at * stride;
      stride *= x.shape()[-axis];
    }
    if (x.count() == 1) from = 0;
    std::memcpy(out.bytes() + static_cast<std::size_t>(i) * size, x.bytes() + static_cast<std::size_t>(from) * size,
                size);
  }
  return out;
}

void run_parts(const Op& op, const std::vector<Tensor>& in, std::vector<Tensor>& out, int unread) {
  const std::vector<Type> in_types = types_of(in), out_types = types_of(out);
  std::vector<ConstView> inputs;
  std::vector<View> outputs;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool reads = op.info().reads(static_cast<int>(i));
    inputs.push_back({&in_types[i], reads ? in[i].bytes() : nullptr});
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    outputs.push_back({&out_types[i], static_cast<int>(i) == unread ? nullptr : out[i].bytes()});
  const auto [work, prepared] = op.prepare(in_types);
  for (std::int64_t part = 0; part < work.parts; ++part) {
    Tensor scratch = garbage({u8, {work.scratch}});
    op.run({.inputs = inputs,
            .outputs = outputs,
            .part = part,
            .parts = work.parts,
            .scratch = scratch.bytes(),
            .prepared = prepared.get()});
  }
}

void run_tile(const Op& op, const std::vector<Tensor>& in, Tensor& out) {
  std::vector<Tensor> full;
  std::vector<const void*> pointers;
  for (const Tensor& t : in) full.push_back(stretched(t, out.type()));
  for (const Tensor& t : full) pointers.push_back(t.bytes());
  op.tile(types_of(in))(op.self(), pointers.data(), out.bytes(), out.type().stored());
}

void run_consumer(const Op& op, const std::vector<Tensor>& in, Tensor& out) {
  const Consumer c = op.consume(types_of(in));
  const std::int64_t n = in[0].count(), chunks = std::max<std::int64_t>(1, (n + c.chunk - 1) / c.chunk);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    Tensor state = garbage({u8, {c.state}});
    const std::int64_t first = chunk * c.chunk, lanes = std::min(c.chunk, n - first);
    c.begin(c, state.bytes());
    c.take(c, state.bytes(), in[0].bytes() + first * size_of(in[0].dtype()), 0, lanes);
    c.end(c, state.bytes(), chunk, lanes, out.bytes());
  }
}

// An op through what it builds: `stand_in` appends nodes to a scratch graph, which is interpreted.
template <class StandIn>
std::vector<Tensor> expanded(const Op& op, const std::vector<Tensor>& in, Mode mode, StandIn stand_in) {
  Graph scratch;
  Tensors feeds;
  std::vector<Value> values;
  for (const Tensor& t : in) {
    if (!t.type() || op.info().by_value.contains(static_cast<int>(values.size()))) {
      values.push_back(t.type() ? constant(scratch, t) : Value());
      continue;
    }
    const std::string name = "in" + std::to_string(values.size());
    values.push_back(scratch.append(ops::Input{.name = name, .type = t.type(), .free_axes = {}}, {}, {}).output());
    feeds.emplace(name, t);
  }
  return interpret(Values(stand_in(Values(values))), feeds, {}, mode);
}

std::vector<Tensor> compute(const Op& op, const std::vector<Tensor>& in, Mode mode, const Placing& how) {
  if (mode == Mode::inference && op.has_inference())
    return expanded(op, in, mode, [&](Values v) { return op.inference(v); });
  if (op.widens(types_of(in))) return expanded(op, in, mode, [&](Values v) { return op.widen(v); });
  if (!op.has_run() && !op.has_tile() && !op.has_consume())
    return expanded(op, in, mode, [&](Values v) { return op.lower(v); });
  std::vector<Tensor> out;
  for (const Type& t : op.infer(types_of(in), Known(in, op.info().inputs))) out.push_back(garbage(t));
  std::vector<Tensor> from = in;
  if (how.input >= 0) {
    Tensor &input = from[static_cast<std::size_t>(how.input)], &output = out[static_cast<std::size_t>(how.output)];
    std::memcpy(output.bytes(), input.bytes(), static_cast<std::size_t>(output.type().bytes()));
    input = Tensor(input.type(), {output.bytes(), [keep = output](std::byte*) {}});
  }
  const internal::FloatMode mode_of_kernels;
  if (op.has_run())
    run_parts(op, from, out, how.unread);
  else if (op.has_tile())
    run_tile(op, from, out[0]);
  else
    run_consumer(op, from, out[0]);
  return out;
}

}  // namespace

std::vector<Tensor> interpret(const Op& op, const std::vector<Tensor>& inputs, const Placing& how) {
  std::vector<Tensor> all = inputs;  // those left out are absent ones, as in a graph
  while (static_cast<int>(all.size()) < op.info().inputs.fixed()) all.emplace_back(Type::absent(), nullptr);
  return compute(op, all, Mode::training, how);
}

std::vector<Tensor> interpret(Values fetches, const Tensors& feeds, const Tensors& variables, Mode mode) {
  if (fetches.empty()) return {};
  Graph& graph = fetches[0].graph();
  const std::vector<bool> live = internal::ancestors(fetches[0].graph(), fetches);
  std::vector<std::vector<Tensor>> results(live.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[static_cast<std::size_t>(id)]) continue;
    const Node n = graph.node(id);
    std::vector<Tensor>& out = results[static_cast<std::size_t>(id)];
    if (const ops::Input* leaf = n.op().as<ops::Input>()) {
      const auto fed = feeds.find(leaf->name);
      if (fed == feeds.end()) throw Error("the interpreter was not fed \"" + leaf->name + "\"");
      out = {fed->second};
    } else if (const ops::Variable* variable = n.op().as<ops::Variable>()) {
      const auto given = variables.find(variable->name);
      out = {given == variables.end() ? internal::initial_value(*variable) : given->second};
    } else if (const ops::Constant* c = n.op().as<ops::Constant>()) {
      out = {c->value};
    } else {
      std::vector<Tensor> in;
      for (const Value& v : n.inputs())
        in.push_back(v ? results[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]
                       : Tensor(Type::absent(), nullptr));
      out = compute(n.op(), in, mode, {});
    }
  }
  std::vector<Tensor> values;
  for (const Value& v : fetches)
    values.push_back(results[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]);
  return values;
}

}  // namespace oxbow::test
