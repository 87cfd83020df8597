// Cross entropy of yes-or-no targets t with logits x, element by element, and its slope. Both are sums of terms of one
// sign, so that they keep their digits where sigmoid(x) rounds to the target.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// softplus(x) - t x = log(1 + e^-|x|) + |x| (1 - t where x > 0, else t)
struct BinaryCrossEntropy : Binary<BinaryCrossEntropy> {
  static constexpr OpInfo info{
      .name = "binary_cross_entropy", .inputs = {"logits", "targets"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T x, T t) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const BinaryCrossEntropy&) const = default;
};

/// dy (sigmoid(x) - t)
struct BinaryCrossEntropyGradient : Elementwise<BinaryCrossEntropyGradient, Same, Same, Same> {
  static constexpr OpInfo info{.name = "binary_cross_entropy_gradient",
                               .inputs = {"logits", "targets", "dy"},
                               .may_overwrite = {0, 1, 2},
                               .any_layout = true};
  template <std::floating_point T>
  T at(T x, T t, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const BinaryCrossEntropyGradient&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::BinaryCrossEntropy, Same, Same>;
extern template struct Elementwise<ops::BinaryCrossEntropyGradient, Same, Same, Same>;

}  // namespace oxbow
