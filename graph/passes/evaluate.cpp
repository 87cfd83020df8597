#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/lower.h>
#include <oxbow/graph/support/float_mode.h>

namespace oxbow::internal {
namespace {

std::vector<Tensor> run_kernel(const Op& op, std::span<const Tensor> inputs) {
  std::vector<Type> in;
  std::vector<ConstView> reads;
  for (const Tensor& t : inputs) {
    in.push_back(t.type());
    reads.push_back({&t.type(), t.bytes()});
  }
  std::vector<Tensor> outputs;
  std::vector<View> writes;
  for (const Type& type : op.infer(in, Known(inputs, op.info().inputs))) outputs.emplace_back(type);
  for (Tensor& t : outputs) writes.push_back({&t.type(), t.bytes()});
  const auto [work, prepared] = op.prepare(in);
  const std::shared_ptr<std::byte> scratch = allocate(work.scratch);
  const FloatMode mode;
  for (std::int64_t part = 0; part < work.parts; ++part)
    op.run({.inputs = reads,
            .outputs = writes,
            .part = part,
            .parts = work.parts,
            .scratch = scratch.get(),
            .prepared = prepared.get()});
  return outputs;
}

// An op that is made of others: a graph of its own, lowered.
std::vector<Tensor> run_lowered(const Op& op, std::span<const Tensor> inputs) {
  Graph graph;
  std::vector<Value> fed;
  for (const Tensor& t : inputs) fed.push_back(t.type().present ? constant(graph, t) : Value());
  const Node node = graph.append(op, fed, {});
  for (int i = 0; i < node.output_count(); ++i) graph.add_output(std::to_string(i), node.output(i));
  const std::optional<Rewritten> lowered = lower(graph);
  invariant(lowered.has_value(), "an op without a kernel was evaluated");
  std::vector<Value> outputs;
  for (const auto& [name, v] : lowered->graph->outputs()) outputs.push_back(v);
  return evaluate(outputs);
}

}  // namespace

bool lacks_bytes(const Tensor& t) { return t.type().present && t.type().bytes() > 0 && t.bytes() == nullptr; }

std::vector<Tensor> evaluate(const Op& op, std::span<const Tensor> inputs) {
  std::vector<Type> types;
  for (const Tensor& t : inputs) types.push_back(t.type());
  return op.has_run() && !op.widens(types) ? run_kernel(op, inputs) : run_lowered(op, inputs);
}

std::vector<Tensor> evaluate(Values wanted) {
  if (wanted.empty()) return {};
  const Graph& graph = wanted[0].graph();
  const std::vector<bool> live = ancestors(graph, wanted);
  std::vector<std::vector<Tensor>> values(live.size());
  const auto value = [&](const Value& v) -> const Tensor& {
    return values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())];
  };
  // The last node that reads each: behind it, bytes that nobody wants go.
  std::vector<NodeId> last(live.size());
  for (NodeId i = 0; i < graph.size(); ++i)
    for (int k = 0; live[static_cast<std::size_t>(i)] && k < graph.node(i).input_count(); ++k)
      if (const Value v = graph.node(i).input(k)) last[static_cast<std::size_t>(v.node_id())] = i;
  for (const Value& v : wanted) last[static_cast<std::size_t>(v.node_id())] = graph.size();
  std::vector<Tensor> in;
  const auto drop_read = [&](const Node& n) {
    in.clear();
    for (int k = 0; k < n.input_count(); ++k)
      if (const Value v = n.input(k); v && last[static_cast<std::size_t>(v.node_id())] == n.id())
        values[static_cast<std::size_t>(v.node_id())].clear();
  };
  for (NodeId i = 0; i < graph.size(); ++i) {
    if (!live[static_cast<std::size_t>(i)]) continue;
    const Node n = graph.node(i);
    std::vector<Tensor>& out = values[static_cast<std::size_t>(i)];
    if (const auto* fixed = n.op().as<ops::Constant>()) {
      out = {fixed->value};
      continue;
    }
    in.clear();
    bool missing = false;
    for (int k = 0; k < n.input_count(); ++k) {
      in.push_back(n.input(k) ? value(n.input(k)) : Tensor(Type::absent(), nullptr));
      missing = missing || (lacks_bytes(in.back()) && n.op().info().reads(k));
    }
    if (!missing)
      out = evaluate(n.op(), in);
    else
      for (const Type& type : n.output_types()) out.emplace_back(type, nullptr);
    drop_read(n);
  }
  std::vector<Tensor> out;
  for (const Value& v : wanted) out.push_back(value(v));
  return out;
}

}  // namespace oxbow::internal
