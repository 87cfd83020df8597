// Hyperbolic functions and their inverses, tanh apart, which ops/math.h has. f32 goes through f64, so that its result
// is rounded once; f64 is within 3 ulp (measured by tests/ops/test_accuracy.cpp). NaN outside the domain. Branch-free, of
// correctly rounded operations only. Pure functions.
#pragma once

#include <oxbow/ops/math.h>

namespace oxbow::math {

/// e^x / 2 for x >= 0, which is finite up to 710.47.
inline double half_exp(double x) {
  using F = Format<double>;
  x = x > 711 ? 711 : x;
  const double shifted = fma(x, F::log2_e, F::round), n = shifted - F::round;
  const double r = fma(n, -F::ln2_low, fma(n, -F::ln2_high, x));
  return scaled_by_power(fma(r * r, exp_series(r), r) + 1, shifted - 1);
}

/// log(1 + x) for x >= -1, infinity among them; NaN below. A zero keeps its sign.
template <std::floating_point T>
inline T log1p_of_any(T x) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  T y = log1p(x);
  y = x < infinity ? y : x;  // infinity and NaN
  y = x == T(-1) ? -infinity : y;
  return x == T(0) ? x : y;
}

inline double sinh(double x) {
  const double a = abs(x), t = expm1(a > 20 ? 20 : a);
  const double y = a > 20 ? half_exp(a) : 0.5 * (t + t / (t + 1));
  return std::copysign(x == x ? y : x, x);
}

inline double cosh(double x) {
  const double h = half_exp(abs(x));
  return h + 0.25 / h;
}

inline constexpr double log_2 = 0x1.62e42fefa39efp-1;

inline double asinh(double x) {
  const double a = abs(x);
  const bool large = a > 0x1p28;
  const double c = large ? 1.0 : a;
  const double y = large ? log(a) + log_2 : log1p(c + c * c / (1 + sqrt(c * c + 1)));
  return std::copysign(x == x ? y : x, x);
}

inline double acosh(double x) {
  const bool large = x > 0x1p28;
  const double t = (large ? 1.0 : x) - 1;
  const double y = large ? log(x) + log_2 : log1p(t + sqrt(t * (x + 1)));
  return x >= 1 ? y : x != x ? x : std::numeric_limits<double>::quiet_NaN();
}

inline double atanh(double x) {
  const double a = abs(x);
  return std::copysign(0.5 * log1p_of_any(2 * a / (1 - a)), x);
}

}  // namespace oxbow::math
