#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fold.h>

namespace oxbow::internal {
namespace {

constexpr std::int64_t most_growth = 64 * 1024;  // bytes: folding must not turn a small program into a large one

bool foldable(const Op& op) { return !op.info().effect && !op.info().can_fail; }

// The values of the node's inputs, or nothing where one is not known.
bool known_inputs(const Rewriter& r, const Node& node, std::vector<Tensor>& known) {
  known.clear();
  for (int i = 0; i < node.input_count(); ++i) {
    if (!node.input(i)) {
      known.emplace_back(Type::absent(), nullptr);
      continue;
    }
    const auto* constant = r(node.input(i)).node().op().as<ops::Constant>();
    if (constant == nullptr) return false;
    known.push_back(constant->value);
  }
  return node.input_count() > 0;
}

bool grows(const Node& node, const std::vector<Tensor>& inputs) {
  std::int64_t growth = 0;
  for (const Type& t : node.output_types()) growth += t.bytes();
  for (const Tensor& t : inputs) growth -= t.type().bytes();
  return growth > most_growth;
}

}  // namespace

std::optional<Rewritten> fold(const Graph& from) {
  const auto reads_constant = [&](const Node& node) {
    return node.input_count() > 0 && foldable(node.op()) && node.input(0) &&
           node.input(0).node().op().is<ops::Constant>();
  };
  NodeId i = 0;
  while (i < from.size() && !reads_constant(from.node(i))) ++i;
  if (i == from.size()) return std::nullopt;

  Rewriter r(from);
  bool changed = false;
  std::vector<Tensor> inputs;
  for (i = 0; i < from.size(); ++i) {
    const Node node = from.node(i);
    if (!foldable(node.op()) || !known_inputs(r, node, inputs) || grows(node, inputs)) {
      r.copy(node);
      continue;
    }
    const OriginGuard guard = r.as(node);
    const std::vector<Tensor> outputs = evaluate(node.op(), inputs);
    for (int o = 0; o < node.output_count(); ++o)
      r.map(node.output(o), constant(r.to(), outputs[static_cast<std::size_t>(o)]));
    if (outputs.size() == 1) r.keep_name(node, r(node.output()));
    changed = true;
  }
  if (!changed) return std::nullopt;
  return r.finish();
}

}  // namespace oxbow::internal
