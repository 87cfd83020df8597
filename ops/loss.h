// Losses, and what is reported beside them. Each gives one number, the mean over the batch, unless told otherwise.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// What becomes of the losses of the single rows (cross entropy) or elements (mean squared error).
enum class Reduction : std::uint8_t { none, sum, mean };

/// The softmax cross entropy of `logits` [..., classes] with `labels`, which are class numbers (any integer dtype,
/// shape [...]) or probabilities (the logits' type). Give logits, not softmax(logits). A logit of -inf rules its class
/// out: it adds nothing where its label is 0. Throws `Error` for other types, and for what `softmax` gives; a run
/// throws `Error` with the label and its row when a class number is not in 0 .. classes - 1.
Value cross_entropy(Value logits, Value labels, Reduction reduction = Reduction::mean, At at = At::current());

/// The cross entropy of s = sigmoid(logits) with `targets` t, probabilities of "yes" from 0 to 1, element by element:
/// -t log s - (1 - t) log(1 - s). It overflows nowhere, and keeps its digits where s is near to the target. Give
/// logits, not sigmoid(logits). Throws `Error` unless both have one floating-point type, and for what `sigmoid` gives.
Value binary_cross_entropy(Value logits, Value targets, Reduction reduction = Reduction::mean, At at = At::current());

/// The square of prediction - target, element by element. Throws `Error` unless both have one type.
Value mean_squared_error(Value prediction, Value target, Reduction reduction = Reduction::mean, At at = At::current());

/// The share of rows whose largest logit is the label's: a metric, f32, which has no gradient. `logits` [..., classes],
/// or probabilities; `labels` [...] of any integer dtype. Of equal logits the first counts. Keras:
/// SparseCategoricalAccuracy. Throws `Error` for other types.
Value accuracy(Value logits, Value labels, At at = At::current());

}  // namespace oxbow
