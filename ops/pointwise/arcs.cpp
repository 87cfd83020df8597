#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/arcs.h>
#include <oxbow/ops/shared/arcs.h>

namespace oxbow::ops {

template <std::floating_point T>
T Asin::at(T x) const {
  return static_cast<T>(math::asin(static_cast<double>(x)));
}

template <std::floating_point T>
T Acos::at(T x) const {
  return static_cast<T>(math::acos(static_cast<double>(x)));
}

template <std::floating_point T>
T Atan::at(T x) const {
  return static_cast<T>(math::atan(static_cast<double>(x)));
}

namespace {

// sqrt(1 - x^2), without its cancellation.
Value other_side(Value x) {
  const Value below = 1.0 - x;
  return sqrt(below * (1.0 + x));
}

}  // namespace

Grads Asin::gradient(const Node& n, Values dy) const { return {masked_divide(dy[0], other_side(n.input(0)))}; }
Grads Acos::gradient(const Node& n, Values dy) const { return {-masked_divide(dy[0], other_side(n.input(0)))}; }
Grads Atan::gradient(const Node& n, Values dy) const { return {dy[0] / (1.0 + square(n.input(0)))}; }

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Asin, Same>;
template struct Elementwise<ops::Acos, Same>;
template struct Elementwise<ops::Atan, Same>;

Value asin(Value x, At at) { return apply(ops::Asin{}, {x}, at); }
Value acos(Value x, At at) { return apply(ops::Acos{}, {x}, at); }
Value atan(Value x, At at) { return apply(ops::Atan{}, {x}, at); }

}  // namespace oxbow
