// The verifier is the specification of a graph: graph/verify.cpp lists every invariant, one sentence and one function
// each. Builders and passes keep them all; the passes' driver checks after each pass in builds with assertions.
// Linear in the graph. Thread safety: reads only.
#pragma once

#include <oxbow/graph/graph.h>

namespace oxbow {

/// An invariant that does not hold.
struct Violation {
  NodeId node = -1;       ///< the node that breaks it, -1 where it is the graph as a whole
  std::string invariant;  ///< "an op gives the types that its node has"
  std::string what;       ///< "the node has f32[2], but its op gives f32[3]"
};

/// The first invariant that does not hold, nodes in order and then the graph; none in a good graph.
std::optional<Violation> first_violation(const Graph& graph);

/// Throws `InternalError` that names the node, the invariant and what is there instead, unless all of them hold.
void verify(const Graph& graph);

}  // namespace oxbow
