#include "dump/stages.h"

#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/shared/stored_activations.h>
#include <oxbow/ops/store_activations.h>
#include <oxbow/runtime/plan/budget.h>
#include <oxbow/runtime/plan/copies.h>

namespace oxbow::tools {
using namespace internal;

namespace {

int threads_of(const Compiling& how) { return how.threads > 0 ? how.threads : Pool::shared().threads(); }

}  // namespace

std::vector<Value> fetches(const Graph& graph) {
  std::vector<Value> all;
  for (const auto& [name, value] : graph.outputs()) all.push_back(value);
  const std::vector<Value> updates = last_updates(graph);
  all.insert(all.end(), updates.begin(), updates.end());
  if (!all.empty()) return all;
  std::vector<bool> read(static_cast<std::size_t>(graph.size()));
  for (NodeId i = 0; i < graph.size(); ++i)
    for (const Value& v : graph.node(i).inputs())
      if (v) read[static_cast<std::size_t>(v.node_id())] = true;
  for (NodeId i = 0; i < graph.size(); ++i)
    if (!read[static_cast<std::size_t>(i)])
      for (int k = 0; k < graph.node(i).output_count(); ++k) all.push_back(graph.node(i).output(k));
  return all;
}

Program compiled(Values wanted, const Compiling& how, CompileOptions more) {
  more.mode = how.mode;
  more.disable = how.disable;
  more.memory_budget = how.memory_budget;
  if (how.threads > 0) more.pool = Pool(how.threads);
  return compile(how.activations ? Values(store_activations(wanted, *how.activations).fetches) : wanted, more);
}

std::vector<std::string> stage_names() {
  std::vector<std::string> names = {"specialise", "activations"};
  for (const Pass& pass : passes()) names.push_back(stage_name(pass));
  names.emplace_back("copies");
  names.emplace_back("recompute");
  return names;
}

std::vector<Stage> stages(const Graph& graph, const Compiling& how) {
  return while_memory_lasts("rewriting a graph", [&] {
    const std::vector<Value> wanted = how.fetches.empty() ? fetches(graph) : how.fetches;
    if (wanted.empty()) throw Error("the graph is empty: there is nothing to compile");
    check_disabled(how.disable);
    std::vector<Stage> all;
    const auto add = [&](std::string name, const std::optional<Rewritten>& made) {
      if (made)
        all.push_back({.name = std::move(name), .graph = made->graph, .from = *made});
      else
        all.push_back({.name = std::move(name), .graph = all.back().graph, .from = {}, .changed = false});
    };
    add("specialise", specialise(graph, wanted, how.sizes, how.mode));
    const std::shared_ptr<const Graph> sized = all.back().graph;
    add("activations", how.activations
                           ? std::optional(ops::stored_activations(*sized, fetches(*sized), *how.activations))
                           : std::nullopt);
    rewrite(*all.back().graph,
            {.context = {.mode = how.mode, .threads = threads_of(how)},
             .disable = how.disable,
             .observe = [&](const Pass& pass, const std::optional<Rewritten>& made) { add(stage_name(pass), made); }});
    add("copies", add_copies(*all.back().graph).made);
    add("recompute", make_plan_within(all.back().graph, threads_of(how), {}, how.memory_budget).made);
    return all;
  });
}

std::vector<Value> follow(const std::vector<Stage>& stages, Value built) {
  std::vector<Value> places;
  for (const Stage& stage : stages) {
    if (built && stage.changed) built = stage.from(built);
    places.push_back(built);
  }
  return places;
}

Ledger plan_of(const Graph& built, const std::vector<Stage>& stages, const Compiling& how) {
  return while_memory_lasts("planning a graph", [&] {
    const int threads = threads_of(how);
    const auto& before = stages[stages.size() - 2].graph;  // without steps that run again: the plan has those anew
    Ledger plan = ledger(*make_plan(before, threads, {}, how.memory_budget), threads);
    for (Ledger::Value& v : plan.values) v.name.clear();
    for (NodeId i = 0; i < built.size(); ++i) {
      if (built.node(i).name().empty()) continue;
      const Value now = follow(stages, built.node(i).output()).back();
      if (!now) continue;
      std::string& name = plan.values[static_cast<std::size_t>(plan.index(now.node_id(), now.output()))].name;
      name += (name.empty() ? "" : ", ") + built.node(i).full_name();
    }
    return plan;
  });
}

}  // namespace oxbow::tools
