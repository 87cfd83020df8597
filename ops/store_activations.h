// Half of the memory of training: what backward reads of forward waits for it in 16 bits.
//
//   const auto step = store_activations({loss, minimized...}, bf16);
//   Program program = compile(step.fetches);
//
// A `Model` does it by an option: compile(loss, "adam", {.activations = bf16}).
#pragma once

#include <oxbow/graph/graph.h>

#include <memory>
#include <vector>

namespace oxbow {

struct StoredActivations {
  std::shared_ptr<Graph> graph;
  std::vector<Value> fetches;  ///< of that graph, one for one
};

/// A copy of the graph of `fetches` in which values of forward that backward reads are rounded to `dtype`, f16 or bf16,
/// as soon as they are there. All that read one, of forward and of backward, read it rounded, so gradients are those of
/// what forward computed; in between it waits in 16 bits. Arithmetic, weights and what an optimizer keeps stay in their
/// own dtype. What a few elementwise ops make of what is stored is not stored itself: backward makes it again.
/// Left as they are: variables, what is fed, and what depends on variables alone, which is there anyway (random numbers
/// are not: each step draws new ones); statistics (`OpInfo::exact`: sums, means, variances) and what elementwise ops
/// make of them; values with less than a 64th of the elements of the largest one that waits; what is not wider than
/// `dtype`; what a `repeat` or `cond` makes; and what is fetched, which is given as it was before rounding.
/// Goes by the phase of nodes, which `gradients` and `minimize` set, and by the example sizes of free axes. Throws
/// `Error` for no fetches, an empty one, two graphs, or another dtype. After Micikevicius et al. 2018,
/// https://arxiv.org/abs/1710.03740, with master weights.
StoredActivations store_activations(Values fetches, DType dtype, At at = At::current());

}  // namespace oxbow
