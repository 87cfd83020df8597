// What division leaves, exactly. Pure functions, of integer arithmetic only.
#pragma once

#include <oxbow/ops/math.h>

#include <algorithm>

namespace oxbow::math {

/// a - b trunc(a / b), exactly: long division of the significands, some bits at a time. It has the sign of a; NaN for
/// an infinite a and for b = 0.
template <std::floating_point T>
inline T fmod(T a, T b) {
  using F = Format<T>;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr int at_once = 63 - F::mantissa;
  constexpr auto fraction = (typename F::Bits{1} << F::mantissa) - 1;
  if (!(abs(a) < infinity) || b == T(0) || b != b) return std::numeric_limits<T>::quiet_NaN();
  if (abs(a) < abs(b)) return a;
  const auto exponent = [](T x) { return std::max(static_cast<int>(to_bits(abs(x)) >> F::mantissa), 1); };
  const auto significand = [](T x) {
    const auto bits = to_bits(abs(x));
    return static_cast<std::uint64_t>(bits > fraction ? (bits & fraction) | (fraction + 1) : bits);
  };
  const std::uint64_t divisor = significand(b);
  std::uint64_t rest = significand(a) % divisor;
  for (int left = exponent(a) - exponent(b); left > 0; left -= at_once)
    rest = (rest << std::min(left, at_once)) % divisor;
  const int power = exponent(b) - static_cast<int>(F::bias) - F::mantissa, half = power / 2;
  const auto scale = [](int p) {
    return from_bits<T>(static_cast<typename F::Bits>(p + static_cast<int>(F::bias)) << F::mantissa);
  };
  return std::copysign(static_cast<T>(rest) * scale(half) * scale(power - half), a);
}

}  // namespace oxbow::math
