#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/trigonometry.h>

#include <cmath>
#include <numbers>

namespace oxbow::ops {
namespace {

constexpr double pi = std::numbers::pi;

// f in [-1/4, 1/4] and the quarter turns q with x = f + q / 2; both exact. Beyond 2^22 (2^51) every float is an
// integer, and beyond twice as much an even one.
template <std::floating_point T>
T quarter_turns(T x, bool& odd, bool& half) {
  using F = math::Format<T>;
  constexpr T large = F::integer * 2;
  const T near = math::abs(x) < large ? x : x - x;  // 0, or NaN for an infinity
  const T turns = near * T(0.5);                    // of whole turns only the fraction matters
  const T whole = (turns + F::round) - F::round;
  const T rest = near - T(2) * whole;               // in [-1, 1]
  const T q = (T(2) * rest + F::round) - F::round;  // -2 .. 2
  odd = (q == T(1)) | (q == T(-1));
  half = (q == T(2)) | (q == T(-2)) | (q == T(-1));
  return rest - T(0.5) * q;
}

template <std::floating_point T>
T cosine(T x) {  // |x| <= pi / 4; the Taylor series
  const T z = x * x;
  if constexpr (std::is_same_v<T, float>)
    return math::fma(z, math::polynomial(z, 2.48015873e-5F, -1.38888889e-3F, 4.16666667e-2F, -0.5F), 1.0F);
  else
    return math::fma(z,
                     math::polynomial(z, 4.77947733238738530e-14, -1.14707455977297247e-11, 2.08767569878680990e-9,
                                      -2.75573192239858907e-7, 2.48015873015873016e-5, -1.38888888888888889e-3,
                                      4.16666666666666667e-2, -0.5),
                     1.0);
}

template <std::floating_point T>
T sine(T x) {
  const T z = x * x;
  if constexpr (std::is_same_v<T, float>)
    return math::fma(x * z, math::polynomial(z, 2.75573192e-6F, -1.98412698e-4F, 8.33333333e-3F, -1.66666667e-1F), x);
  else
    return math::fma(x * z,
                     math::polynomial(z, 2.81145725434552076e-15, -7.64716373181981648e-13, 1.60590438368216146e-10,
                                      -2.50521083854417188e-8, 2.75573192239858907e-6, -1.98412698412698413e-4,
                                      8.33333333333333333e-3, -1.66666666666666667e-1),
                     x);
}

}  // namespace

template <std::floating_point T>
T CosPi::at(T x) const {
  bool odd, half;
  const T f = quarter_turns(x, odd, half) * T(pi);
  const T c = cosine(f), s = sine(f);
  // cos(a + pi q / 2): c, -s, -c, s for q = 0, 1, 2, -1.
  const T y = odd ? s : c;
  return half != odd ? -y : y;
}

template <std::floating_point T>
T SinPi::at(T x) const {
  bool odd, half;
  const T f = quarter_turns(x, odd, half) * T(pi);
  const T c = cosine(f), s = sine(f);
  // sin(a + pi q / 2): s, c, -s, -c for q = 0, 1, 2, -1.
  const T y = odd ? c : s;
  return half ? -y : y;
}

template double CosPi::at(double) const;  // also for tables of roots
template double SinPi::at(double) const;

Grads CosPi::gradient(const Node& n, Values dy) const { return {dy[0] * -pi * sinpi(n.input(0))}; }
Grads SinPi::gradient(const Node& n, Values dy) const { return {dy[0] * pi * cospi(n.input(0))}; }

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::CosPi, Same>;
template struct Elementwise<ops::SinPi, Same>;

Value cospi(Value x, At at) { return apply(ops::CosPi{}, {x}, at); }
Value sinpi(Value x, At at) { return apply(ops::SinPi{}, {x}, at); }

}  // namespace oxbow
