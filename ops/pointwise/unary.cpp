#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/pointwise/nested.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/ops/shared/hyperbolic.h>

#include <cmath>

namespace oxbow::ops {

template <Number T>
T Negate::at(T x) const {
  if constexpr (std::floating_point<T>)
    return -x;
  else
    return static_cast<T>(0U - static_cast<Wrapping<T>>(x));
}

template <Number T>
T Abs::at(T x) const {
  if constexpr (std::floating_point<T>)
    return math::abs(x);
  else
    return x < 0 ? Negate{}.at(x) : x;
}

template <std::floating_point T>
T Reciprocal::at(T x) const {
  return T(1) / x;
}

template <std::floating_point T>
T Exp::at(T x) const {
  return math::exp(x);
}

template <std::floating_point T>
T Log::at(T x) const {
  return math::log(x);
}

template <std::floating_point T>
T Expm1::at(T x) const {
  return std::copysign(math::expm1(x), x);  // the sign of a zero
}

template <std::floating_point T>
T Log1p::at(T x) const {
  return math::log1p_of_any(x);
}

template <Real T>
T Rsqrt::at(T x) const {
  return math::rsqrt(x);
}

TileFn Sqrt::tile(Types in) const { return tile_over<Sqrt>(in[0].dtype); }
TileFn Rsqrt::tile(Types in) const { return tile_over<Rsqrt>(in[0].dtype); }

Grads Negate::gradient(const Node&, Values dy) const { return {-dy[0]}; }
Grads Square::gradient(const Node& n, Values dy) const { return {dy[0] * n.input(0) * 2}; }
Grads Reciprocal::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0);  // two quotients: where x is tiny, 1 / x^2 is infinite though dy / x^2 is not
  return {-masked_divide(masked_divide(dy[0], x), x)};
}
Grads Exp::gradient(const Node& n, Values dy) const { return {masked_multiply(dy[0], n.output())}; }
Grads Log::gradient(const Node& n, Values dy) const { return {masked_divide(dy[0], n.input(0))}; }
Grads Expm1::gradient(const Node& n, Values dy) const { return {masked_multiply(dy[0], exp(n.input(0)))}; }
Grads Log1p::gradient(const Node& n, Values dy) const { return {masked_divide(dy[0], 1.0 + n.input(0))}; }
Grads Sqrt::gradient(const Node& n, Values dy) const { return {masked_divide(dy[0] * 0.5, n.output())}; }
Grads Rsqrt::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0);
  return {masked_divide(masked_divide(dy[0] * -0.5, x), sqrt(x))};
}
Grads Abs::gradient(const Node& n, Values dy) const { return {dy[0] * sign(n.input(0))}; }
Grads Sign::gradient(const Node&, Values) const { return {Value()}; }

Value Negate::simplify(Values in) const {
  const Node n = in[0].node();
  return n.op().is<Negate>() ? n.input(0) : Value();
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Negate, Same>;
template struct Elementwise<ops::Square, Same>;
template struct Elementwise<ops::Reciprocal, Same>;
template struct Elementwise<ops::Exp, Same>;
template struct Elementwise<ops::Log, Same>;
template struct Elementwise<ops::Expm1, Same>;
template struct Elementwise<ops::Log1p, Same>;
template struct Elementwise<ops::Sqrt, Same>;
template struct Elementwise<ops::Rsqrt, Same>;
template struct Elementwise<ops::Abs, Same>;
template struct Elementwise<ops::Sign, Same>;

Value negate(Value x, At at) { return apply(ops::Negate{}, {x}, at); }
Value square(Value x, At at) { return apply(ops::Square{}, {x}, at); }
Value reciprocal(Value x, At at) { return apply(ops::Reciprocal{}, {x}, at); }
Value exp(Value x, At at) { return apply(ops::Exp{}, {x}, at); }
Value log(Value x, At at) { return apply(ops::Log{}, {x}, at); }
Value expm1(Value x, At at) { return apply(ops::Expm1{}, {x}, at); }
Value log1p(Value x, At at) { return apply(ops::Log1p{}, {x}, at); }
Value sqrt(Value x, At at) { return apply(ops::Sqrt{}, {x}, at); }
Value rsqrt(Value x, At at) { return apply(ops::Rsqrt{}, {x}, at); }
Value abs(Value x, At at) { return apply(ops::Abs{}, {x}, at); }
Value sign(Value x, At at) { return apply(ops::Sign{}, {x}, at); }

}  // namespace oxbow
