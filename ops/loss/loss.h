// Losses. Each gives one number, the mean over the batch, unless told otherwise.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// Softmax cross entropy of logits [..., classes] with integer labels [...]: losses [...] = log sum exp x - x[label],
/// and what backward needs, probabilities [..., classes] = softmax(x). A label out of range fails the run.
struct CrossEntropy {
  static constexpr OpInfo info{.name = "cross_entropy",
                               .inputs = {"logits", "labels"},
                               .outputs = {"losses?", "probabilities?"},
                               .exact = {0},
                               .can_fail = true};
  std::vector<Type> infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<InputSet> overwrites(Types) const { return {{}, {0}}; }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const CrossEntropy&) const = default;
};

/// dlogits = (probabilities - one_hot(labels)) dlosses. Where the losses are given, the label's probability less 1 is
/// e^-loss - 1, which keeps its digits where the probability is near 1; `gradients` gives them, texts of version 0.1 do
/// not. A label out of range stands for no class.
struct CrossEntropyGradient {
  static constexpr OpInfo info{.name = "cross_entropy_gradient",
                               .inputs = {"probabilities", "labels", "dlosses", "losses?"},
                               .may_overwrite = {0}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const CrossEntropyGradient&) const = default;
};

}  // namespace oxbow::ops
