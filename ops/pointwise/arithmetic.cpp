#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shared/power.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {
namespace {

// Whether x is a number other than 0, or how many elements were averaged.
bool never_zero(Value x) {
  const auto number = constant_number(x);
  return x.node().op().is<CountLike>() || (number && *number != 0);
}

// x, unless it would have to be stretched to the result.
Value unless_stretched(Value x, Values in) {
  return broadcast(in[0].shape(), in[1].shape()) == x.shape() ? x : Value();
}

}  // namespace

template <Number T>
T Pow::at(T a, T b) const {
  if constexpr (std::floating_point<T>) {
    return math::pow(a, b);
  } else {
    if (std::is_signed_v<T> && b < T(0))
      return a == T(1) || (a == static_cast<T>(-1) && b % 2 == 0) ? T(1) : a == static_cast<T>(-1) ? a : T(0);
    T y = 1;
    for (; b != 0; b = static_cast<T>(b / 2), a = Square{}.at(a))
      if (b % 2 != 0) y = Multiply{}.at(y, a);
    return y;
  }
}

template <Number T>
T Maximum::at(T a, T b) const {
  return ((a > b) | (a != a)) ? a : b;
}

template <Number T>
T Minimum::at(T a, T b) const {
  return ((a < b) | (a != a)) ? a : b;
}

Grads Add::gradient(const Node& n, Values dy) const { return sum_to_inputs(n, {dy[0], dy[0]}); }

Grads Subtract::gradient(const Node& n, Values dy) const {
  const std::vector<Value> sums = sum_to_inputs(n, {dy[0], dy[0]}).values();
  return {sums[0], negate(sums[1])};
}

Grads Multiply::gradient(const Node& n, Values dy) const {
  return sum_to_inputs(n, {dy[0] * n.input(1), dy[0] * n.input(0)});
}

// Where b is 0 and nothing flows (dy = 0, as from a `where` that took another side) neither does anything here, though
// a / b is infinite or NaN there.
Grads Divide::gradient(const Node& n, Values dy) const {
  const Value b = n.input(1), y = n.output();
  if (never_zero(b)) {
    const Value da = dy[0] / b;
    return sum_to_inputs(n, {da, -(da * y)});
  }
  const Value da = masked_divide(dy[0], b);
  const Value nothing = logical_and(equal(b, 0), equal(da, 0));
  return sum_to_inputs(n, {da, -(da * where(nothing, 0, y))});
}

// b a^(b - 1) towards a, where a constant is 0 for every a: so 0^0 has exponent 0 here, not -1, which keeps the slopes
// of every order right at 0. Towards b it is a^b log a, whose limit at a = 0 is 0 for b > 0 and -inf for b < 0.
Grads Pow::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1);
  const Value at_zero = equal(a, 0);
  Value da;
  if (const auto power = constant_number(b)) {
    if (*power < 0) {                                   // a^(b - 1) is infinite where dy a^b / a is not
      const bool whole = *power == std::floor(*power);  // of others the slope at -0.0 is that at 0.0
      da = masked_divide(masked_multiply(dy[0] * *power, n.output()), whole ? a : abs(a));
    } else if (*power != 0) {
      const Value slope = *power * pow(a, *power - 1);
      da = *power < 1 ? masked_multiply(dy[0], slope) : dy[0] * slope;
    }
  } else {
    const Value below = where(logical_and(at_zero, equal(b, 0)), 1, b) - 1;
    da = masked_multiply(dy[0], b * pow(a, below));
  }
  const Value log_a = log(where(logical_and(at_zero, greater_equal(b, 0)), 1, a));
  return sum_to_inputs(n, {da, masked_multiply(dy[0], n.output() * log_a)});
}

// Where the result is NaN, the gradient goes to both.
Grads Maximum::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1);
  return sum_to_inputs(n, {where(less(a, b), 0, dy[0]), where(greater_equal(a, b), 0, dy[0])});
}

Grads Minimum::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1);
  return sum_to_inputs(n, {where(greater(a, b), 0, dy[0]), where(less_equal(a, b), 0, dy[0])});
}

// x + (-0.0) is x for every x; x + 0.0 turns -0.0 into 0.0, so only integers lose their zero.
Value Add::simplify(Values in) const {
  for (int i = 0; i < 2; ++i) {
    const auto number = constant_number(in[i]);
    if (number && *number == 0 && (std::signbit(*number) || is_integer(in[i].dtype())))
      return unless_stretched(in[1 - i], in);
  }
  for (int i = 0; i < 2; ++i)
    if (in[i].node().op().is<Negate>()) return in[1 - i] - in[i].node().input(0);
  return {};
}

// x - 0.0 is x for every x; x - (-0.0) is not.
Value Subtract::simplify(Values in) const {
  if (in[1].node().op().is<Negate>()) return in[0] + in[1].node().input(0);
  const auto number = constant_number(in[1]);
  if (number && *number == 0 && !std::signbit(*number)) return unless_stretched(in[0], in);
  return {};
}

Value Multiply::simplify(Values in) const {
  for (int i = 0; i < 2; ++i)
    if (const auto number = constant_number(in[i]); number && *number == 1) return unless_stretched(in[1 - i], in);
  // A scalar need not be broadcast before: a sum's gradient is one that many parameters would read as an array.
  for (int i = 0; i < 2; ++i)
    if (const Node n = in[i].node(); in[1 - i].shape() == in[i].shape() && in[i].rank() > 0 &&
                                     (n.op().is<BroadcastTo>() || n.op().is<BroadcastLike>()) && n.input(0).rank() == 0)
      return i == 0 ? n.input(0) * in[1] : in[0] * n.input(0);
  return {};
}

// Division by a power of two is multiplication by its reciprocal, which is exact, unless that is denormal or infinite.
Value Divide::simplify(Values in) const {
  const auto number = constant_number(in[1]);
  if (!number) return {};
  if (*number == 1) return unless_stretched(in[0], in);
  if (is_integer(in[1].dtype())) return {};
  int exponent;
  if (std::abs(std::frexp(*number, &exponent)) != 0.5 || std::abs(exponent) > 120 || in[1].rank() != 0) return {};
  return in[0] * (1 / *number);
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Add, Same, Same>;
template struct Elementwise<ops::Subtract, Same, Same>;
template struct Elementwise<ops::Multiply, Same, Same>;
template struct Elementwise<ops::Divide, Same, Same>;
template struct Elementwise<ops::Pow, Same, Same>;
template struct Elementwise<ops::Maximum, Same, Same>;
template struct Elementwise<ops::Minimum, Same, Same>;

Value add(Operand a, Operand b, At at) { return apply(ops::Add{}, values_of("add", {a, b}, at), at); }
Value subtract(Operand a, Operand b, At at) { return apply(ops::Subtract{}, values_of("subtract", {a, b}, at), at); }
Value multiply(Operand a, Operand b, At at) { return apply(ops::Multiply{}, values_of("multiply", {a, b}, at), at); }
Value divide(Operand a, Operand b, At at) { return apply(ops::Divide{}, values_of("divide", {a, b}, at), at); }
Value maximum(Operand a, Operand b, At at) { return apply(ops::Maximum{}, values_of("maximum", {a, b}, at), at); }
Value minimum(Operand a, Operand b, At at) { return apply(ops::Minimum{}, values_of("minimum", {a, b}, at), at); }

Value pow(Operand a, Operand b, At at) {
  if (a.value() && b.is_number()) {
    if (b.number() == 1) return a.value();
    if (b.number() == 2) return as_called("pow", [&] { return square(a.value(), at); });
  }
  return apply(ops::Pow{}, values_of("pow", {a, b}, at), at);
}

}  // namespace oxbow
