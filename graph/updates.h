// Which of a graph's updates (`Graph::updates`) belong to a step. A layer that is called several times has several of
// one variable: each builds on what the one before leaves, and a run writes the variable once.
// Thread safety: as building, for one thread.
#pragma once

#include <oxbow/graph/graph.h>

#include <vector>

namespace oxbow {

/// What the updates of its graph leave in `variable`, so far: what a further one builds on. Itself where there are
/// none.
Value updated(Value variable);

/// Of each variable the last update, which holds those before it.
std::vector<Value> last_updates(const Graph& g);

/// The updates that a step which computes `results`, of one graph, fetches: of each variable that they depend on the
/// update, if it has one. Of several those count for whose call they depend on all that it reads, in their order; where
/// these are not the first ones, nodes are appended that go without the others.
std::vector<Value> updates_of(Values results);

}  // namespace oxbow
