// An op of one's own, outside Oxbow's tree, with all that a built-in one has: it fuses, differentiates, prints, and
// runs as fast. The Gaussian y = exp(-x^2) of radial basis functions (Broomhead and Lowe 1988), with the derivative
// -2 x y.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::examples {

struct Gaussian : Unary<Gaussian> {
  static constexpr OpInfo info{.name = "gaussian", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;  // one element; gaussian.cpp makes loops of it
  Grads gradient(const Node& n, Values dy) const { return {dy[0] * n.output() * n.input(0) * -2}; }
  bool operator==(const Gaussian&) const = default;
};

inline Value gaussian(Value x, At at = At::current()) { return apply(Gaussian{}, {x}, at); }

}  // namespace oxbow::examples

extern template struct oxbow::Elementwise<oxbow::examples::Gaussian, oxbow::Same>;
