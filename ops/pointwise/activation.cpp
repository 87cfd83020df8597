#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/formulas.h>

#include <limits>
#include <numbers>

namespace oxbow::ops {

template <std::floating_point T>
T Sigmoid::at(T x) const {
  return math::sigmoid(x);
}

template <std::floating_point T>
T Erf::at(T x) const {
  return math::erf(x);
}

template <std::floating_point T>
T Gelu::at(T x) const {
  return math::gelu(x);
}

// At -inf, where the sigmoid is 0, it is 0.
template <std::floating_point T>
T Silu::at(T x) const {
  const T s = math::sigmoid(x), y = x * s;
  return s == T(0) ? T(0) : y;
}

template <std::floating_point T>
T Softplus::at(T x) const {
  return math::softplus(x);
}

// An infinity would be divided by another one; the largest number gives the same as it should.
template <std::floating_point T>
T Softsign::at(T x) const {
  constexpr T most = std::numeric_limits<T>::max();
  const T finite = x > most ? most : x < -most ? -most : x;
  return finite / (T(1) + math::abs(finite));
}

template <std::floating_point T>
T SigmoidGradient::at(T y, T dy) const {
  return dy * math::fma(-y, y, y);
}

template <Number T>
T ReluGradient::at(T y, T dy) const {
  return y <= T(0) ? T(0) : dy;
}

template <std::floating_point T>
T GeluGradient::at(T x, T dy) const {
  return dy * math::gelu_slope(x);
}

template <std::floating_point T>
T SiluGradient::at(T x, T dy) const {
  const T s = math::sigmoid(x), bend = s * (T(1) - s), rest = x * bend;
  return dy * (s + (bend == T(0) ? T(0) : rest));  // 0 at infinity, too
}

namespace {

// What an op of an output or input `a` and of `dy` gives.
template <class Gradient>
Value through(Value a, Value dy) {
  return apply(Gradient{}, {a, dy}, At::current());
}

// x, kept where exp(-x^2 / 2) is above 0: what is multiplied by that is then finite, and 0 farther out.
Value within_normal(Value x) { return maximum(minimum(x, math::normal_limit<double>), -math::normal_limit<double>); }

// exp(-x^2 / 2) / sqrt(2 pi)
Value normal_density(Value x) { return exp(square(x) * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2); }

}  // namespace

Grads Tanh::gradient(const Node& n, Values dy) const { return {through<TanhGradient>(n.output(), dy[0])}; }
Grads Sigmoid::gradient(const Node& n, Values dy) const { return {through<SigmoidGradient>(n.output(), dy[0])}; }
Grads Relu::gradient(const Node& n, Values dy) const { return {through<ReluGradient>(n.output(), dy[0])}; }
Grads Gelu::gradient(const Node& n, Values dy) const { return {through<GeluGradient>(n.input(0), dy[0])}; }
Grads Silu::gradient(const Node& n, Values dy) const { return {through<SiluGradient>(n.input(0), dy[0])}; }
Grads Softplus::gradient(const Node& n, Values dy) const { return {dy[0] * sigmoid(n.input(0))}; }
Grads Softsign::gradient(const Node& n, Values dy) const {
  const Value u = 1.0 + abs(n.input(0));  // two quotients: of an infinite square the slope would be NaN
  return {dy[0] / u / u};
}
Grads Erf::gradient(const Node& n, Values dy) const {
  return {dy[0] * exp(-square(within_normal(n.input(0)))) * (2 * std::numbers::inv_sqrtpi)};
}

Grads TanhGradient::gradient(const Node& n, Values dy) const {
  const Value y = n.input(0);
  return sum_to_inputs(n, {dy[0] * n.input(1) * y * -2, through<TanhGradient>(y, dy[0])});
}

Grads SigmoidGradient::gradient(const Node& n, Values dy) const {
  const Value y = n.input(0);
  return sum_to_inputs(n, {dy[0] * n.input(1) * (1 - 2 * y), through<SigmoidGradient>(y, dy[0])});
}

Grads ReluGradient::gradient(const Node& n, Values dy) const {
  return sum_to_inputs(n, {Value(), through<ReluGradient>(n.input(0), dy[0])});
}

// phi'(x) = -x phi(x), so the slope of Phi(x) + x phi(x) is phi(x) (2 - x^2).
Grads GeluGradient::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), c = within_normal(x);
  return sum_to_inputs(n, {dy[0] * n.input(1) * normal_density(c) * (2 - square(c)), through<GeluGradient>(x, dy[0])});
}

// The slope s + x s (1 - s) has the slope s (1 - s) (2 + x (1 - 2 s)), which is 0 where the sigmoid s has reached 0
// or 1.
Grads SiluGradient::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), c = clip(x, -800, 800), s = sigmoid(c), both = dy[0] * n.input(1);
  const Value bend = both * (s * (1.0 - s)), turn = 1.0 - 2.0 * s;
  return sum_to_inputs(n, {bend * (2.0 + c * turn), through<SiluGradient>(x, dy[0])});
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Tanh, Same>;
template struct Elementwise<ops::Sigmoid, Same>;
template struct Elementwise<ops::Relu, Same>;
template struct Elementwise<ops::Erf, Same>;
template struct Elementwise<ops::Gelu, Same>;
template struct Elementwise<ops::Silu, Same>;
template struct Elementwise<ops::Softplus, Same>;
template struct Elementwise<ops::Softsign, Same>;
template struct Elementwise<ops::TanhGradient, Same, Same>;
template struct Elementwise<ops::SigmoidGradient, Same, Same>;
template struct Elementwise<ops::ReluGradient, Same, Same>;
template struct Elementwise<ops::GeluGradient, Same, Same>;
template struct Elementwise<ops::SiluGradient, Same, Same>;

Value tanh(Value x, At at) { return apply(ops::Tanh{}, {x}, at); }
Value sigmoid(Value x, At at) { return apply(ops::Sigmoid{}, {x}, at); }
Value relu(Value x, At at) { return apply(ops::Relu{}, {x}, at); }
Value erf(Value x, At at) { return apply(ops::Erf{}, {x}, at); }
Value gelu(Value x, At at) { return apply(ops::Gelu{}, {x}, at); }
Value silu(Value x, At at) { return apply(ops::Silu{}, {x}, at); }
Value softplus(Value x, At at) { return apply(ops::Softplus{}, {x}, at); }
Value softsign(Value x, At at) { return apply(ops::Softsign{}, {x}, at); }

}  // namespace oxbow
