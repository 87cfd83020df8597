// The way of a graph to its plan, stage by stage: as built, specialised, after each rewrite, planned; and where every
// value went on it. What `oxbow dump --after`, `diff` and `explain` show. Thread safety: pure functions.
#pragma once

#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/tools/dump/compiling.h>

namespace oxbow::tools {

struct Stage {
  std::string name;  ///< "specialise", "activations" (where they are stored), a pass ("simplify"), its second run
                     ///< ("simplify2"), or "copies" (for the plan), "recompute" (for a memory budget)
  std::shared_ptr<const Graph> graph;
  internal::Rewritten from;  ///< from the stage before (the first one: from the graph as built)
  bool changed = true;       ///< false: the rewrite had nothing to do, the graph is the one before
};

/// The names of the stages, in order.
std::vector<std::string> stage_names();

/// All stages. `graph` may go afterwards. Throws `Error` as `compile` does.
std::vector<Stage> stages(const Graph& graph, const Compiling& how = {});

/// Where a value of the graph as built is after each stage: empty from where it is gone.
std::vector<Value> follow(const std::vector<Stage>& stages, Value built);

/// The last stage's graph, planned; values go by the names that they had in the graph as built.
Ledger plan_of(const Graph& built, const std::vector<Stage>& stages, const Compiling& how = {});

}  // namespace oxbow::tools
