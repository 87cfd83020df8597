// Products with up to 16 columns in single precision, where libxsmm's kernels fill less than two thirds of AVX2's
// lanes: a block of rows (12 by 8 columns, 6 by 16) is summed in registers over all taps of a convolution. Internal to
// ops/. Each element is one chain of fused multiply-adds. Safe from any thread.
#pragma once

#include <oxbow/ops/shared/gemm.h>

namespace oxbow::ops::gemm {

/// y[i][j] (+)= sum over taps t, then p < k, of a_t(i, p) b_t[p][j]. The taps come in the order of their members.
struct Narrow {
  /// a_t and b_t lie `a_shift` elements and `a_offsets[t]` bytes, and `b_offsets[t]` bytes behind a and b; without
  /// offsets there.
  struct Taps {
    std::int64_t count = 0;
    const unsigned long long *a_offsets = nullptr, *b_offsets = nullptr;
    std::int64_t a_shift = 0;
  };
  std::int64_t rows, columns, k;
  std::int64_t ldb, ldy;
  Taps taps = {.count = 1};
  Taps but_first = {}, but_last = {};  // that the first row, and the last one, do not have
  bool accumulate = false;
};

/// The columns that b must have for `columns`, 1 to 16, of y: those beyond are read, and dropped.
constexpr std::int64_t narrow_width(std::int64_t columns) { return columns <= 8 ? 8 : 16; }
/// Whether this library has such kernels, which takes fused multiply-adds.
constexpr bool is_narrow(DType dtype, std::int64_t columns) {
  return sums_in_one_chain(dtype) && columns > 0 && columns <= 16;
}

/// Throws nothing, takes nothing from the heap. `rows` may be 0.
void narrow(const Narrow& n, Strided<float> a, const float* b, float* y);

/// Copies rows of `columns` to rows of `narrow_width(columns)`, with anything behind.
void widen(std::int64_t rows, std::int64_t columns, const float* from, float* to);

}  // namespace oxbow::ops::gemm
