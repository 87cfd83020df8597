#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/copy.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/storage.h>

namespace oxbow {
namespace {

std::int64_t aligned(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::shared_ptr<const Plan> make_plan(std::shared_ptr<Graph> graph, int) {
  auto plan = std::make_shared<Plan>();
  Storages storages = find_storages(*graph);
  plan->graph = graph;
  plan->inputs = std::move(storages.inputs);
  plan->variables = std::move(storages.variables);
  plan->constants = std::move(storages.constants);
  plan->fetches = std::move(storages.fetches);

  std::vector<std::int64_t> offsets(storages.list.size());
  for (std::size_t s = 0; s < storages.list.size(); ++s) {
    const Storage& storage = storages.list[s];
    if (storage.home != Home::arena && storage.home != Home::fetch) continue;
    offsets[s] = plan->arena_bytes;
    plan->arena_bytes += aligned(storage.bytes);
    if (storage.home == Home::fetch) plan->fetches[static_cast<std::size_t>(storage.index)].offset = offsets[s];
  }
  const auto place = [&](Value v) -> Place {
    const auto [s, offset] = storages.of(v);
    const Storage& storage = storages.list[static_cast<std::size_t>(s)];
    if (storage.home == Home::arena) return {Home::arena, 0, offsets[static_cast<std::size_t>(s)] + offset};
    return {storage.home, storage.index, offset};
  };

  for (NodeId id = 0; id < graph->size(); ++id) {
    const Node n = graph->node(id);
    const std::vector<Type> in = n.input_types();
    if (n.op().is<Assign>()) {
      const auto [variable, unused] = storages.of(n.input(0));
      plan->copies.push_back(
          {place(n.input(1)), storages.list[static_cast<std::size_t>(variable)].index, in[1].bytes()});
      plan->writes_variables = true;
      continue;
    }
    if (!storages.computes[static_cast<std::size_t>(id)]) continue;
    const Work work = n.op().work(in);
    plan->scratch_bytes = std::max(plan->scratch_bytes, aligned(work.scratch));
    auto prepared = n.op().prepare(in);
    plan->steps.push_back({.op = &n.op(),
                           .prepared = prepared.get(),
                           .node = id,
                           .first_read = static_cast<std::uint32_t>(plan->reads.size()),
                           .reads = static_cast<std::uint32_t>(n.input_count()),
                           .first_write = static_cast<std::uint32_t>(plan->writes.size()),
                           .writes = static_cast<std::uint32_t>(n.output_count()),
                           .parts = work.parts});
    if (prepared) plan->prepared.push_back(std::move(prepared));
    for (int i = 0; i < n.input_count(); ++i)
      plan->reads.push_back({&n.input(i).type(), n.op().info().shape_only.contains(i) ? Place{} : place(n.input(i))});
    for (int k = 0; k < n.output_count(); ++k)
      plan->writes.push_back({&n.output_types()[static_cast<std::size_t>(k)], place(n.output(k))});
  }
  return plan;
}

}  // namespace oxbow
