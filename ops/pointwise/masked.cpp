#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/masked.h>

namespace oxbow::ops {

template <std::floating_point T>
T MaskedMultiply::at(T a, T b) const {
  const T product = a * b;
  return ((a == T(0)) & (math::abs(b) == std::numeric_limits<T>::infinity())) ? T(0) : product;
}

template <std::floating_point T>
T MaskedDivide::at(T a, T b) const {
  const T quotient = a / b;
  return ((a == T(0)) & (b == T(0))) ? T(0) : quotient;
}

Grads MaskedMultiply::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1);
  return sum_to_inputs(n, {masked_multiply(dy[0], b), masked_multiply(a, dy[0])});
}

Grads MaskedDivide::gradient(const Node& n, Values dy) const {
  const Value b = n.input(1);
  return sum_to_inputs(n, {masked_divide(dy[0], b), -masked_divide(masked_multiply(n.output(), dy[0]), b)});
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::MaskedMultiply, Same, Same>;
template struct Elementwise<ops::MaskedDivide, Same, Same>;

Value masked_multiply(Value a, Value b, At at) { return apply(ops::MaskedMultiply{}, {a, b}, at); }
Value masked_divide(Value a, Value b, At at) { return apply(ops::MaskedDivide{}, {a, b}, at); }

}  // namespace oxbow
