// Functions as polynomials in plain arithmetic, which the compiler makes vectors of. Relative errors below 3e-7.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace straight {

/// 2^n e^r with |r| <= ln 2 / 2, the Taylor polynomial of degree 7 for e^r.
inline float exp(float x) {
  x = std::clamp(x, -87.0f, 88.0f);
  const float n = std::nearbyint(x * 1.44269504f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float y = 1.0f / 5040;
  y = y * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  return y * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

inline float sigmoid(float x) { return 1 / (1 + exp(-x)); }
inline float tanh(float x) { return 1 - 2 / (1 + exp(2 * x)); }

/// x Phi(x), and its slope Phi(x) + x phi(x). Abramowitz and Stegun 7.1.26, within 1.5e-7.
struct Gelu {
  float value, slope;
};
inline Gelu gelu(float x) {
  const float z = std::abs(x) * 0.70710678f, e = exp(-z * z), t = 1 / (1 + 0.3275911f * z);
  const float tail =
      0.5f * e * t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float phi = x < 0 ? tail : 1 - tail;
  return {x * phi, phi + x * 0.39894228f * e};
}

}  // namespace straight
