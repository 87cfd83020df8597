#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/plan/copies.h>

#include <algorithm>

namespace oxbow::internal {

Work Copy::work(Types in) const {
  const std::int64_t bytes = in[0].bytes();
  return {.parts = (bytes + bytes_per_part - 1) / bytes_per_part, .bytes = 2.0 * static_cast<double>(bytes)};
}

void Copy::run(const Run& r) const {
  const std::int64_t begin = r.part * bytes_per_part, end = std::min(begin + bytes_per_part, r.out_type().bytes());
  std::memcpy(r.outputs[0].bytes + begin, r.inputs[0].bytes + begin, static_cast<std::size_t>(end - begin));
}

namespace {

std::optional<Rewritten> one_round(const Graph& from, const Storages& storages, const Dependences& waits) {
  if (waits.left.empty() && storages.shared_fetches.empty()) return std::nullopt;

  std::vector<bool> copied(static_cast<std::size_t>(from.size()));
  for (const std::size_t a : waits.left) copied[static_cast<std::size_t>(storages.assigns[a].node)] = true;
  Rewriter r(from);
  const auto copy = [&](Value v, Node as) {
    const OriginGuard guard = r.as(as);
    return apply(Copy{}, {r(v)}, v.node().origin().at);
  };
  // What reads such an assign reads its value: it must not wait for the copy, which may have to wait for it.
  std::vector<std::pair<Value, Value>> assigned;
  for (NodeId i = 0; i < from.size(); ++i) {
    const Node n = from.node(i);
    if (!copied[static_cast<std::size_t>(i)]) {
      r.copy(n);
      continue;
    }
    const Value value = r(n.input(1));
    assigned.emplace_back(n.output(), r.replace(n, n.op(), {r(n.input(0)), copy(n.input(1), n)}).output());
    r.map(n.output(), value);
  }
  for (const auto& [was, now] : assigned) r.map(was, now);
  std::vector<std::pair<std::string, Value>> outputs;
  for (const auto& [name, v] : from.outputs()) outputs.emplace_back(name, r(v));
  for (const std::size_t o : storages.shared_fetches)
    outputs[o].second = copy(from.outputs()[o].second, from.outputs()[o].second.node());
  return r.finish_with(outputs);
}

}  // namespace

WithCopies add_copies(const Graph& from) {
  std::optional<Rewritten> made;
  while (true) {
    const Graph& graph = made ? *made->graph : from;
    Storages storages = find_storages(graph);
    Dependences waits = find_dependences(graph, storages);
    std::optional<Rewritten> next = one_round(graph, storages, waits);
    if (!next) return {std::move(made), std::move(storages), std::move(waits)};
    made = made ? chain(std::move(*made), std::move(*next)) : std::move(next);
  }
}

}  // namespace oxbow::internal
