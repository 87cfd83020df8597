// Finds the node that made the first NaN or Inf of a run, by computing the graph as it was built, node by node.
// Thread safety: pure functions of what they are given.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/runtime/numerics.h>

#include <functional>
#include <optional>

namespace oxbow::internal {

/// One run to be computed again. The graph is specialised to what was fed, and not rewritten: what it fetches are its
/// outputs.
struct Rerun {
  const Graph* graph = nullptr;
  std::function<Tensor(Node)> leaf;         ///< the bytes of an input or a variable, as at the run's start
  std::function<std::string(NodeId)> name;  ///< of a node of `graph`, as the user knows it
  std::int64_t number = 0;                  ///< the run's, for messages
};

struct Hunted {
  bool bad = false;                    ///< a result has a NaN or an Inf
  std::vector<bool> results;           ///< of each result, whether it has
  std::optional<NumericsError> found;  ///< none where every infinity was built on purpose
};

/// The node named is the first, in the graph's order, that made a NaN or Inf of its own and on which a bad result
/// depends; with `everywhere`, the first of all that the results need. `usual` marks nodes that are passed over: those
/// that did so in a run that ended well, such as the logarithm of a mask.
Hunted hunt(const Rerun& run, const Numerics& options, bool everywhere, const std::vector<bool>& usual = {});

/// The nodes that made a NaN or Inf of their own.
std::vector<bool> makers(const Rerun& run);

}  // namespace oxbow::internal
