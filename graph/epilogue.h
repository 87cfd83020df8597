// Epilogues: a product applies the elementwise ops that follow it (bias, activation, mask, residual) to each block of
// its result while that block is in cache. An op takes part by one optional member:
//
//   struct Product {
//     Tape epilogue;                                       // an attribute like any other; empty: none
//     std::vector<Type> infer(Types in) const;             // own inputs first, then the tape's inputs 1, 2, ...;
//     outputs
//                                                          // are the tape's: epilogue_types(epilogue, result,
//                                                          in[own..])
//     std::optional<Op> with_epilogue(const Tape& tape, Types in) const;
//   };
//
// Tape input 0 is the op's result (output 0 without an epilogue); tape inputs 1, 2, ... follow the op's own inputs. The
// tape's outputs, one or more, replace the op's only output; the result itself is stored only where the tape lists
// value 0 as an output. `in` are the types of all inputs, own and extra. An op that has an epilogue already, or cannot
// apply this one, returns nothing. In `prepare` it makes a `TapePlan(epilogue, {result, extra...})`; in `run`, for each
// block that it has finished, it calls `plan.run(extra inputs, outputs, block, scratch)` with `plan.scratch()` bytes. A
// block's elements may lie in scratch or where output 0 will be (if that has the result's dtype). Bits do not depend on
// blocks.
#pragma once

#include <oxbow/graph/rewrite.h>
#include <oxbow/graph/tape_plan.h>

namespace oxbow {

/// The output types of a product whose result has type `result` and whose extra inputs are `extra`.
std::vector<Type> epilogue_types(const Tape& epilogue, const Type& result, Types extra);

/// The pass: each op with `with_epilogue` whose result is read by one elementwise node only, and not fetched, takes it
/// over.
std::optional<Rewritten> epilogue(const Graph& from);

}  // namespace oxbow
