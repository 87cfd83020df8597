// Elements as numbers to be sorted by. Inline; safe from any thread.
#pragma once

#include <oxbow/graph/dtype.h>

#include <bit>

namespace oxbow::ops {

/// A number whose order is that of the elements: NaN is the largest, and both zeros are one.
template <class T>
auto order_of(T v) {
  if constexpr (std::is_same_v<T, double>) {
    if (v != v) return ~std::uint64_t{0};
    const auto bits = std::bit_cast<std::uint64_t>(v + 0.0);
    return bits ^ (bits >> 63 ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
  } else if constexpr (is_float(dtype_of<T>)) {
    const auto wide = static_cast<float>(v);
    if (wide != wide) return ~std::uint32_t{0};
    const auto bits = std::bit_cast<std::uint32_t>(wide + 0.0f);
    return bits ^ (bits >> 31 ? ~std::uint32_t{0} : std::uint32_t{1} << 31);
  } else {
    using U = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    return static_cast<U>(static_cast<U>(v) ^ (std::is_signed_v<T> ? U{1} << (8 * sizeof(U) - 1) : U{0}));
  }
}

}  // namespace oxbow::ops
