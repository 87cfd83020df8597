// x^y for kernels, to within 0.51 ulp in f32 and 0.7 in f64 (measured by tests/ops/test_accuracy.cpp): 0.62 of `exp_twice`,
// and from the logarithm, in error by 2^-67 |2 s| with |y 2 s| < 746, some 0.06 ulp. For f64 the logarithm is kept in
// two doubles. As ops/math.h: branch-free, of correctly rounded operations only. Pure functions.
#pragma once

#include <oxbow/ops/math.h>

namespace oxbow::math {

/// a b exactly as a sum of two.
inline double product(double a, double b, double& low) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  const double high = a * b;
  low = __builtin_fma(a, b, -high);
#else
  constexpr double split = 134217729.0;  // 2^27 + 1 (Dekker 1971)
  const double high = a * b;
  const double ca = split * a, cb = split * b;
  const double a1 = ca - (ca - a), b1 = cb - (cb - b), a2 = a - a1, b2 = b - b1;
  low = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2;
#endif
  return high;
}

/// a + b exactly as a sum of two (Knuth 1969).
inline double two_sum(double a, double b, double& low) {
  const double s = a + b, c = s - a;
  low = (a - (s - c)) + (b - c);
  return s;
}

/// log x as a sum of two, for positive finite x = 2^n (1 + f): n ln 2 + 2 s + 2 s^3 / 3 + 2 s^5 / 5 in two doubles
/// each, where s = f / (2 + f), and the rest of 2 artanh s in one: 2 s^7 / 7 + ... + 2 s^25 / 25. As |s| < 0.172, that
/// rest is below 4e-6 |2 s|, its rounding below 4 * 2^-53 * 4e-6 |2 s| < 2^-68 |2 s|, and what is cut off below 2^-69
/// |2 s|.
inline double log_twice(double x, double& low) {
  double n, e1, e2, e3, e4, p, z_low, cube_low, third_low, power_low, fifth_low;
  const double f = mantissa_and_exponent(x, n);
  const double d = two_sum(2.0, f, e1);
  const double s = f / d;
  const double back = product(s, d, p);
  const double s_low = ((f - back) - p - s * e1) / d;
  const double z = product(s, s, z_low);
  z_low += 2 * s * s_low;
  const double cube = product(z, s, cube_low);
  cube_low += z * s_low + z_low * s;
  const double third = product(cube, 0x1.5555555555555p-1, third_low);
  third_low += cube * 0x1.5555555555555p-55 + cube_low * 0x1.5555555555555p-1;
  const double power = product(cube, z, power_low);  // s^5
  const double fifth = product(power, 0.4, fifth_low);
  fifth_low += (cube * z_low + cube_low * z + power_low) * 0.4 - power * 0x1.999999999999ap-56;
  const double rest =
      power * z *
      polynomial(z, 2.0 / 25, 2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7);
  const double a = two_sum(n * Format<double>::ln2_high, 2 * s, e2);
  const double b = two_sum(a, third, e3);
  const double c = two_sum(b, fifth, e4);
  const double lows = fifth_low + (third_low + (2 * s_low + n * Format<double>::ln2_low));
  return two_sum(c, e4 + (e3 + (e2 + (rest + lows))), low);
}

/// e^(x + low) as `exp`, with what rounding takes from the reduced argument and from 1 + r added at the end: 0.62 ulp.
inline double exp_twice(double x, double low) {
  using F = Format<double>;
  x = x < F::exp_low ? F::exp_low : x;
  x = x > F::exp_high ? F::exp_high : x;
  const double shifted = fma(x, F::log2_e, F::round);
  const double n = shifted - F::round;
  double r_low, y_low;
  const double r = two_sum(fma(n, -F::ln2_high, x), fma(n, -F::ln2_low, low), r_low);
  const double y = two_sum(1.0, r, y_low);
  const double sum = y + (y_low + fma(r * r, exp_series(r), r_low * y));
  return scaled_by_power(sum, shifted);
}

/// x^y through e^(y log |x|), the logarithm in double (for f32) or in two doubles (for f64). Without fused multiply-add
/// the same bounds hold: products are then split exactly.
template <std::floating_point T>
inline T pow(T x, T y) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T a = abs(x);
  T r;
  if constexpr (std::is_same_v<T, float>) {
    r = static_cast<float>(exp(static_cast<double>(y) * log(static_cast<double>(a))));
  } else {
    double low, error;
    const double high = log_twice(a, low);
    const double t = product(y, high, error);
    error += y * low;
    const bool ordinary = a > 0 && a < infinity && abs(t) < 1000;
    r = exp_twice(ordinary ? t : y * log(a), ordinary ? error : 0.0);
  }
  // Beyond 2^53 every double is an even integer; so is every float beyond 2^24.
  const T clamped = y > T(-0x1p54) ? (y < T(0x1p54) ? y : T(0x1p54)) : T(-0x1p54);  // a NaN too, of which r is one
  const auto whole = static_cast<std::int64_t>(clamped);
  const bool integer = static_cast<T>(whole) == clamped;
  const bool odd = integer && (whole & 1) != 0;
  r = std::signbit(x) && odd ? -r : r;
  r = x < T(0) && !integer && a < infinity && abs(y) < infinity ? std::numeric_limits<T>::quiet_NaN() : r;
  r = a == T(1) && abs(y) == infinity ? T(1) : r;
  return y == T(0) || x == T(1) ? T(1) : r;
}

}  // namespace oxbow::math
