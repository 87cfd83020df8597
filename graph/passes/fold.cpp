#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fold.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/sums.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

// Folding must not turn a small program into a large one.
constexpr std::int64_t most_growth = 64 * 1024;  // bytes that a node's results may have more than its inputs

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

std::int64_t bytes_of(Types types) {
  std::int64_t sum = 0;
  for (const Type& t : types) sum = saturating_sum(sum, t.bytes());
  return sum;
}

// Each once, however often the node reads it.
std::int64_t bytes_of(const std::vector<Tensor>& inputs) {
  std::vector<std::pair<const std::byte*, std::int64_t>> each;
  for (const Tensor& t : inputs) each.emplace_back(t.bytes(), t.type().bytes());
  std::sort(each.begin(), each.end());
  each.erase(std::unique(each.begin(), each.end()), each.end());
  std::int64_t sum = 0;
  for (const auto& [begin, bytes] : each) sum = saturating_sum(sum, bytes);
  return sum;
}

// The most that a pass folds: of small programs enough for tables, of others some way beyond their own constants.
std::int64_t most_folded(const Graph& graph) {
  std::int64_t sum = 0;
  for (NodeId i = 0; i < graph.size(); ++i)
    if (const auto* constant = graph.node(i).op().as<ops::Constant>())
      sum = saturating_sum(sum, constant->value.type().bytes());
  return saturating_sum(limits::folded_bytes, saturating_sum(sum, sum));
}

std::vector<Tensor> evaluated(const Node& node, const std::vector<Tensor>& inputs) {
  try {
    return evaluate(node.op(), inputs);
  } catch (const OpError& e) {
    throw located(node, e);
  }
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
  std::int64_t left = most_folded(from);
  const auto fits = [&](const Node& node) {
    const std::int64_t bytes = bytes_of(node.output_types());
    return bytes <= left && bytes - bytes_of(inputs) <= most_growth;
  };
  for (i = 0; i < from.size(); ++i) {
    const Node node = from.node(i);
    if (!foldable(node.op()) || !known_inputs(r, node, inputs) || !fits(node)) {
      r.copy(node);
      continue;
    }
    left -= bytes_of(node.output_types());
    const OriginGuard guard = r.as(node);
    const std::vector<Tensor> outputs = evaluated(node, inputs);
    for (int o = 0; o < node.output_count(); ++o)
      r.map(node.output(o), constant(r.to(), outputs[static_cast<std::size_t>(o)]));
    if (outputs.size() == 1) r.keep_name(node, r(node.output()));
    changed = true;
  }
  if (!changed) return std::nullopt;
  return r.finish();
}

}  // namespace oxbow::internal
