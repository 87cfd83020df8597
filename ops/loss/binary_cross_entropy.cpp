#include <oxbow/ops/loss.h>
#include <oxbow/ops/loss/binary_cross_entropy.h>
#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>

namespace oxbow::ops {

template <std::floating_point T>
T BinaryCrossEntropy::at(T x, T t) const {
  const T distance = math::abs(x), wrong = x > T(0) ? T(1) - t : t;
  const T penalty = wrong == T(0) ? T(0) : wrong * distance;  // also where the logit is infinite
  return penalty + math::log1p(math::exp(-distance));
}

template <std::floating_point T>
T BinaryCrossEntropyGradient::at(T x, T t, T dy) const {
  const T tail = math::sigmoid(-math::abs(x));  // of the answer that x speaks against
  return dy * (x > T(0) ? (T(1) - t) - tail : tail - t);
}

Grads BinaryCrossEntropy::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), t = n.input(1);
  return sum_to_inputs(n,
                       {apply(BinaryCrossEntropyGradient{}, {x, t, dy[0]}, At::current()), -masked_multiply(dy[0], x)});
}

// s (1 - s), the slope of the sigmoid, is the same for -x: taken on the side where s is small.
Grads BinaryCrossEntropyGradient::gradient(const Node& n, Values v) const {
  const Value x = n.input(0), t = n.input(1), both = v[0] * n.input(2);
  return sum_to_inputs(n, {apply(SigmoidGradient{}, {sigmoid(-abs(x)), both}, At::current()), -both,
                           apply(BinaryCrossEntropyGradient{}, {x, t, v[0]}, At::current())});
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::BinaryCrossEntropy, Same, Same>;
template struct Elementwise<ops::BinaryCrossEntropyGradient, Same, Same, Same>;

}  // namespace oxbow
