// The element types of values: one table, from which names, sizes, parsing and dispatch follow. A new dtype is a line
// of the table.
//
// Kernels compute in few of them: f32, f64, i32, i64, u32, u64 and bool. The others are stored, moved and converted as
// they are; where they are computed with, lowering casts them to their compute type and the result back, op by op
// (`Op::widen`), so f16 and bf16 are rounded after each op and small integers wrap around.
#pragma once

#include <oxbow/graph/half.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace oxbow {

enum class DType : std::uint8_t { f32, f64, f16, bf16, i8, i16, i32, i64, u8, u16, u32, u64, boolean };
using enum DType;

enum class DTypeKind : std::uint8_t { floating, signed_integer, unsigned_integer, boolean };

namespace dtypes {

/// Element types, for `dispatch`.
template <class... T>
struct List {
  template <class U>
  static constexpr bool has = (std::is_same_v<T, U> || ...);
  template <class... U>
  constexpr List<T..., U...> operator+(List<U...>) const {
    return {};
  }
};

template <class T>
struct Row {
  DType dtype;
  std::string_view name;  ///< as dumps print it and `parse_dtype` reads it
  DTypeKind kind;
  DType compute;  ///< the dtype that kernels compute and accumulate in
};

struct Properties {
  DType dtype;
  std::string_view name;
  std::int64_t size;  ///< bytes of an element
  DTypeKind kind;
  DType compute;
};

template <class... T>
struct Table {
  using Elements = List<T...>;
  std::array<Properties, sizeof...(T)> rows;
  constexpr Table(Row<T>... r) : rows{Properties{r.dtype, r.name, sizeof(T), r.kind, r.compute}...} {}
};

/// In the order of `DType`.
inline constexpr Table table{
    Row<float>{f32, "f32", DTypeKind::floating, f32},
    Row<double>{f64, "f64", DTypeKind::floating, f64},
    Row<float16>{f16, "f16", DTypeKind::floating, f32},
    Row<bfloat16>{bf16, "bf16", DTypeKind::floating, f32},
    Row<std::int8_t>{i8, "i8", DTypeKind::signed_integer, i32},
    Row<std::int16_t>{i16, "i16", DTypeKind::signed_integer, i32},
    Row<std::int32_t>{i32, "i32", DTypeKind::signed_integer, i32},
    Row<std::int64_t>{i64, "i64", DTypeKind::signed_integer, i64},
    Row<std::uint8_t>{u8, "u8", DTypeKind::unsigned_integer, i32},
    Row<std::uint16_t>{u16, "u16", DTypeKind::unsigned_integer, i32},
    Row<std::uint32_t>{u32, "u32", DTypeKind::unsigned_integer, u32},
    Row<std::uint64_t>{u64, "u64", DTypeKind::unsigned_integer, u64},
    Row<bool>{boolean, "bool", DTypeKind::boolean, boolean},
};
inline constexpr const auto& properties = table.rows;
constexpr const Properties& of(DType d) { return properties[static_cast<std::size_t>(d)]; }
static_assert([] {
  for (std::size_t i = 0; i < properties.size(); ++i)
    if (properties[i].dtype != static_cast<DType>(i)) return false;
  return properties.size() == static_cast<std::size_t>(boolean) + 1;
}());

}  // namespace dtypes

/// All of them.
inline constexpr std::array all_dtypes = [] {
  std::array<DType, dtypes::table.rows.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = dtypes::properties[i].dtype;
  return all;
}();

/// "f32", "bf16", "bool": what dumps print and `parse_dtype` reads.
constexpr std::string_view name(DType d) { return dtypes::of(d).name; }
/// Bytes of one element.
constexpr std::int64_t size_of(DType d) { return dtypes::of(d).size; }
constexpr DTypeKind kind_of(DType d) { return dtypes::of(d).kind; }
/// The dtype that kernels compute and accumulate in: f32 for f16 and bf16, i32 for integers of 8 and 16 bits, itself
/// for all others.
constexpr DType compute_type(DType d) { return dtypes::of(d).compute; }
/// Whether it is computed with in another one.
constexpr bool is_narrow(DType d) { return compute_type(d) != d; }

constexpr bool is_float(DType d) { return kind_of(d) == DTypeKind::floating; }
constexpr bool is_integer(DType d) {
  return kind_of(d) == DTypeKind::signed_integer || kind_of(d) == DTypeKind::unsigned_integer;
}

constexpr std::optional<DType> parse_dtype(std::string_view text) {
  for (DType d : all_dtypes)
    if (name(d) == text) return d;
  return std::nullopt;
}

namespace dtypes {

using All = decltype(table)::Elements;

template <auto keeps, class... T>
constexpr auto kept(List<T...>) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return (List<>{} + ... + std::conditional_t<keeps(properties[i]), List<T>, List<>>{});
  }
  (std::index_sequence_for<T...>{});
}
/// The element types of the rows for which `keeps` holds.
template <auto keeps>
using Where = decltype(kept<keeps>(All{}));

/// Those that kernels compute in.
using Computed = Where<[](const Properties& p) { return p.compute == p.dtype; }>;
using Floats = Where<[](const Properties& p) { return p.compute == p.dtype && is_float(p.dtype); }>;
using Integers = Where<[](const Properties& p) { return p.compute == p.dtype && is_integer(p.dtype); }>;
using Numbers = decltype(Floats{} + Integers{});

/// An unsigned integer of as many bits: what moves and compares elements whatever they mean.
template <std::size_t bytes>
using Word = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t, std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

/// Throws `InternalError`: a kernel was called with a dtype that its op should have refused.
[[noreturn]] void lacks_kernel(DType d);

template <class T, class... U>
constexpr DType find(List<U...>) {
  DType found{};
  std::size_t row = 0;
  ((std::is_same_v<T, U> ? void(found = properties[row].dtype) : void(), ++row), ...);
  return found;
}

}  // namespace dtypes

template <class T>
concept Element = dtypes::All::has<T>;

template <Element T>
constexpr DType dtype_of = dtypes::find<T>(dtypes::All{});

namespace dtypes {

template <class F, class T, class... Rest>
constexpr decltype(auto) dispatch_in(List<T, Rest...>, DType d, F& f) {
  if (d == dtype_of<T>) return f(std::type_identity<T>{});
  if constexpr (sizeof...(Rest) > 0)
    return dispatch_in(List<Rest...>{}, d, f);
  else
    lacks_kernel(d);
}

/// Whether kernels for the types of a list serve this dtype: itself, or what it is computed in.
template <class... T>
constexpr bool serve(List<T...>, DType d) {
  return ((compute_type(d) == dtype_of<T>) || ...);
}

/// "f32, f64, f16, bf16": the dtypes that kernels for the types of a list serve.
template <class Types>
std::string served_by(Types list) {
  std::string names;
  for (DType d : all_dtypes)
    if (serve(list, d)) names += (names.empty() ? "" : ", ") + std::string(name(d));
  return names;
}

}  // namespace dtypes

/// Calls `f(std::type_identity<T>{})` with the C++ element type of `d` and returns what it returns. A kernel names the
/// `Types` that it is made for, and its op refuses all that they do not serve; throws `InternalError` for another one.
template <class Types = dtypes::All, class F>
constexpr decltype(auto) dispatch(DType d, F&& f) {
  return dtypes::dispatch_in(Types{}, d, f);
}

/// Calls `f(std::type_identity<W>{})` with an unsigned integer as wide as an element: for what moves bits.
template <class F>
constexpr decltype(auto) dispatch_width(DType d, F&& f) {
  switch (size_of(d)) {
    case 1:
      return f(std::type_identity<std::uint8_t>{});
    case 2:
      return f(std::type_identity<std::uint16_t>{});
    case 4:
      return f(std::type_identity<std::uint32_t>{});
    case 8:
      return f(std::type_identity<std::uint64_t>{});
  }
  dtypes::lacks_kernel(d);
}

/// Whether the dtype holds this number, apart from rounding a fraction to floating point.
bool holds(DType d, double number);
/// "f32, f64, f16, ... or bool": all dtypes, for messages.
std::string dtype_names();

}  // namespace oxbow
