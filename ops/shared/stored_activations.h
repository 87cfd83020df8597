// `store_activations` (ops/store_activations.h) as a rewrite, with the map of values that dumps follow. The dtype is
// f16 or bf16. Thread safety: a pure function.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::ops {

internal::Rewritten stored_activations(const Graph& from, Values fetches, DType dtype);

}  // namespace oxbow::ops
