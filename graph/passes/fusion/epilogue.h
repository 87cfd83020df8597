// Epilogues: a product applies the elementwise ops that follow it (bias, activation, mask, residual) to each block of
// its result while that block is in cache. An op takes part by one optional member:
//
//   struct Product {
//     Tape epilogue;                            // an attribute like any other; empty: none
//     std::vector<Type> infer(Types in) const;  // with an epilogue: epilogue_types(epilogue, result, extra inputs)
//     std::optional<Op> with_epilogue(int output, const Tape& tape, Types in) const;
//   };
//
// Tape input 0 is the op's result, what output number `output` is without an epilogue; tape inputs 1, 2, ... are extra
// inputs that follow the op's own. The tape's outputs, one or more, replace that output in its place among the others,
// and what the tape's reductions give follows them; the result itself is stored only where the tape lists value 0 as an
// output. `in` are the types of all inputs, own and extra. An op that has an epilogue already, or cannot apply this
// one, returns nothing. In `prepare` it makes a `TapePlan(epilogue, {result, extra...})`; in `run`, for each block that
// it has finished, it calls `plan.run(extra inputs, outputs, block, scratch)` with `plan.scratch()` bytes. The block's
// elements may lie in scratch, or in output 0 itself if that has the result's dtype and may overwrite input 0
// (`Tape::may_overwrite`), or where the result is stored. Bits do not depend on blocks. Where the tape has reductions,
// blocks are whole chunks of `plan.chunk()` elements of the row-major result: an op whose blocks cannot be so returns
// nothing, and is asked again without them.
#pragma once

#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

/// What `plan.chunk()` will be; the epilogue has reductions.
std::int64_t reduction_chunk(const Tape& epilogue, const Type& result, Types extra);

/// Whether `plan.chunk()` is a number of whole rows of so many elements, and there are so many chunks.
bool reduces_whole_rows(const Tape& epilogue, const Type& result, Types extra, std::int64_t row, std::int64_t chunks);

/// The op with this epilogue, its member `epilogue`; nothing where it has one already, or for reductions unless the op
/// takes these.
template <class T>
std::optional<Op> extended(T op, const Tape& tape, bool takes_reductions = false) {
  if (!op.epilogue.empty() || (!tape.reductions.empty() && !takes_reductions)) return std::nullopt;
  op.epilogue = tape;
  return Op(std::move(op));
}

/// The output types of a product whose result has type `result` and whose extra inputs are `extra`.
std::vector<Type> epilogue_types(const Tape& epilogue, const Type& result, Types extra);

/// What an op whose blocks lie in scratch may overwrite; `in` are all inputs, the first `own` of them the op's own.
std::vector<InputSet> epilogue_overwrites(const Tape& epilogue, const Type& result, Types in, int own);

/// The pass: each op with `with_epilogue` that has an output which one elementwise node reads, and nobody else, takes
/// that node over, unless another of its outputs is read before; reductions at that node's end that it does not take
/// become a node of their own behind it. It takes a node of reductions alone whoever else reads what they reduce.
std::optional<Rewritten> epilogue(const Graph& from);

}  // namespace oxbow::internal
