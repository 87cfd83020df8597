// One op on tensors, or a small graph of constants, at once and serially: for constant folding, and wherever a few
// values are wanted without a `Program`.
// Thread safety: safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::internal {

/// The outputs of `op`, by the very kernels that a program runs, so with the same bits. Throws `OpError` as the op
/// does, and `InternalError` for an op that is not computed (an input or a variable). An input of which only the type
/// is read may have no bytes; an output that needs them after all, as the moments of an empty batch do, has none
/// either.
std::vector<Tensor> evaluate(const Op& op, std::span<const Tensor> inputs);

/// Whether a tensor has elements, but no bytes.
bool lacks_bytes(const Tensor& t);

/// Values of one graph, computed from constants alone. Throws as the above.
std::vector<Tensor> evaluate(Values wanted);

}  // namespace oxbow::internal
