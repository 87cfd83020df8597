// Whether two graphs compute the same. Thread safety: a pure function of graphs that nobody appends to.
#pragma once

#include <oxbow/graph/graph.h>

namespace oxbow::internal {

/// Whether two values of two graphs are the same output of the same node, or both absent.
bool same_place(const Value& a, const Value& b);

/// Node by node: the same kinds of ops, attributes to the last bit, inputs and types, and the same outputs whatever
/// they are called. Names, scopes and lines are notes.
bool same_nodes(const Graph& a, const Graph& b);

}  // namespace oxbow::internal
