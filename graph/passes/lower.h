// Lowering: ops on dtypes that their kernels lack compute in other ones (`Op::widen`), ops made of several kernels
// become several nodes (`Op::lower`, again and again), and every elementwise op and every reduction's kernel becomes a
// `Fused` node of its own (graph/passes/fusion/fused.h), so that all that is left has `run`. A pass: see
// graph/passes/passes.h.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

namespace oxbow::internal {

/// A graph in which every op is a leaf or has `run`. Throws `Error` for an op that has no way to compute.
std::optional<Rewritten> lower(const Graph& from);

}  // namespace oxbow::internal
