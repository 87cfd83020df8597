// Losses, and what is reported beside them. Each gives one number, the mean over the batch, unless told otherwise.
#pragma once

#include <oxbow/graph/value.h>

#include <optional>

namespace oxbow {

/// What becomes of the losses of the single rows (cross entropy) or elements (mean squared error).
enum class Reduction : std::uint8_t { none, sum, mean };

/// The softmax cross entropy of `logits` [..., classes] with `labels`, which are class numbers (any integer dtype,
/// shape [...]) or probabilities (the logits' type). Give logits, not softmax(logits). A logit of -inf rules its class
/// out: it adds nothing where its label is 0. Throws `Error` for other types, and for what `softmax` gives; a run
/// throws `Error` with the label and its row when a class number is not in 0 .. classes - 1.
Value cross_entropy(Value logits, Value labels, Reduction reduction = Reduction::mean, At at = At::current());

struct ClassOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t axis = -1;                         ///< of the classes
  std::optional<std::int64_t> ignore_index = {};  ///< rows with this label have the loss 0, and do not count
  Value class_weights = {};                       ///< [classes]: a row counts as much as its label's weight says
  double label_smoothing = 0;                     ///< the share of each label that all classes have equally
};
/// The same with options. `mean` divides by what the rows count, their weights; where labels are probabilities, by the
/// number of rows. Weights and smoothing as in PyTorch's cross_entropy. ONNX: SoftmaxCrossEntropyLoss.
Value cross_entropy(Value logits, Value labels, ClassOptions options, At at = At::current());

/// The negative log-likelihood: minus the label's element of `log_probabilities`, whose classes lie along
/// `options.axis`; labels are class numbers in the shape of the other axes. ONNX: NegativeLogLikelihoodLoss. Throws
/// `Error` for other types, and for a label smoothing; a run throws `Error` for a label that is no class.
Value nll_loss(Value log_probabilities, Value labels, ClassOptions options = {}, At at = At::current());

/// The cross entropy of s = sigmoid(logits) with `targets` t, probabilities of "yes" from 0 to 1, element by element:
/// -t log s - (1 - t) log(1 - s). It overflows nowhere, and keeps its digits where s is near to the target. Give
/// logits, not sigmoid(logits). Throws `Error` unless both have one floating-point type, and for what `sigmoid` gives.
Value binary_cross_entropy(Value logits, Value targets, Reduction reduction = Reduction::mean, At at = At::current());

/// The square of prediction - target, element by element. Throws `Error` unless both have one type.
Value mean_squared_error(Value prediction, Value target, Reduction reduction = Reduction::mean, At at = At::current());

/// d^2 / 2 with d = prediction - target, element by element, but delta (|d| - delta / 2) beyond delta: Huber 1964.
/// Throws `Error` unless both have one type, of floating point, and for a delta that is not above 0 and finite.
Value huber_loss(Value prediction, Value target, double delta = 1, Reduction reduction = Reduction::mean,
                 At at = At::current());

/// max(0, 1 - prediction target), element by element, of targets -1 and 1. Throws `Error` unless both have one type, of
/// floating point.
Value hinge_loss(Value prediction, Value target, Reduction reduction = Reduction::mean, At at = At::current());

/// The Kullback-Leibler divergence target (log target - log_prediction), element by element, where 0 log 0 is 0; its
/// sum over the classes is that of a row. Throws `Error` unless both have one type, of floating point.
Value kl_divergence(Value log_prediction, Value target, Reduction reduction = Reduction::mean, At at = At::current());

struct CtcOptions {
  Reduction reduction = Reduction::mean;  ///< `mean` divides each loss by its number of labels before
  std::int64_t blank = 0;                 ///< the class that stands for no label
};
/// Connectionist temporal classification: minus the logarithm of the probability that `labels` [batch, length] are read
/// from `log_probabilities` [steps, batch, classes], in order, each for one step or several, with blanks between:
/// Graves et al. 2006. Of each row, as many steps and labels count as `input_lengths` and `label_lengths` [batch] say;
/// the other labels may be any number. Where there are too few steps the loss is infinite, and its gradient 0. The
/// number of steps is fixed. Throws `Error` for other types; a run throws `Error` for a label that is no class, and for
/// a length below 0 or beyond what there is.
Value ctc_loss(Value log_probabilities, Value labels, Value input_lengths, Value label_lengths, CtcOptions options = {},
               At at = At::current());

/// The cosine of the angle between a and b along an axis, which it takes away: sum(a b) / max(|a| |b|, epsilon), of
/// floating point. They broadcast.
Value cosine_similarity(Value a, Value b, std::int64_t axis = -1, double epsilon = 1e-8, At at = At::current());

/// The share of rows whose largest logit is the label's: a metric, f32, which has no gradient. `logits` [..., classes],
/// or probabilities; `labels` [...] of any integer dtype. Of equal logits the first counts. Keras:
/// SparseCategoricalAccuracy. Throws `Error` for other types.
Value accuracy(Value logits, Value labels, At at = At::current());

}  // namespace oxbow
