// What the kernels along rows share (softmax, losses): blocks of short rows are exponentiated in one flat loop, long
// rows one by one. Sums follow a tree given by the row's length. For .cpp files of ops only; safe from any thread.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/math.h>

#include <algorithm>
#include <array>
#include <limits>

namespace oxbow::ops::rows {

/// Elements of a block of rows: they stay in the first-level cache from pass to pass.
constexpr std::int64_t block_elements = 2048;

/// The rows of a block: as many as fit, at least one.
inline std::int64_t block_rows(std::int64_t n) {
  return std::max<std::int64_t>(1, block_elements / std::max<std::int64_t>(1, n));
}

/// Parts of some 8k elements (10 us or so), each of whole rows.
inline std::int64_t parts(std::int64_t rows, std::int64_t n) {
  return std::clamp<std::int64_t>(rows * n / 8192, 1, std::max<std::int64_t>(1, rows));
}

/// Rows and their length, in a type with at least one axis.
inline std::int64_t length(const Type& t) { return t.shape[-1]; }
inline std::int64_t count(const Type& t) { return t.shape.count(0, t.shape.rank() - 1); }

constexpr int lanes = 16;

/// Folds a row by `f`, from `start`: short rows from left to right, others in 16 lanes (element i in lane i mod 16),
/// which are then folded in halves.
template <class T, class F>
T fold(const T* x, std::int64_t n, T start, F f) {
  if (n < 2 * lanes) {
    T y = start;
    for (std::int64_t i = 0; i < n; ++i) y = f(y, x[i]);
    return y;
  }
  std::array<T, lanes> y;
  y.fill(start);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::size_t l = 0; l < lanes; ++l) y[l] = f(y[l], x[i + static_cast<std::int64_t>(l)]);
  for (std::size_t l = 0; i < n; ++i, ++l) y[l] = f(y[l], x[i]);
  for (std::size_t half = lanes / 2; half > 0; half /= 2)
    for (std::size_t l = 0; l < half; ++l) y[l] = f(y[l], y[l + half]);
  return y[0];
}

template <class T>
T sum(const T* x, std::int64_t n) {
  return fold(x, n, T{0}, [](T a, T b) { return a + b; });
}
/// The largest element; NaNs do not count, and nothing gives -inf.
template <class T>
T max(const T* x, std::int64_t n) {
  return fold(x, n, -std::numeric_limits<T>::infinity(), [](T a, T b) { return b > a ? b : a; });
}

/// e = exp(x - max x) of a block of `count` rows of n elements; e may be x.
template <class T>
void exponentiate(const T* x, std::int64_t count, std::int64_t n, T* e, T* maxima) {
  for (std::int64_t r = 0; r < count; ++r) {
    const T m = maxima[r] = max(x + r * n, n);
    independent(r * n, (r + 1) * n, [=](std::int64_t i) { e[i] = x[i] - m; });
  }
  for (std::int64_t i = 0; i < count * n; ++i) e[i] = math::exp(e[i]);
}

/// The sums of such rows, and their logs. Each sum has a 1 in it: what one near 1 lost is added apart.
template <class T>
void log_sums(const T* e, std::int64_t count, std::int64_t n, T* sums, T* logs) {
  for (std::int64_t r = 0; r < count; ++r) {
    sums[r] = sum(e + r * n, n);
    const bool near_1 = sums[r] < T{2};
    logs[r] = near_1 ? fold(e + r * n, n, T{0}, [](T a, T b) { return b < T{1} ? a + b : a; }) : T{0};
  }
  independent(0, count, [=](std::int64_t i) {
    const T by_rest = math::log1p(logs[i]), by_all = math::log(sums[i]);
    logs[i] = sums[i] < T{2} ? by_rest : by_all;  // NaN by all
  });
}

}  // namespace oxbow::ops::rows
