// An op of one's own, outside Oxbow's tree, with all that a built-in one has: it fuses, differentiates, prints, and
// runs as fast. Softsign, y = x / (1 + |x|) (Turian, Bergstra and Bengio 2009), with the derivative 1 / (1 + |x|)^2.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::examples {

struct Softsign : Unary<Softsign> {
  static constexpr OpInfo info{.name = "softsign", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;  // one element; softsign.cpp makes loops of it
  Grads gradient(const Node& n, Values dy) const { return {dy[0] / square(1.0 + abs(n.input(0)))}; }
  bool operator==(const Softsign&) const = default;
};

inline Value softsign(Value x, At at = At::current()) { return apply(Softsign{}, {x}, at); }

}  // namespace oxbow::examples

extern template struct oxbow::Elementwise<oxbow::examples::Softsign, oxbow::Same>;
