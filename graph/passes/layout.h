// Transpositions that undo each other cancel out, also where ops stand between them to which the order of axes is all
// the same: elementwise ones, slices, joins and padding (`Op::transposed`). What is built with the channels first has
// transpositions around each convolution; after this pass a chain of them has those at its ends only.
//
// A transposition by q of a value v is undone where v can be computed in the order q from values that are transposed by
// q's inverse themselves, and from others that cost nothing: constants, values in whose memory nothing moves, and those
// that somebody transposes so anyway. Where other values would have to be transposed they may have at most as many
// elements as the transpositions that are saved; and the graph stays as it is unless fewer elements move in all. What
// still wants v in its own order has it transposed back, once. A pass: see graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

std::optional<Rewritten> layout(const Graph& from);

}  // namespace oxbow::internal
