#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/lower.h>
#include <oxbow/graph/passes/shared_ops.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

bool is_fusible(const Op& op) { return op.has_tile() || op.has_consume(); }

// One op as a fused node; an operand that occurs twice is one input, so that it may be overwritten.
void wrap(Rewriter& r, const Node& node, SharedOps& shared) {
  std::vector<Value> inputs;
  std::vector<std::int32_t> operands;
  for (int i = 0; i < node.input_count(); ++i) {
    const Value v = r(node.input(i));
    const auto place = std::find_if(inputs.begin(), inputs.end(), [&](const Value& w) { return w.same(v); });
    operands.push_back(static_cast<std::int32_t>(place - inputs.begin()));
    if (place == inputs.end()) inputs.push_back(v);
  }
  Fused f = Fused::of(shared(node.op()), node.input_count());
  f.tape.inputs = static_cast<std::int32_t>(inputs.size());
  if (!f.tape.steps.empty()) {
    f.tape.args = operands;
    f.tape.outputs = {f.tape.inputs};
  }
  r.replace(node, shared(std::move(f)), inputs);
}

// What `build` makes of the node's inputs, in its place.
template <class F>
void expand(Rewriter& r, const Node& node, F build) {
  const OriginGuard guard = r.as(node);
  try {
    const std::vector<Value> values = in_order(r.to(), [&] { return build(r.inputs(node)); });
    r.map(node, values);
    if (values.size() == 1) r.keep_name(node, values[0]);
  } catch (const OpError& e) {
    throw located(node, e);
  }
}

bool widens(const Node& node) {
  for (int i = 0; i < node.input_count(); ++i)
    if (node.op().widens(i, node.input_type(i).dtype)) return true;
  return false;
}

// Each node a step further: lowered ops may be made of ops that lower themselves.
std::optional<Rewritten> lower_once(const Graph& from) {
  const auto needs = [](const Node& node) {
    const Op& op = node.op();
    return (!op.has_run() && (is_fusible(op) || op.has_lower())) || widens(node);
  };
  NodeId i = 0;
  while (i < from.size() && !needs(from.node(i))) ++i;
  if (i == from.size()) return std::nullopt;
  Rewriter r(from);
  SharedOps shared;
  for (i = 0; i < from.size(); ++i) {
    const Node node = from.node(i);
    const Op& op = node.op();
    if (widens(node))
      expand(r, node, [&](const std::vector<Value>& in) { return op.widen(in); });
    else if (op.has_run() || (op.info().effect && !op.has_lower()))
      r.copy(node);
    else if (is_fusible(op))
      wrap(r, node, shared);
    else if (op.has_lower())
      expand(r, node, [&](const std::vector<Value>& in) { return op.lower(in); });
    else
      throw Error(to_string(node) + ": the op " + in_quotes(op.name()) +
                  " cannot be computed: it came from a text "
                  "and the catalogue that read it does not have it\n  Add it to that catalogue");
  }
  return r.finish();
}

}  // namespace

std::optional<Rewritten> lower(const Graph& from) {
  std::optional<Rewritten> done;
  while (true) {
    std::optional<Rewritten> next = lower_once(done ? *done->graph : from);
    if (!next) return done;
    done = done ? chain(std::move(*done), std::move(*next)) : std::move(next);
  }
}

}  // namespace oxbow::internal
