// A plain serial interpreter: the meaning of a graph, node by node, for tests to compare everything else with. It runs
// the graph as it was built and shares no scheduling, rewriting, lowering or planning code with the library: a node's
// parts run one after another, an elementwise op's operands are broadcast by index loops, and an op that only says how
// to lower it is expanded in a scratch graph. Every array starts as garbage, so what a kernel forgets shows.
// Thread safety: reads the graph only.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/passes/specialise.h>

#include <map>
#include <string>

namespace oxbow::test {

using Tensors = std::map<std::string, Tensor>;

/// The fetched values, given what is fed by name. Variables that `variables` leaves out have their first value.
/// Types are inferred again from what is fed, so free axes may have any size.
std::vector<Tensor> interpret(Values fetches, const Tensors& feeds = {}, const Tensors& variables = {},
                              Mode mode = Mode::training);

/// How a plan may lay out one op: one of its outputs over the bytes of an input, and one that nobody reads.
struct Placing {
  int output = 0, input = -1;  ///< no input: each output has bytes of its own
  int unread = -1;             ///< this output has no bytes; what is returned for it is garbage
};
/// All outputs of one op on these inputs; a shape-only input's elements are not looked at.
std::vector<Tensor> interpret(const Op& op, const std::vector<Tensor>& inputs, const Placing& how = {});

}  // namespace oxbow::test
