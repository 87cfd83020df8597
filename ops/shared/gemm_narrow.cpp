#include <oxbow/ops/shared/gemm_narrow.h>

#if defined(__FMA__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace oxbow::ops::gemm {
namespace {

#if defined(__AVX512F__)
constexpr std::int64_t widest = 16;  // lanes of a register
#else
constexpr std::int64_t widest = 8;
#endif

// A register, and the same anywhere in an array.
template <std::int64_t lanes>
struct Register;
template <>
struct Register<8> {
  typedef float type __attribute__((vector_size(32)));
  typedef float anywhere __attribute__((vector_size(32), aligned(4), may_alias));
};
template <>
struct Register<16> {
  typedef float type __attribute__((vector_size(64)));
  typedef float anywhere __attribute__((vector_size(64), aligned(4), may_alias));
};

// sum += a b, rounded once, by intrinsics: the language has no word for it, and what a compiler fuses by itself depends
// on how much it optimizes and for which processor. (Without fused multiply-adds nobody calls this: see `is_narrow`.)
template <class Vector>
inline void add_product(float a, const Vector& b, Vector& sum) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Vector) == 64) {
    sum = Vector(_mm512_fmadd_ps(_mm512_set1_ps(a), __m512(b), __m512(sum)));
    return;
  }
#endif
#if defined(__FMA__)
  if constexpr (sizeof(Vector) == 32) sum = Vector(_mm256_fmadd_ps(_mm256_set1_ps(a), __m256(b), __m256(sum)));
#else
  sum += a * b;
#endif
}

// What a block of rows takes.
struct NarrowRows {
  const Narrow& n;
  const float* a;
  std::int64_t row, step;
  const float* b;
  float* y;
  std::int64_t exact;  // rows from this one on are written without touching what lies behind them
};

template <class T>
const T* behind(const T* base, const unsigned long long* offsets, std::int64_t i) {
  return offsets ? reinterpret_cast<const T*>(reinterpret_cast<std::uintptr_t>(base) + offsets[i]) : base;
}

// `unit`: a's rows are neighbours, so that all are read from one address.
template <std::int64_t width, bool unit, std::int64_t rows>
void block(const NarrowRows& w) {
  constexpr std::int64_t lanes = std::min(width, widest), vectors = width / lanes;
  using Vector = typename Register<lanes>::type;
  using Anywhere = typename Register<lanes>::anywhere;
  const Narrow& n = w.n;
  const std::int64_t columns = n.columns, ldy = n.ldy;
  Vector sums[rows][vectors];
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t v = 0; v < vectors; ++v) {
      sums[r][v] = Vector{};
      if (!n.accumulate) continue;
      const float* from = w.y + r * ldy + v * lanes;
      if (columns == width)
        sums[r][v] = *reinterpret_cast<const Anywhere*>(from);
      else
        for (std::int64_t l = 0; l < std::min(lanes, columns - v * lanes); ++l) sums[r][v][l] = from[l];
    }
  const std::int64_t row = unit ? 1 : w.row, step = w.step, ldb = n.ldb, k = n.k;
  for (std::int64_t t = 0; t < n.taps; ++t) {
    const float* a = behind(w.a, n.a_offsets, t);
    const float* b = behind(w.b, n.b_offsets, t);
    for (std::int64_t p = 0; p < k; ++p, a += step, b += ldb) {
      Vector right[vectors];
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < vectors; ++v) right[v] = *reinterpret_cast<const Anywhere*>(b + v * lanes);
#pragma GCC unroll 12
      for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
        for (std::int64_t v = 0; v < vectors; ++v) add_product(a[r * row], right[v], sums[r][v]);
    }
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    float* to = w.y + r * ldy;
    if (r < w.exact)
      for (std::int64_t v = 0; v < vectors; ++v) *reinterpret_cast<Anywhere*>(to + v * lanes) = sums[r][v];
    else
      for (std::int64_t l = 0; l < columns; ++l) to[l] = sums[r][l / lanes][l % lanes];
  }
}

template <std::int64_t width>
constexpr std::int64_t tallest = 12 * 8 / width;  // rows of a block: 12 of AVX2's 16 registers

template <std::int64_t width, bool unit>
void blocks(const Narrow& n, Strided<float> a, const float* b, float* y) {
  constexpr auto table = []<std::size_t... r>(std::index_sequence<r...>) {
    return std::array{&block<width, unit, static_cast<std::int64_t>(r) + 1>...};
  }
  (std::make_index_sequence<tallest<width>>{});
  // Lanes beyond the last column fall on rows that are written later, unless there are too few.
  std::int64_t exact = 0;
  if (n.columns == width)
    exact = n.rows;
  else if (n.columns == n.ldy && !n.accumulate)
    exact = n.rows - (width - 1) / n.columns;
  for (std::int64_t i = 0, left = (n.rows + tallest<width> - 1) / tallest<width>; left > 0; --left) {
    const std::int64_t rows = (n.rows - i + left - 1) / left;  // blocks as equal as can be
    table[static_cast<std::size_t>(rows - 1)]({n, a.data + i * a.row, a.row, a.step, b, y + i * n.ldy, exact - i});
    i += rows;
  }
}

}  // namespace

void narrow(const Narrow& n, Strided<float> a, const float* b, float* y) {
  if (n.columns <= 8)
    a.row == 1 ? blocks<8, true>(n, a, b, y) : blocks<8, false>(n, a, b, y);
  else
    a.row == 1 ? blocks<16, true>(n, a, b, y) : blocks<16, false>(n, a, b, y);
}

void widen(std::int64_t rows, std::int64_t columns, const float* from, float* to) {
  const std::int64_t width = narrow_width(columns);
  std::int64_t i = 0;
  for (; i < rows - (width - 1) / columns; ++i)  // in copies of one size, the next rows' elements behind
    if (width == 8)
      std::memcpy(to + i * width, from + i * columns, 8 * sizeof(float));
    else
      std::memcpy(to + i * width, from + i * columns, 16 * sizeof(float));
  for (; i < rows; ++i) {
    std::copy_n(from + i * columns, columns, to + i * width);
    std::fill_n(to + i * width + columns, width - columns, 0.0f);
  }
}

}  // namespace oxbow::ops::gemm
