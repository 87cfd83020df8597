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

// The first `columns` lanes, and zeros behind them.
template <class Vector>
inline Vector read(const float* from, std::int64_t columns) {
  constexpr std::int64_t lanes = sizeof(Vector) / sizeof(float);
#if defined(__AVX512VL__)
  const auto mask = static_cast<__mmask16>((1u << std::clamp<std::int64_t>(columns, 0, lanes)) - 1);
  if constexpr (lanes == 16)
    return Vector(_mm512_maskz_loadu_ps(mask, from));
  else
    return Vector(_mm256_maskz_loadu_ps(static_cast<__mmask8>(mask), from));
#else
  Vector x{};
  for (std::int64_t l = 0; l < std::min(lanes, columns); ++l) x[l] = from[l];
  return x;
#endif
}
template <class Vector>
inline void write(const Vector& x, std::int64_t columns, float* to) {
  constexpr std::int64_t lanes = sizeof(Vector) / sizeof(float);
#if defined(__AVX512VL__)
  const auto mask = static_cast<__mmask16>((1u << std::clamp<std::int64_t>(columns, 0, lanes)) - 1);
  if constexpr (lanes == 16)
    _mm512_mask_storeu_ps(to, mask, __m512(x));
  else
    _mm256_mask_storeu_ps(to, static_cast<__mmask8>(mask), __m256(x));
#else
  for (std::int64_t l = 0; l < std::min(lanes, columns); ++l) to[l] = x[l];
#endif
}

// What a block of rows takes.
struct NarrowRows {
  const Narrow& n;
  std::int64_t first;  // of all rows
  std::int64_t row, step;
  const float* a;
  const float* b;
  float* y;
  std::int64_t exact;  // rows from this one on are written without touching what lies behind them
};

// In whole numbers: what a tap lacks may lie outside of the array.
const float* behind(const float* base, std::int64_t elements, const unsigned long long* offsets, std::int64_t i) {
  return reinterpret_cast<const float*>(reinterpret_cast<std::uintptr_t>(base) +
                                        static_cast<std::uintptr_t>(elements) * sizeof(float) +
                                        (offsets ? offsets[i] : 0));
}

// `apart`: from one of a's rows to the next, or 0 for what `w` says. Where it is known, an instruction finds its
// element by one register and a number; two registers would make it two operations, and the block a sixth slower.
template <std::int64_t width, std::int64_t apart, std::int64_t rows>
struct Block {
  static constexpr std::int64_t lanes = std::min(width, widest), vectors = width / lanes;
  using Vector = typename Register<lanes>::type;
  using Anywhere = typename Register<lanes>::anywhere;

  Vector sums[rows][vectors];

  // Adds the products of these taps to the rows from `begin` to `end`.
  template <std::int64_t begin, std::int64_t end>
  [[gnu::always_inline]] inline void add(const NarrowRows& w, const Narrow::Taps& taps) {
    const std::int64_t row = apart > 0 ? apart : w.row, step = w.step, ldb = w.n.ldb, k = w.n.k;
    for (std::int64_t t = 0; t < taps.count; ++t) {
      const float* from = behind(w.a, taps.a_shift, taps.a_offsets, t);
      const float* b = behind(w.b, 0, taps.b_offsets, t);
      const float* a[(rows + 3) / 4];  // of every fourth row: an instruction finds the others from there
      for (std::int64_t g = 0; g < (rows + 3) / 4; ++g) a[g] = from + 4 * g * row;
      for (std::int64_t p = 0; p < k; ++p, b += ldb) {
        Vector right[vectors];
#pragma GCC unroll 2
        for (std::int64_t v = 0; v < vectors; ++v) right[v] = *reinterpret_cast<const Anywhere*>(b + v * lanes);
#pragma GCC unroll 16
        for (std::int64_t r = begin; r < end; ++r)
#pragma GCC unroll 2
          for (std::int64_t v = 0; v < vectors; ++v) add_product(a[r / 4][r % 4 * row], right[v], sums[r][v]);
#pragma GCC unroll 4
        for (std::int64_t g = 0; g < (rows + 3) / 4; ++g) a[g] += step;
      }
    }
  }

  [[gnu::always_inline]] inline void begin(const NarrowRows& w) {
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < vectors; ++v) {
        const float* from = w.y + r * w.n.ldy + v * lanes;
        if (!w.n.accumulate)
          sums[r][v] = Vector{};
        else if (w.n.columns == width)
          sums[r][v] = *reinterpret_cast<const Anywhere*>(from);
        else
          sums[r][v] = read<Vector>(from, w.n.columns - v * lanes);
      }
  }

  [[gnu::always_inline]] inline void end(const NarrowRows& w) const {
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < vectors; ++v) {
        float* to = w.y + r * w.n.ldy + v * lanes;
        if (r < w.exact)
          *reinterpret_cast<Anywhere*>(to) = sums[r][v];
        else
          write(sums[r][v], w.n.columns - v * lanes, to);
      }
  }

  static void run(const NarrowRows& w) {
    Block block;
    block.begin(w);
    block.template add<0, rows>(w, w.n.taps);
    if (w.first == 0)
      block.template add<1, rows>(w, w.n.but_first);
    else
      block.template add<0, rows>(w, w.n.but_first);
    if (w.first + rows == w.n.rows)
      block.template add<0, rows - 1>(w, w.n.but_last);
    else
      block.template add<0, rows>(w, w.n.but_last);
    block.end(w);
  }
};

template <std::int64_t width>
constexpr std::int64_t tallest = widest == 16 ? 16 : 12 * 8 / width;

template <std::int64_t width, std::int64_t apart>
void blocks(const Narrow& n, Strided<float> a, const float* b, float* y) {
  constexpr auto table = []<std::size_t... r>(std::index_sequence<r...>) {
    return std::array{&Block<width, apart, static_cast<std::int64_t>(r) + 1>::run...};
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
    table[static_cast<std::size_t>(rows - 1)]({n, i, a.row, a.step, a.data + i * a.row, b, y + i * n.ldy, exact - i});
    i += rows;
  }
}

}  // namespace

void narrow(const Narrow& n, Strided<float> a, const float* b, float* y) {
  if (n.columns <= 8)
    a.row == 1 ? blocks<8, 1>(n, a, b, y) : blocks<8, 0>(n, a, b, y);
  else if (a.row == 1)
    blocks<16, 1>(n, a, b, y);
  else if (a.row == 16)
    blocks<16, 16>(n, a, b, y);
  else if (a.row == 32)
    blocks<16, 32>(n, a, b, y);
  else
    blocks<16, 0>(n, a, b, y);
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
