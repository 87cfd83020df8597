// From a graph for any sizes to a graph for these: only what the fetches need, inputs typed as they are fed, all other
// types inferred again, and in inference the ops' stand-ins (no dropout, running statistics).
// Thread safety: the graph is read only; safe while nobody appends to it.
#pragma once

#include <oxbow/graph/mode.h>
#include <oxbow/graph/passes/rewriter.h>

#include <map>

namespace oxbow::internal {

/// A new graph that computes `fetches`, values of `graph`. Its outputs are the fetches in order, one each also where a
/// value is fetched twice; a fetch that `graph` names as an output keeps that name, others are "0", "1", ... by
/// position. `shapes` holds the fed shapes by input name; an input that it leaves out keeps its example sizes. Throws
/// `Error` when `fetches` is empty or mixes graphs, for a name that is not an input of `graph` (one that the fetches do
/// not need is passed over), for a shape that differs from the declared one in an axis that is not free, and when an op
/// refuses the new shapes.
Rewritten specialise(const Graph& graph, Values fetches, const std::map<std::string, Shape>& shapes, Mode mode);

}  // namespace oxbow::internal
