// The formulas of ops that are also nested in one another (ops/pointwise/nested.h), which takes the sight of them.
// Internal to ops/, for .cpp files.
#pragma once

#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/root.h>
#include <oxbow/ops/pointwise/unary.h>

namespace oxbow::ops {

/// Integers wrap around, so their sums are taken without a sign, in at least 32 bits.
template <std::integral T>
using Wrapping = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

template <Number T>
T Add::at(T a, T b) const {
  if constexpr (Real<T>)
    return a + b;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}

template <Number T>
T Subtract::at(T a, T b) const {
  if constexpr (Real<T>)
    return a - b;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
}

template <Number T>
T Multiply::at(T a, T b) const {
  if constexpr (Real<T>)
    return a * b;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}

template <Number T>
T Divide::at(T a, T b) const {
  if constexpr (Real<T>) {
    return a / b;
  } else {
    if (b == T(0)) return T(0);
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Subtract{}.at(T(0), a);  // the least number wraps around
    return a / b;
  }
}

template <Number T>
T Square::at(T x) const {
  if constexpr (Real<T>)
    return x * x;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(x) * static_cast<Wrapping<T>>(x));
}

template <Real T>
T Sqrt::at(T x) const {
  return math::sqrt(x);
}

template <Number T>
T Sign::at(T x) const {
  const T sign = static_cast<T>((x > T(0)) - (x < T(0)));
  return x != x ? x : sign;
}

template <std::floating_point T>
T Tanh::at(T x) const {
  return math::tanh(x);
}

template <Number T>
T Relu::at(T x) const {
  return x <= T(0) ? T(0) : x;
}

template <std::floating_point T>
T TanhGradient::at(T y, T dy) const {
  return dy * math::fma(-y, y, T(1));
}

}  // namespace oxbow::ops
