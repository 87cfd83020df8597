// Sine, cosine and tangent of radians, over the whole range: below `near_angle` a multiple of pi / 2 is subtracted in
// parts (Cody and Waite 1980), which vectorises; beyond it 2 / pi is multiplied by as many of its bits as the exponent
// asks for (Payne and Hanek 1983), an element at a time. Errors, measured by tests/ops/test_accuracy.cpp: 0.6 ulp in
// f32, which goes through f64, and 1.2 ulp in f64 (the tangent 2.6). Of correctly rounded operations only. Pure
// functions.
#pragma once

#include <oxbow/ops/math.h>
#include <oxbow/ops/shared/power.h>

namespace oxbow::math {

/// Up to here, 2^20 at least, the parts of pi / 2 times a number of quarter turns are exact.
inline constexpr double near_angle = 1e6;

/// x = high + low + quarters pi / 2 with |high| <= pi / 4; of `quarters`, which counts modulo 4, bits 0 and 1 matter.
struct Angle {
  double high, low;
  std::uint64_t quarters;
};

/// 33 bits each of pi / 2, whose products with a number below 2^20 are exact, and 53 bits of what is left.
inline constexpr double half_pi[] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34, 0x1.3198a2e000000p-69,
                                     0x1.b839a252049c1p-104};

/// For |x| <= near_angle. Where `exactly`, `low` has what `high` rounds away; enough for f32 is `high` alone.
template <bool exactly>
inline Angle near_turns(double x) {
  using F = Format<double>;
  const double shifted = x * 0x1.45f306dc9c883p-1 + F::round, n = shifted - F::round;
  const double t = x - n * half_pi[0];  // exact
  if constexpr (!exactly) return {(t - n * half_pi[1]) - n * half_pi[2], 0, to_bits(shifted)};
  double e1, e2;
  const double u = two_sum(t, -(n * half_pi[1]), e1);
  const double v = two_sum(u, -(n * half_pi[2]), e2);
  double low;
  const double high = two_sum(v, e1 + e2 - n * half_pi[3], low);
  return {t == 0 ? t : high, low, to_bits(shifted)};  // which keeps the sign of a zero
}

/// For |x| > near_angle, NaN and infinities among them, for which `high` is NaN.
inline Angle far_turns(double x) {
  __extension__ using Wide = unsigned __int128;
  __extension__ using Signed = __int128;
  static constexpr std::uint64_t two_over_pi[] = {// after the point, in words
                                                  0,
                                                  0xa2f9836e4e441529,
                                                  0xfc2757d1f534ddc0,
                                                  0xdb6295993c439041,
                                                  0xfe5163abdebbc561,
                                                  0xb7246e3a424dd2e0,
                                                  0x06492eea09d1921c,
                                                  0xfe1deb1cb129a73e,
                                                  0xe88235f52ebb4484,
                                                  0xe99c7026b45f7e41,
                                                  0x3991d639835339f4,
                                                  0x9c845f8bbdf9283b,
                                                  0x1ff897ffde05980f,
                                                  0xef2f118b5a0a6d1f,
                                                  0x6d367ecf27cb09b7,
                                                  0x4f463f669e5fea2d,
                                                  0x7527bac7ebe5f17b,
                                                  0x3d0739f78a5292ea,
                                                  0x6bfb5fb11f8d5d08,
                                                  0x56033046fc7b6bab};
  const std::uint64_t bits = to_bits(x), exponent = bits >> 52 & 0x7ff;
  if (exponent == 0x7ff) return {x - x, 0, 0};
  const std::uint64_t m = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  // |x| = m 2^e. Bits of 2 / pi that stand for multiples of 4 in the product are left out: the first is number e - 1.
  const auto first = static_cast<std::size_t>(exponent - 1075 - 2 + 64);
  const std::size_t word = first / 64, shift = first % 64;
  const auto piece = [&](std::size_t i) {
    const std::uint64_t a = two_over_pi[word + i];
    return shift == 0 ? a : a << shift | two_over_pi[word + i + 1] >> (64 - shift);
  };
  // m times three words, modulo 1: quarters are its first two bits.
  const Wide p2 = Wide{m} * piece(2), p1 = Wide{m} * piece(1) + static_cast<std::uint64_t>(p2 >> 64);
  const std::uint64_t f0 = m * piece(0) + static_cast<std::uint64_t>(p1 >> 64);
  const auto f1 = static_cast<std::uint64_t>(p1), f2 = static_cast<std::uint64_t>(p2);
  const Wide rest = (Wide{f0} << 64 | f1) << 2 | f2 >> 62;
  const auto nearest = static_cast<Signed>(rest);  // in [-1/2, 1/2) quarters
  std::uint64_t quarters = (f0 >> 62) + (nearest < 0 ? 1 : 0);
  const auto top = static_cast<double>(nearest);
  const auto bottom = static_cast<double>(nearest - static_cast<Signed>(top));
  double e, low;
  const double product_high = product(top, 0x1.921fb54442d18p+0, e);
  double high = two_sum(product_high, e + (top * 0x1.1a62633145c07p-54 + bottom * 0x1.921fb54442d18p+0), low);
  high *= 0x1p-128;
  low *= 0x1p-128;
  if (x < 0) {
    high = -high;
    low = -low;
    quarters = 0 - quarters;
  }
  return {high, low, quarters};
}

/// sin(x + low) for |x| <= pi / 4: the Taylor series.
template <std::floating_point T>
inline double sine(double x, double low) {
  const double z = x * x;
  if constexpr (std::is_same_v<T, float>) {
    return x + x * z *
                   polynomial(z, 2.75573192239858907e-6, -1.98412698412698413e-4, 8.33333333333333333e-3,
                              -1.66666666666666667e-1);
  } else {
    const double p = polynomial(z, 2.81145725434552076e-15, -7.64716373181981648e-13, 1.60590438368216146e-10,
                                -2.50521083854417188e-8, 2.75573192239858907e-6, -1.98412698412698413e-4,
                                8.33333333333333333e-3, -1.66666666666666667e-1);
    return x + fma(x * z, p, low * (1 - 0.5 * z));
  }
}

/// cos(x + low)
template <std::floating_point T>
inline double cosine(double x, double low) {
  const double z = x * x;
  if constexpr (std::is_same_v<T, float>) {
    return 1 + z * polynomial(z, -2.75573192239858907e-7, 2.48015873015873016e-5, -1.38888888888888889e-3,
                              4.16666666666666667e-2, -0.5);
  } else {
    const double p = polynomial(z, 4.77947733238738530e-14, -1.14707455977297247e-11, 2.08767569878680990e-9,
                                -2.75573192239858907e-7, 2.48015873015873016e-5, -1.38888888888888889e-3,
                                4.16666666666666667e-2, -0.5);
    return 1 + fma(z, p, -(x * low));
  }
}

/// A zero keeps its sign.
template <std::floating_point T>
inline T sin_of(const Angle& a) {
  const double s = std::copysign(sine<T>(a.high, a.low), a.high), c = cosine<T>(a.high, a.low);
  const double y = (a.quarters & 1) != 0 ? c : s;
  return static_cast<T>((a.quarters & 2) != 0 ? -y : y);
}
template <std::floating_point T>
inline T cos_of(const Angle& a) {
  const double s = sine<T>(a.high, a.low), c = cosine<T>(a.high, a.low);
  const double y = (a.quarters & 1) != 0 ? s : c;
  return static_cast<T>(((a.quarters ^ a.quarters >> 1) & 1) != 0 ? -y : y);
}
template <std::floating_point T>
inline T tan_of(const Angle& a) {
  const double s = std::copysign(sine<T>(a.high, a.low), a.high), c = cosine<T>(a.high, a.low);
  const bool odd = (a.quarters & 1) != 0;
  return static_cast<T>((odd ? -c : s) / (odd ? s : c));
}

}  // namespace oxbow::math
