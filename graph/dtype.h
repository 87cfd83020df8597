// The element types of values: a closed list, kept in this one place. Everything that depends on the list goes through
// `dispatch`, so a new dtype is a line here and the kernels that serve it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace oxbow {

enum class DType : std::uint8_t { f32, f64, i32, i64, u8, boolean };
using enum DType;

/// The name that dumps print and that `parse_dtype` reads: "f32", "f64", "i32", "i64", "u8", "bool".
constexpr std::string_view name(DType d) {
  constexpr std::string_view names[] = {"f32", "f64", "i32", "i64", "u8", "bool"};
  return names[static_cast<std::size_t>(d)];
}

constexpr std::optional<DType> parse_dtype(std::string_view text) {
  for (DType d : {f32, f64, i32, i64, u8, boolean})
    if (name(d) == text) return d;
  return std::nullopt;
}

/// Bytes of one element.
constexpr std::int64_t size_of(DType d) {
  constexpr std::int64_t sizes[] = {4, 8, 4, 8, 1, 1};
  return sizes[static_cast<std::size_t>(d)];
}

constexpr bool is_float(DType d) { return d == f32 || d == f64; }
constexpr bool is_integer(DType d) { return d == i32 || d == i64 || d == u8; }

template <class T>
concept Element = std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int32_t> ||
    std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>;

template <Element T>
constexpr DType dtype_of = std::is_same_v<T, float>          ? f32
                           : std::is_same_v<T, double>       ? f64
                           : std::is_same_v<T, std::int32_t> ? i32
                           : std::is_same_v<T, std::int64_t> ? i64
                           : std::is_same_v<T, std::uint8_t> ? u8
                                                             : boolean;

/// Calls `f(std::type_identity<T>{})` with the C++ element type of `d` and returns what it returns.
template <class F>
constexpr decltype(auto) dispatch(DType d, F&& f) {
  switch (d) {
    case f32:
      return f(std::type_identity<float>{});
    case f64:
      return f(std::type_identity<double>{});
    case i32:
      return f(std::type_identity<std::int32_t>{});
    case i64:
      return f(std::type_identity<std::int64_t>{});
    case u8:
      return f(std::type_identity<std::uint8_t>{});
    case boolean:
      break;
  }
  return f(std::type_identity<bool>{});
}

}  // namespace oxbow
