// Losses. Each gives one number, the mean over the batch, unless told otherwise.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/sample.h>
#include <oxbow/ops/widen.h>

namespace oxbow {

/// What becomes of the losses of the single rows (cross entropy) or elements (mean squared error).
enum class Reduction : std::uint8_t { none, sum, mean };

/// Softmax cross entropy of logits [..., classes] with integer labels [...]: losses [...] = log sum exp x - x[label],
/// and what backward needs, probabilities [..., classes] = softmax(x). A label out of range fails the run.
struct CrossEntropy {
  static constexpr OpInfo info{.name = "cross_entropy",
                               .inputs = {"logits", "labels"},
                               .outputs = {"losses?", "probabilities?"},
                               .can_fail = true};
  std::vector<Type> infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<InputSet> overwrites(Types) const { return {{}, {0}}; }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const CrossEntropy&) const = default;
  static std::vector<Sample> samples();
};

/// dlogits = probabilities dlosses, but (e^-loss - 1) dlosses for the label: its probability less 1, without what that
/// difference loses where it is near 1. A label out of range stands for no class.
struct CrossEntropyGradient {
  static constexpr OpInfo info{.name = "cross_entropy_gradient",
                               .inputs = {"probabilities", "labels", "losses", "dlosses"},
                               .may_overwrite = {0}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const CrossEntropyGradient&) const = default;
  static std::vector<Sample> samples();
};

/// The softmax cross entropy of `logits` [..., classes] with `labels`, which are class numbers (any integer dtype,
/// shape
/// [...]) or probabilities (the logits' type). Give logits, not softmax(logits). A logit of -inf rules its class out:
/// it adds nothing where its label is 0. Throws `Error` for other types; a run throws `Error` with the label and its
/// row when a class number is not in 0 .. classes - 1.
Value cross_entropy(Value logits, Value labels, Reduction reduction = Reduction::mean, At at = At::current());

/// The cross entropy of s = sigmoid(logits) with `targets` t, probabilities of "yes" from 0 to 1, element by element:
/// -t log s - (1 - t) log(1 - s). It overflows nowhere, and keeps its digits where s is near to the target. Give
/// logits, not sigmoid(logits). Throws `Error` unless both have one floating-point type.
Value binary_cross_entropy(Value logits, Value targets, Reduction reduction = Reduction::mean, At at = At::current());

/// The square of prediction - target, element by element. Throws `Error` unless both have one type.
Value mean_squared_error(Value prediction, Value target, Reduction reduction = Reduction::mean, At at = At::current());

}  // namespace oxbow
