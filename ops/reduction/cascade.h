// How a reduction adds up many rows with few roundings, beside each other in lanes: its order follows from the number
// of rows alone. Internal to the reductions (ops/reduction/chunks.h).
#pragma once

#include <oxbow/ops/reduction/chunks.h>

#include <algorithm>
#include <limits>

namespace oxbow::ops {

inline constexpr std::int64_t cascade_fan = 16;    ///< sums that go into one of the next level
inline constexpr std::int64_t cascade_block = 64;  ///< lanes that fit in registers

template <Fold F>
using FoldTypes = std::conditional_t<F == Fold::sum || F == Fold::prod, dtypes::Numbers, dtypes::Computed>;

// What T is computed as: integers wrap around, truth values are bytes.
template <Fold F, class T>
using FoldLane =
    std::conditional_t<std::is_same_v<T, bool> || ((F == Fold::sum || F == Fold::prod) && std::is_integral_v<T>),
                       dtypes::Word<sizeof(T)>, T>;

template <Fold F, class T>
T fold_join(T a, T b) {
  if constexpr (F == Fold::sum) return static_cast<T>(a + b);
  if constexpr (F == Fold::prod) return static_cast<T>(a * b);
  const bool a_wins = F == Fold::max ? a > b : a < b;
  return (a_wins | (a != a)) ? a : b;
}

template <Fold F, class T>
constexpr T fold_neutral() {
  using Limits = std::numeric_limits<T>;
  if constexpr (F == Fold::sum) return T(0);
  if constexpr (F == Fold::prod) return T(1);
  if constexpr (Limits::has_infinity) return F == Fold::max ? -Limits::infinity() : Limits::infinity();
  return F == Fold::max ? Limits::lowest() : Limits::max();
}

// Lanes side by side, each a cascade of sums: level k holds what is left of 16^k rows each. What loops over them is
// compiled once a type, not wherever it is called: there are 26 types.
template <Fold F, class T>
struct Cascade {
  T* lanes;
  std::int64_t width, levels;

  static std::int64_t levels_for(std::int64_t rows) {
    std::int64_t levels = 1;
    for (; rows > cascade_fan; rows = (rows + cascade_fan - 1) / cascade_fan) ++levels;
    return levels;
  }

  void clear() { std::fill(lanes, lanes + levels * width, fold_neutral<F, T>()); }

  /// Adds `rows` whole rows, `stride` apart; `row` were added before.
  [[gnu::noinline]] void add(const T* x, std::int64_t row, std::int64_t rows, std::int64_t stride) {
    while (rows > 0) {
      const std::int64_t count = std::min(rows, cascade_fan - row % cascade_fan);
      std::int64_t j = 0;
      for (; j + cascade_block <= width; j += cascade_block) add_block(lanes + j, x + j, count, stride);
      if (j < width)
        for (std::int64_t i = 0; i < count; ++i) join(lanes + j, x + i * stride + j, width - j);
      row += count;
      rows -= count;
      x += count * stride;
      if (row % cascade_fan == 0) carry(row);
    }
  }

  /// Adds `count` elements of a row from lane `first` on.
  [[gnu::noinline]] void add_some(const T* x, std::int64_t first, std::int64_t count) { join(lanes + first, x, count); }

  /// After `row` rows, a multiple of 16: moves full levels up.
  [[gnu::noinline]] void carry(std::int64_t row) {
    T* from = lanes;
    for (std::int64_t level = 1; level < levels && row % cascade_fan == 0; ++level, row /= cascade_fan, from += width)
      for (std::int64_t j = 0; j < width; ++j) {
        from[width + j] = fold_join<F>(from[width + j], from[j]);
        from[j] = fold_neutral<F, T>();
      }
  }

  /// Adds all levels into the first.
  [[gnu::noinline]] void total() {
    for (std::int64_t level = 1; level < levels; ++level) add_some(lanes + level * width, 0, width);
  }

 private:
  static void join(T* to, const T* x, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) to[j] = fold_join<F>(to[j], x[j]);
  }
  [[gnu::noinline]] static void add_block(T* to, const T* x, std::int64_t rows, std::int64_t stride) {
    T sums[cascade_block];
    std::copy(to, to + cascade_block, sums);
    for (std::int64_t i = 0; i < rows; ++i, x += stride)
      for (std::int64_t j = 0; j < cascade_block; ++j) sums[j] = fold_join<F>(sums[j], x[j]);
    std::copy(sums, sums + cascade_block, to);
  }
};

}  // namespace oxbow::ops
