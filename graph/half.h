// Floating point of 16 bits: storage and conversion. Arithmetic on them is arithmetic on float, to which they convert
// by themselves; the way back is explicit and rounds to nearest even, once, also from double and from integers of 64
// bits. Conversions are made of integer operations, so they give the same bits on every instruction set, whatever the
// rounding mode and however subnormals are treated. A NaN stays a NaN (a quiet one) with its sign and leading bits.
// Regular value types, safe from any thread.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace oxbow {

/// A sign, `exponent_bits` bits of exponent and the rest of mantissa, as IEEE 754 lays them out.
template <int exponent_bits>
class Float16Bits {
 public:
  static constexpr int mantissa_bits = 15 - exponent_bits;

  constexpr Float16Bits() = default;
  explicit constexpr Float16Bits(float x) : bits_(rounded<std::uint32_t, 23>(std::bit_cast<std::uint32_t>(x))) {}
  explicit constexpr Float16Bits(double x) : bits_(rounded<std::uint64_t, 52>(std::bit_cast<std::uint64_t>(x))) {}
  template <std::integral T>
  explicit constexpr Float16Bits(T x) : Float16Bits(odd_double(x)) {}
  static constexpr Float16Bits from_bits(std::uint16_t bits) {
    Float16Bits x;
    x.bits_ = bits;
    return x;
  }
  constexpr std::uint16_t bits() const { return bits_; }

  constexpr operator float() const { return widened<float, std::uint32_t, 23>(); }
  explicit constexpr operator double() const { return widened<double, std::uint64_t, 52>(); }

  /// A double that rounds to what x rounds to in fewer bits: its own last bit stands for all that it lacks.
  template <std::integral T>
  static constexpr double odd_double(T x) {
    if constexpr (sizeof(T) < 8) {
      return static_cast<double>(x);
    } else {
      const bool negative = x < T(0);
      std::uint64_t magnitude =
          negative ? std::uint64_t{0} - static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x);
      if (magnitude >> 53 != 0)
        magnitude = (magnitude & ~std::uint64_t{0x7ff}) | ((magnitude & 0x7ff) != 0 ? 0x800u : 0u);
      return negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
    }
  }

 private:
  static constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  static constexpr std::uint16_t inf_bits = ((1u << exponent_bits) - 1) << mantissa_bits;

  // Every value but a subnormal one has F's layout after a shift and with a new exponent; subnormal ones are multiples
  // of the smallest.
  template <class F, class U, int mantissa>
  constexpr F widened() const {
    constexpr int width = 8 * sizeof(U), shift = mantissa - mantissa_bits;
    constexpr U one = 1, rebias = (one << (width - 2 - mantissa)) - 1 - bias, infinity = U{inf_bits} << shift;
    constexpr F smallest = std::bit_cast<F>((rebias + 1 - (rebias != 0 ? mantissa_bits : 0)) << mantissa);
    const U sign = U{bits_} >> 15 << (width - 1), magnitude = U(bits_ & 0x7fffu) << shift;
    U bits = magnitude + (rebias << mantissa);
    if (magnitude >= infinity) bits += rebias << mantissa;
    if (magnitude > infinity) bits |= one << (mantissa - 1);
    if constexpr (rebias != 0)
      if (magnitude < one << mantissa) bits = std::bit_cast<U>(static_cast<F>(magnitude >> shift) * smallest);
    return std::bit_cast<F>(bits | sign);
  }

  // The bits of a float or double (`U`, with `mantissa` bits of mantissa), rounded to nearest even.
  template <class U, int mantissa>
  static constexpr std::uint16_t rounded(U bits) {
    constexpr int width = 8 * sizeof(U), cut = mantissa - mantissa_bits;
    constexpr U one = 1, source_bias = (one << (width - 2 - mantissa)) - 1, rebias = source_bias - bias;
    constexpr U infinity = ((one << (width - 1 - mantissa)) - 1) << mantissa;
    const auto sign = static_cast<std::uint16_t>(bits >> (width - 1) << 15);
    const U magnitude = bits & ~(one << (width - 1));
    const auto even = [](U x, U by) { return (x + (one << (by - 1)) - 1 + (x >> by & 1)) >> by; };
    U y = even(magnitude - (rebias << mantissa), cut);
    if constexpr (rebias != 0) {  // below the smallest normal value: as a multiple of the smallest one
      const U exponent = magnitude >> mantissa, lacks = rebias + 1 - exponent;
      const U significand = (magnitude & ((one << mantissa) - 1)) | one << mantissa;
      const U by = cut + (lacks < U(mantissa_bits + 2) ? lacks : U(mantissa_bits + 2));
      if (exponent <= rebias) y = even(significand, by);
    }
    if (y > inf_bits || magnitude >= ((rebias + (one << exponent_bits) - 1) << mantissa)) y = inf_bits;
    if (magnitude > infinity)
      y = U(inf_bits) | one << (mantissa_bits - 1) | (magnitude >> cut & ((one << mantissa_bits) - 1));
    return static_cast<std::uint16_t>(sign | y);
  }

  std::uint16_t bits_ = 0;
};

/// IEEE 754's binary16: 11 bits of precision, up to 65504.
using float16 = Float16Bits<5>;
/// The upper half of a float: 8 bits of precision, float's range.
using bfloat16 = Float16Bits<8>;

}  // namespace oxbow

template <int exponent_bits>
struct std::numeric_limits<oxbow::Float16Bits<exponent_bits>> {
  using T = oxbow::Float16Bits<exponent_bits>;
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false, is_exact = false, is_iec559 = true,
                        is_bounded = true, is_modulo = false, has_infinity = true, has_quiet_NaN = true,
                        has_signaling_NaN = true;
  static constexpr int radix = 2, digits = 16 - exponent_bits, max_exponent = 1 << (exponent_bits - 1),
                       min_exponent = 3 - max_exponent, digits10 = (digits - 1) * 301 / 1000,
                       max_digits10 = digits * 301 / 1000 + 2;
  static constexpr T min() { return T::from_bits(1u << T::mantissa_bits); }
  static constexpr T max() { return T::from_bits(0x7fff - (1u << T::mantissa_bits)); }
  static constexpr T lowest() { return T::from_bits(0xffff - (1u << T::mantissa_bits)); }
  static constexpr T denorm_min() { return T::from_bits(1); }
  static constexpr T epsilon() { return T(1.0f / static_cast<float>(1 << T::mantissa_bits)); }
  static constexpr T round_error() { return T(0.5f); }
  static constexpr T infinity() { return T::from_bits(0x7fff >> T::mantissa_bits << T::mantissa_bits); }
  static constexpr T quiet_NaN() { return T::from_bits(0x7fff >> (T::mantissa_bits - 1) << (T::mantissa_bits - 1)); }
  static constexpr T signaling_NaN() { return T::from_bits(infinity().bits() | 1); }
};
