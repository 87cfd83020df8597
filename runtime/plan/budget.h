// A plan of at most so many bytes, or an error that says which values do not let it be. Thread safety: pure functions.
#pragma once

#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/plan.h>

namespace oxbow::internal {

struct PlanWithin {
  std::shared_ptr<const Plan> plan;
  std::optional<Rewritten> made;  ///< the plan's graph from the one that was given; empty where it is the same
};

/// What `make_plan` does, and what became of the graph. Also without a budget steps run again, where values take more
/// than caches hold and that costs next to nothing.
PlanWithin make_plan_within(std::shared_ptr<const Graph> graph, int threads, const Grain& grain = {},
                            std::optional<std::int64_t> memory_budget = {});

/// The error for a budget that no plan keeps, `smallest` being the one of the fewest bytes that was found.
Error over_budget(const Plan& smallest, std::int64_t budget, int threads);

}  // namespace oxbow::internal
