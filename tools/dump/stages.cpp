#include "dump/stages.h"

#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/verify.h>
#include <oxbow/runtime/plan.h>

#include <algorithm>

namespace oxbow::tools {
namespace {

// "simplify" for the first run of a pass, "simplify2" for its second.
std::string name_of(const Pass& pass) {
  const auto all = passes();
  const auto runs = std::count_if(all.data(), &pass + 1, [&](const Pass& p) { return p.name == pass.name; });
  return std::string(pass.name) + (runs > 1 ? std::to_string(runs) : "");
}

}  // namespace

std::vector<Value> fetches(const Graph& graph) {
  std::vector<Value> all;
  for (const auto& [name, value] : graph.outputs()) all.push_back(value);
  all.insert(all.end(), graph.updates().begin(), graph.updates().end());
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

std::vector<std::string> stage_names() {
  std::vector<std::string> names = {"specialise"};
  for (const Pass& pass : passes()) names.push_back(name_of(pass));
  return names;
}

std::vector<Stage> stages(const Graph& graph, const Compiling& how) {
  const std::vector<Value> wanted = how.fetches.empty() ? fetches(graph) : how.fetches;
  if (wanted.empty()) throw Error("the graph is empty: there is nothing to compile");
  check_disabled(how.disable);
  std::vector<Stage> all;
  Rewritten first = specialise(graph, wanted, how.sizes, how.mode);
  all.push_back({.name = "specialise", .graph = first.graph, .from = first});
  for (const Pass& pass : passes()) {
    const Graph& before = *all.back().graph;
    std::optional<Rewritten> next;
    if (std::find(how.disable.begin(), how.disable.end(), pass.name) == how.disable.end()) next = pass.run(before);
    if (next)
      all.push_back({.name = name_of(pass), .graph = next->graph, .from = *next});
    else
      all.push_back({.name = name_of(pass), .graph = all.back().graph, .from = {}, .changed = false});
  }
  return all;
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
  const int threads = how.threads > 0 ? how.threads : Pool::shared().threads();
  // The planner appends copies only, so numbers stay those of the last stage.
  Ledger plan = ledger(*make_plan(copy_of(*stages.back().graph).graph, threads), threads);
  for (Ledger::Value& v : plan.values) v.name.clear();
  for (NodeId i = 0; i < built.size(); ++i) {
    if (built.node(i).name().empty()) continue;
    const Value now = follow(stages, built.node(i).output()).back();
    if (!now) continue;
    std::string& name = plan.values[static_cast<std::size_t>(plan.index(now.node_id(), now.output()))].name;
    name += (name.empty() ? "" : ", ") + built.node(i).full_name();
  }
  return plan;
}

}  // namespace oxbow::tools
