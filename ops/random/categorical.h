// Drawing class numbers. A regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// For each row of x [..., classes] the first class at which the running sum of its probabilities, in double and in
/// order, exceeds a uniform number's share of the whole.
struct RandomCategorical {
  static constexpr OpInfo info{.name = "random_categorical", .inputs = {"x", "state"}, .can_fail = true};
  bool probabilities = false;  ///< x are these, or any numbers in proportion; else logits
  std::int64_t stream = 0;
  bool in_inference = false;
  static void attributes(auto&& visit) {
    visit("probabilities", &RandomCategorical::probabilities);
    visit("stream", &RandomCategorical::stream);
    visit("in_inference", &RandomCategorical::in_inference);
  }
  bool operator==(const RandomCategorical&) const = default;
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
};

}  // namespace oxbow::ops
