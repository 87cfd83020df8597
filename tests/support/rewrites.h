// Graphs of small ops, and whether a rewritten one gives the same bits. For tests of passes.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

#include <string>
#include <string_view>
#include <vector>

#include "small_ops.h"

namespace oxbow::test {

inline Value scaled(Value x, Value y, double scale = 1) { return apply(Scaled{scale}, {x, y}, At::current()); }
inline Value wall(Value x) { return apply(Wall{}, {x}, At::current()); }
inline Value chunk_max(Value x, std::int64_t chunk = 96) { return apply(ChunkMax{chunk}, {x}, At::current()); }

/// The names of a graph's ops, in its order, and how many have this one.
std::vector<std::string> op_names(const Graph& g);
int count(const Graph& g, std::string_view op);

/// Checks that both have outputs of the same names and bits, node by node, on inputs in which NaN, infinities and
/// signed zeros are not rare.
void check_same(const Graph& before, const Graph& after);

}  // namespace oxbow::test
