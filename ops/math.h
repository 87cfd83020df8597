// Mathematical functions for kernels: branch-free, so that loops over them vectorise, and of correctly rounded
// operations only, so that an element's bits depend on its value and on the instruction set (which has fma or has not),
// never on its position. Never libm's.
//
// Largest errors against the exact value, in units of the last place (ulp), measured by tests/ops/test_accuracy.cpp,
// those of tanh and erf in f32 over all numbers:
//   exp 1.2, log 1, expm1 and log1p 2.5, sigmoid and softplus 3, tanh in f32 3 and erf 3.6, in f64 2; sqrt and division
//   0.5, rsqrt 1.5. gelu and its slope: 4 of max(1, |x|).
// Infinities, NaN and signed zeros give what IEEE 754 and C say, and so do denormals where a program computes with
// them. A run of a graph does not: it reads and writes them as zeros (graph/support/float_mode.h), so that log(1e-310)
// is -inf there. Pure functions.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

namespace oxbow::math {

/// a b + c, rounded once where the instruction set has that, else twice.
template <std::floating_point T>
inline T fma(T a, T b, T c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  if constexpr (std::is_same_v<T, float>)
    return __builtin_fmaf(a, b, c);
  else
    return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// c0 x^n + c1 x^(n - 1) + ... + cn by Horner's rule.
template <std::floating_point T, std::convertible_to<T>... C>
inline T polynomial(T x, T c0, C... c) {
  ((c0 = fma(c0, x, static_cast<T>(c))), ...);
  return c0;
}

template <std::floating_point T>
inline T abs(T x) {
  return std::abs(x);
}
template <std::floating_point T>
inline T sqrt(T x) {
  return std::sqrt(x);
}
template <std::floating_point T>
inline T rsqrt(T x) {
  return T(1) / std::sqrt(x);
}

/// What the routines need to know of a format.
template <std::floating_point T>
struct Format;

template <>
struct Format<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Bits bias = 127;
  static constexpr float integer = 8388608.0F;  // 2^23: the last place is one
  static constexpr float round = 12582912.0F;   // 1.5 * 2^23: adding it rounds to an integer, of either sign
  static constexpr float log2_e = 1.44269504F;
  static constexpr float ln2_high = 0x1.62e300p-1F;  // trailing zeros: a product with an exponent is exact
  static constexpr float ln2_low = 0x1.2fefa2p-17F;
  static constexpr float exp_low = -104, exp_high = 89;  // e^x is 0 below, infinite above
  static constexpr Bits sqrt_half = 0x3f3504f3;
  static constexpr float scale = 0x1p24F, scale_log2 = 24;
};

template <>
struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Bits bias = 1023;
  static constexpr double integer = 0x1p52;
  static constexpr double round = 0x1.8p52;
  static constexpr double log2_e = 1.4426950408889634;
  static constexpr double ln2_high = 0x1.62e42feep-1;
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double exp_low = -746, exp_high = 710;
  static constexpr Bits sqrt_half = 0x3fe6a09e667f3bcd;
  static constexpr double scale = 0x1p54, scale_log2 = 54;
};

template <std::floating_point T>
inline typename Format<T>::Bits to_bits(T x) {
  return std::bit_cast<typename Format<T>::Bits>(x);
}
template <std::floating_point T>
inline T from_bits(typename Format<T>::Bits b) {
  return std::bit_cast<T>(b);
}

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: a Chebyshev fit.
template <std::floating_point T>
inline T exp_series(T r) {
  if constexpr (std::is_same_v<T, float>)
    return polynomial(r, 0.001392625083F, 0.008363232884F, 0.04166655421F, 0.1666657667F, 0.5F);
  else
    return polynomial(r, 2.09147553258932022e-9, 2.51053127296221018e-8, 2.75572734787185805e-7, 2.75572551700008874e-6,
                      0.0000248015873256774619, 0.000198412698750022788, 0.00138888888888837112, 0.00833333333332608312,
                      0.0416666666666666698, 0.16666666666666671, 0.5);
}

/// y 2^n, where n is what `shifted` exceeds Format::round by: in two factors, so that results may be denormal.
template <std::floating_point T>
inline T scaled_by_power(T y, T shifted) {
  using F = Format<T>;
  const auto both = to_bits(shifted) - to_bits(F::round) + 2 * F::bias;  // the two factors' exponents, biased
  const auto first = both >> 1;
  return y * from_bits<T>(first << F::mantissa) * from_bits<T>((both - first) << F::mantissa);
}

/// e^x: x = n ln 2 + r with |r| <= ln 2 / 2, e^r = 1 + r + r^2 P(r).
template <std::floating_point T>
inline T exp(T x) {
  using F = Format<T>;
  x = x < F::exp_low ? F::exp_low : x;
  x = x > F::exp_high ? F::exp_high : x;
  const T shifted = fma(x, F::log2_e, F::round);
  const T n = shifted - F::round;
  T r = fma(n, -F::ln2_high, x);
  r = fma(n, -F::ln2_low, r);
  return scaled_by_power(fma(r * r, exp_series(r), r) + T(1), shifted);
}

/// e^x - 1. Below 40, where 1 still counts, as 2^n (e^r - 1) + (2^n - 1) with the r and n of `exp`; n is 0 near 0.
template <std::floating_point T>
inline T expm1(T x) {
  using F = Format<T>;
  const T c = x > T(40) ? T(40) : x > T(0) ? x : T(0);
  const T shifted = fma(c, F::log2_e, F::round), n = shifted - F::round;
  const T r = fma(n, -F::ln2_low, fma(n, -F::ln2_high, c));
  const T power = from_bits<T>((to_bits(shifted) - to_bits(F::round) + F::bias) << F::mantissa);
  const T above = fma(power, fma(r * r, exp_series(r), r), power - T(1));
  const T series = fma(x * x, exp_series(x), x), outside = exp(x);
  const T beyond = x > T(40) ? outside : x > T(0) ? above : outside - T(1);
  return abs(x) < T(0.34) ? series : beyond;
}

/// x = 2^exponent m with sqrt(1/2) <= m < sqrt(2); returns m - 1. For positive finite x, denormals included.
template <std::floating_point T>
inline T mantissa_and_exponent(T x, T& exponent) {
  using F = Format<T>;
  constexpr auto one = F::bias << F::mantissa;
  const bool tiny = x < std::numeric_limits<T>::min();
  const auto bits = to_bits(tiny ? x * F::scale : x) + (one - F::sqrt_half);
  const T raised = from_bits<T>((bits >> F::mantissa) | to_bits(F::integer));
  exponent = raised - (F::integer + static_cast<T>(F::bias)) - (tiny ? F::scale_log2 : T(0));
  return from_bits<T>((bits & ((typename F::Bits{1} << F::mantissa) - 1)) + F::sqrt_half) - T(1);
}

/// log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + R(s^2)), s = f / (2 + f): R as in FreeBSD's msun, e_log.c and e_logf.c.
template <std::floating_point T>
inline T log_series(T z) {
  const T w = z * z;
  if constexpr (std::is_same_v<T, float>)
    return z * polynomial(w, 0.28498786688F, 0.66666662693F) + w * polynomial(w, 0.24279078841F, 0.40000972152F);
  else
    return z * polynomial(w, 1.479819860511658591e-1, 1.818357216161805012e-1, 2.857142874366239149e-1,
                          6.666666666666735130e-1) +
           w * polynomial(w, 1.531383769920937332e-1, 2.222219843214978396e-1, 3.999999999940941908e-1);
}

/// The natural logarithm: NaN for negative x.
template <std::floating_point T>
inline T log(T x) {
  using F = Format<T>;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  T n;
  const T f = mantissa_and_exponent(x, n);
  const T s = f / (T(2) + f);
  const T half_square = T(0.5) * f * f;
  const T r = s * (half_square + log_series(s * s)) + n * F::ln2_low;
  T y = n * F::ln2_high - ((half_square - r) - f);
  y = x < infinity ? y : x;  // infinity and NaN
  y = x == T(0) ? -infinity : y;
  return x < T(0) ? std::numeric_limits<T>::quiet_NaN() : y;
}

/// The nearest integer, a half to the even one. A zero keeps its sign, here and below.
template <std::floating_point T>
inline T round(T x) {
  const T a = abs(x), rounded = (a + Format<T>::integer) - Format<T>::integer;
  return std::copysign(a < Format<T>::integer ? rounded : a, x);
}
template <std::floating_point T>
inline T floor(T x) {
  const T r = round(x);
  return r > x ? r - T(1) : r;
}
template <std::floating_point T>
inline T ceil(T x) {
  const T r = round(x);
  return std::copysign(r < x ? r + T(1) : r, x);
}
/// Towards zero.
template <std::floating_point T>
inline T trunc(T x) {
  return std::copysign(floor(abs(x)), x);
}

template <std::floating_point T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

/// log(1 + t) for finite -1 < t: the logarithm of u = 1 + t rounded, and what the rounding took from t.
template <std::floating_point T>
inline T log1p(T t) {
  const T u = T(1) + t;
  return log(u) + (t - (u - T(1))) / u;
}

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <std::floating_point T>
inline T softplus(T x) {
  return (x > T(0) ? x : T(0)) + log1p(exp(-abs(x)));
}

/// f32: h / (h + 1), where 2 h = e^(2 |x|) - 1 is 2^n (e^(2 r) - 1) + (2^n - 1) with 2 |x| = n ln 2 + 2 r. Near 0 n is
/// 0, so that nothing cancels. (e^(2 r) - 1 - 2 r) / 2 r^2 is a minimax fit by reweighted least squares (Lawson), whose
/// coefficients were rounded one after the other, the others fitted anew. f64: for small x Moshier's (Cephes, tanh.c),
/// else by e^(2 |x|).
template <std::floating_point T>
inline T tanh(T x) {
  if constexpr (std::is_same_v<T, float>) {
    using F = Format<float>;
    constexpr float limit = 9.02F;               // the result is 1 from here on
    constexpr float round = F::round + F::bias;  // what is rounded by it ends in the exponent of 2^n, biased
    const float a = abs(x), c = a > limit ? limit : a;
    const float shifted = fma(c, 2 * F::log2_e, round), n = shifted - round;
    const float r = fma(n, -0.34657359F, c);  // ln 2 / 2 rounded: where n is large, what h lacks by it counts little
    const float series = fma(r * r, polynomial(r, 0.0446039774F, 0.133874446F, 0.333331406F, 0.666661561F, 1.0F), r);
    const float power = from_bits<float>(to_bits(shifted) << F::mantissa);
    const float h = fma(power, series, fma(power, 0.5F, -0.5F));
    return std::copysign(h / (h + 1.0F), x);
  } else {
    const double a = abs(x), z = x * x;
    const double p = polynomial(z, -9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3);
    const double q = polynomial(z, 1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3);
    const double small = x + x * (z * (p / q));
    const double large = 1 - 2 / (exp(2 * a) + 1);
    return std::copysign(a < 0.625 ? abs(small) : large, x);
  }
}

/// f32: 1 - (1 - y / 8)^8 by three squarings, where y = 8 (1 - erfc(|x|)^(1/8)) is |x| + |x| P(|x|), which is smooth up
/// to where the result is 1; P is a fit as in `tanh`, weighted by what an error of it does to the result's last place.
/// f64: x P(x^2) up to 1, beyond it 1 - e^(-x^2) Q((x - 2.5) / (x + 2.5)), with Chebyshev fits.
template <std::floating_point T>
inline T erf(T x) {
  if constexpr (std::is_same_v<T, float>) {
    constexpr float limit = 3.93F;  // the result is 1 from here on
    const float a = abs(x), c = a > limit ? limit : a;
    float y = fma(c,
                  polynomial(c, 3.83583865e-05F, -0.000710553315F, 0.0041011665F, -0.00148932601F, -0.0527164154F,
                             0.0167132951F, 0.557042778F, 0.128379166F),
                  c);
    y = fma(y * (-1.0F / 16), y, y);  // 4 (1 - (1 - y / 8)^2)
    y = fma(y * (-1.0F / 8), y, y);
    y = fma(y * (-1.0F / 4), y, y);
    return std::copysign(y, x);
  } else {
    const double a = abs(x), z = x * x;
    const double small = x * polynomial(z, -4.23094582429533782e-12, 8.70904512905310669e-11, -1.21645600572834501e-9,
                                        1.4792401209404813e-8, -1.63646421581676153e-7, 1.64620454414684189e-6,
                                        -0.0000149256475675193321, 0.000120553329028887354, -0.00085483270219348296,
                                        0.00522397762542329831, -0.0268661706451298408, 0.112837916709551202,
                                        -0.376126389031837524, 1.12837916709551257);
    const double b = a > 6 ? 6 : a;
    const double t = (b - 2.5) / (b + 2.5);
    const double q =
        polynomial(t, 6.96119156022916801e-8, 3.44189246129556545e-7, 7.77333159740478531e-8, -1.80200386534486076e-6,
                   -2.29811025197359551e-6, 7.55259432313950232e-6, 0.0000186144575520800054, -0.0000341822381333152309,
                   -0.000128877171331295698, 0.000228380378908600814, 0.000875915450133760759, -0.00264236596429740316,
                   -0.00399370116585823804, 0.0399225390755847592, -0.125033052378829315, 0.251713193217449305,
                   -0.371736733948973352, 0.210806364061143581);
    const double large = std::copysign(1 - exp(-b * b) * q, x);
    return a <= 1 ? small : (a > 1 ? large : x);
  }
}

/// Where the normal distribution has reached 0 and 1, and its density 0.
template <std::floating_point T>
inline constexpr T normal_limit = T(40);

/// x Phi(x); at -inf, where Phi is 0, it is 0.
template <std::floating_point T>
inline T gelu(T x) {
  const T twice = T(1) + erf(x * T(0.70710678118654752440)), y = T(0.5) * x * twice;
  return twice == T(0) ? T(0) : y;
}

/// The derivative of gelu: Phi(x) + x phi(x), whose second term is 0 at infinity.
template <std::floating_point T>
inline T gelu_slope(T x) {
  const T cumulative = T(0.5) * (T(1) + erf(x * T(0.70710678118654752440))), density = exp(T(-0.5) * x * x);
  const T slope = fma(x * density, T(0.39894228040143267794), cumulative);
  return density == T(0) ? cumulative : slope;
}

}  // namespace oxbow::math
