#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/hyperbolic.h>
#include <oxbow/ops/shared/hyperbolic.h>

namespace oxbow::ops {

template <std::floating_point T>
T Sinh::at(T x) const {
  return static_cast<T>(math::sinh(static_cast<double>(x)));
}

template <std::floating_point T>
T Cosh::at(T x) const {
  return static_cast<T>(math::cosh(static_cast<double>(x)));
}

template <std::floating_point T>
T Asinh::at(T x) const {
  return static_cast<T>(math::asinh(static_cast<double>(x)));
}

template <std::floating_point T>
T Acosh::at(T x) const {
  return static_cast<T>(math::acosh(static_cast<double>(x)));
}

template <std::floating_point T>
T Atanh::at(T x) const {
  return static_cast<T>(math::atanh(static_cast<double>(x)));
}

Grads Sinh::gradient(const Node& n, Values dy) const { return {masked_multiply(dy[0], cosh(n.input(0)))}; }
Grads Cosh::gradient(const Node& n, Values dy) const { return {masked_multiply(dy[0], sinh(n.input(0)))}; }

// Far out, where x^2 overflows, sqrt(1 + x^2) is |x|.
Grads Asinh::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), a = abs(x), far = greater(a, 1e9);
  const Value near = sqrt(1.0 + square(where(far, 0, x)));
  return {dy[0] / where(far, a, near)};
}
Grads Acosh::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), below = sqrt(x - 1.0);  // two roots: the product of what is beneath may overflow
  return {masked_divide(dy[0], below * sqrt(x + 1.0))};
}
Grads Atanh::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), below = 1.0 - x;
  return {masked_divide(dy[0], below * (1.0 + x))};
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Sinh, Same>;
template struct Elementwise<ops::Cosh, Same>;
template struct Elementwise<ops::Asinh, Same>;
template struct Elementwise<ops::Acosh, Same>;
template struct Elementwise<ops::Atanh, Same>;

Value sinh(Value x, At at) { return apply(ops::Sinh{}, {x}, at); }
Value cosh(Value x, At at) { return apply(ops::Cosh{}, {x}, at); }
Value asinh(Value x, At at) { return apply(ops::Asinh{}, {x}, at); }
Value acosh(Value x, At at) { return apply(ops::Acosh{}, {x}, at); }
Value atanh(Value x, At at) { return apply(ops::Atanh{}, {x}, at); }

}  // namespace oxbow
