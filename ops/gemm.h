// The inner kernels of products and convolutions: plain loops for any dtype, and libxsmm's single-threaded kernels,
// made at run time for one shape and kept by libxsmm. Internal to ops/. Safe from any thread.
#pragma once

#include <cstdint>
#include <type_traits>

namespace oxbow::gemm {

/// a b + c as products sum it: one rounding for floats, wrapping around for integers.
template <class T>
inline T multiply_add(T a, T b, T c) {
  if constexpr (std::is_floating_point_v<T>) {
#ifdef __FMA__
    return sizeof(T) == 4 ? static_cast<T>(__builtin_fmaf(a, b, c)) : static_cast<T>(__builtin_fma(a, b, c));
#else
    return a * b + c;
#endif
  } else {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b) + static_cast<U>(c));
  }
}

/// Where a factor's elements lie: element (i, p) at `data[i * row + p * step]`.
template <class T>
struct Strided {
  const T* data;
  std::int64_t row, step;
};

/// y[i][j] (+)= sum over p of a(i, p) b[p][j], each element one chain over rising p.
template <class T>
void loops(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
           std::int64_t ldy, bool accumulate) {
  for (std::int64_t i = 0; i < rows; ++i) {
    T* __restrict to = y + i * ldy;
    const T* from = a.data + i * a.row;
    if (!accumulate)
      for (std::int64_t j = 0; j < columns; ++j) to[j] = T(0);
    std::int64_t p = 0;
    for (; p + 4 <= k; p += 4) {  // four steps of the chain for one load and store of the sum
      const T a0 = from[p * a.step], a1 = from[(p + 1) * a.step], a2 = from[(p + 2) * a.step],
              a3 = from[(p + 3) * a.step];
      const T *b0 = b + p * ldb, *b1 = b0 + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
      for (std::int64_t j = 0; j < columns; ++j)
        to[j] =
            multiply_add(a3, b3[j], multiply_add(a2, b2[j], multiply_add(a1, b1[j], multiply_add(a0, b0[j], to[j]))));
    }
    for (; p < k; ++p) {
      const T a0 = from[p * a.step];
      const T* b0 = b + p * ldb;
      for (std::int64_t j = 0; j < columns; ++j) to[j] = multiply_add(a0, b0[j], to[j]);
    }
  }
}

/// y[rows][columns] (+)= a[rows][k] b[k][columns], row-major with these distances between rows; `transpose_a`: a is
/// [k][rows]. Called with (b, a, y). Each element is one chain of fused multiply-adds over rising k.
using Kernel = void (*)(const float* b, const float* a, float* y, ...);
struct Shape {
  std::int64_t rows, columns, k, lda, ldb, ldy;
  bool transpose_a = false, accumulate = false;
};

/// Whether this processor runs what libxsmm makes well, and as one chain an element.
bool has_jit();
/// libxsmm sums narrow kernels of few rows in several chains: those must not be used.
constexpr bool is_one_chain(std::int64_t rows, std::int64_t columns) { return columns > 16 || rows >= 12 || rows == 1; }
/// The kernel for a shape: some 20 us the first time, then a lookup. Throws `InternalError` when libxsmm has none.
Kernel kernel(const Shape& s);

/// The sum of such products over a batch: y (+)= sum over i of a_i b_i, where a_i and b_i lie `a_offsets[i]` and
/// `b_offsets[i]` bytes behind a and b. Called with (b, a, y, &count, b_offsets, a_offsets).
using BatchKernel = void (*)(const float* b, const float* a, float* y, const unsigned long long* count,
                             const unsigned long long* b_offsets, const unsigned long long* a_offsets, ...);
BatchKernel batch_kernel(const Shape& s);

}  // namespace oxbow::gemm
