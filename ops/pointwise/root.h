// Square roots of a register of floats. By its instruction AVX-512 takes one in some 12 cycles, for which all else that
// divides waits too; Newton's method takes half of that, on units that multiply and add. Internal to ops/. Pure
// functions.
#pragma once

#include <oxbow/ops/lanes.h>
#include <oxbow/ops/math.h>

#include <cstdint>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace oxbow::math {

#if defined(__AVX512F__)

/// Rounded correctly, as by the instruction: s nears the root and h half its reciprocal; what s^2 lacks of x, which a
/// fused multiply-add gives exactly, says how to round s. tests/ops/test_math.cpp tries every significand with an even
/// and an odd exponent; others only scale. Numbers that are not positive and finite, or below 2^-80, where that rest
/// would be denormal, are left to the instruction.
inline Lanes sqrt(Lanes x) {
  constexpr int least = 0x17800000, infinity = 0x7f800000;  // as bits
  const __m512i above = _mm512_sub_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(least));
  if (_mm512_cmplt_epu32_mask(above, _mm512_set1_epi32(infinity - least)) != 0xffff) [[unlikely]]
    return _mm512_maskz_sqrt_ps(0xffff, x);
  const Lanes y = _mm512_maskz_rsqrt14_ps(0xffff, x), half = _mm512_set1_ps(0.5F);
  Lanes s = x * y, h = y * half;
  const Lanes r = _mm512_fnmadd_ps(s, h, half);
  s = _mm512_fmadd_ps(s, r, s);
  h = _mm512_fmadd_ps(h, r, h);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(s, s, x), h, s);
}

inline Lanes rsqrt(Lanes x) { return 1.0F / sqrt(x); }

inline Lanes all(float x) { return _mm512_set1_ps(x); }
inline Lanes load(const float* x) { return _mm512_loadu_ps(x); }
inline void store(Lanes y, float* to) { _mm512_storeu_ps(to, y); }
/// The first `count` elements alone are read and written; the others are 0.
inline Lanes load(const float* x, std::int64_t count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), x);
}
inline void store(Lanes y, float* to, std::int64_t count) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1), y);
}

#endif

}  // namespace oxbow::math
