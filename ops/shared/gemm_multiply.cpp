#include <oxbow/ops/shared/gemm.h>

#include <algorithm>
#include <array>
#include <type_traits>

// Every block lies on the stack, at most 280 kB. Any request for the heap stops a build with assertions.
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_NO_MALLOC
#include <Eigen/Core>

namespace oxbow::ops::gemm {
namespace {

constexpr std::int64_t sum_chunk = 128;   // of k: a chunk of a, b and y is what the second-level cache holds
constexpr std::int64_t loop_width = 64;   // columns whose sums the loops keep at once
constexpr std::int64_t block_rows = 128;  // of a block of Eigen's
constexpr std::int64_t block_columns = 96;

// Eigen sums in one chain where columns fill its registers: blocks are multiples of this wide, padded at the edge. 24
// doubles are three registers of AVX-512 or six of AVX2.
template <class T>
constexpr std::int64_t grain = sizeof(T) == 8 ? 24 : 16;

// What libxsmm's kernels compute with fused multiply-adds is theirs. Eigen's products of integers take four times as
// long as loops.
constexpr bool has_blocks(DType dtype) { return is_float(dtype) && !sums_in_one_chain(dtype); }

// A block pays for packing its operands from these sizes on.
constexpr std::int64_t fewest_rows = 4, fewest_columns = 8, fewest_steps = 8;

// a b + c: one rounding where the target has it, wrapping around for integers.
template <class T>
T multiply_add(T a, T b, T c) {
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (!fuses) return a * b + c;
    return sizeof(T) == 4 ? static_cast<T>(__builtin_fmaf(a, b, c)) : static_cast<T>(__builtin_fma(a, b, c));
  } else {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b) + static_cast<U>(c));
  }
}

template <class T>
T plus(T a, T b) {
  return multiply_add(a, T(1), b);
}

// sums[j] += a[0] b[0][j] + a[1] b[1][j] + ..., each sum one chain.
template <class T>
void chain(std::int64_t columns, std::int64_t k, const T* a, std::int64_t step, const T* b, std::int64_t ldb,
           T* __restrict sums) {
  std::int64_t p = 0;
  for (; p + 4 <= k; p += 4) {  // four steps of the chain for one load and store of the sum
    const T a0 = a[p * step], a1 = a[(p + 1) * step], a2 = a[(p + 2) * step], a3 = a[(p + 3) * step];
    const T *b0 = b + p * ldb, *b1 = b0 + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
    for (std::int64_t j = 0; j < columns; ++j)
      sums[j] =
          multiply_add(a3, b3[j], multiply_add(a2, b2[j], multiply_add(a1, b1[j], multiply_add(a0, b0[j], sums[j]))));
  }
  for (; p < k; ++p) {
    const T a0 = a[p * step];
    const T* b0 = b + p * ldb;
    for (std::int64_t j = 0; j < columns; ++j) sums[j] = multiply_add(a0, b0[j], sums[j]);
  }
}

// y += a b.
template <class T>
void loops(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
           std::int64_t ldy) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* from = a.data + i * a.row;
    T* to = y + i * ldy;
    if constexpr (std::is_same_v<T, float> && fuses) {
      chain(columns, k, from, a.step, b, ldb, to);  // y begins the chain
    } else {
      for (std::int64_t j = 0; j < columns; j += loop_width) {
        const std::int64_t width = std::min(loop_width, columns - j);
        for (std::int64_t p = 0; p < k; p += sum_chunk) {
          std::array<T, loop_width> sums;
          std::fill_n(sums.data(), width, T(0));
          chain(width, std::min(sum_chunk, k - p), from + p * a.step, a.step, b + p * ldb + j, ldb, sums.data());
          for (std::int64_t l = 0; l < width; ++l) to[j + l] = plus(sums[static_cast<std::size_t>(l)], to[j + l]);
        }
      }
    }
  }
}

template <class T, int rows, int columns, Eigen::StorageOptions order>
using Block = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, order, rows, columns>;
template <class Matrix>
using Map = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

// y += a b for a block: at least two rows, columns a multiple of `grain`, at most a chunk of k.
template <class T, Eigen::StorageOptions order>
void block(std::int64_t rows, std::int64_t columns, std::int64_t k, const T* a, std::int64_t lda, const T* b,
           std::int64_t ldb, T* y, std::int64_t ldy) {
  const Map<const Block<T, block_rows, sum_chunk, order>> left(a, rows, k, Eigen::OuterStride<>(lda));
  const Map<const Block<T, sum_chunk, block_columns, Eigen::RowMajor>> right(b, k, columns, Eigen::OuterStride<>(ldb));
  Map<Block<T, block_rows, block_columns, Eigen::RowMajor>> result(y, rows, columns, Eigen::OuterStride<>(ldy));
  result.noalias() += left * right;
}

template <class T>
void block(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
           std::int64_t ldy) {
  if (a.step == 1)
    block<T, Eigen::RowMajor>(rows, columns, k, a.data, a.row, b, ldb, y, ldy);
  else
    block<T, Eigen::ColMajor>(rows, columns, k, a.data, a.step, b, ldb, y, ldy);
}

// y += a b for fewer columns than `grain`: b with columns of zeros, the sums' other columns dropped.
template <class T>
void edge(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
          std::int64_t ldy) {
  std::array<T, sum_chunk * grain<T>> padded;
  std::array<T, block_rows * grain<T>> sums;
  for (std::int64_t p = 0; p < k; ++p) {
    T* to = padded.data() + p * grain<T>;
    std::copy_n(b + p * ldb, columns, to);
    std::fill(to + columns, to + grain<T>, T(0));
  }
  std::fill_n(sums.data(), rows * grain<T>, T(0));
  block(rows, grain<T>, k, a, padded.data(), grain<T>, sums.data(), grain<T>);
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* from = sums.data() + i * grain<T>;
    for (std::int64_t j = 0; j < columns; ++j) y[i * ldy + j] = plus(from[j], y[i * ldy + j]);
  }
}

template <class T>
void blocks(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
            std::int64_t ldy) {
  // The last rows are at least half a block: one alone would be another routine of Eigen's.
  for (std::int64_t i = 0; i < rows;) {
    const std::int64_t left = rows - i;
    const std::int64_t tall = left > block_rows && left < 2 * block_rows ? left / 2 : std::min(left, block_rows);
    for (std::int64_t j = 0; j < columns; j += block_columns) {
      const std::int64_t width = std::min(block_columns, columns - j), whole = width / grain<T> * grain<T>;
      for (std::int64_t p = 0; p < k; p += sum_chunk) {
        const std::int64_t deep = std::min(sum_chunk, k - p);
        const Strided<T> from{a.data + i * a.row + p * a.step, a.row, a.step};
        const T* right = b + p * ldb + j;
        T* to = y + i * ldy + j;
        if (whole > 0) block(tall, whole, deep, from, right, ldb, to, ldy);
        if (width > whole) edge(tall, width - whole, deep, from, right + whole, ldb, to + whole, ldy);
      }
    }
    i += tall;
  }
}

}  // namespace

Path path(DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t k) {
  const bool pays = rows >= fewest_rows && columns >= fewest_columns && k >= fewest_steps;
  return has_blocks(dtype) && pays ? Path::eigen : Path::loops;
}

template <class T>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
              std::int64_t ldy, bool accumulate) {
  if (!accumulate)
    for (std::int64_t i = 0; i < rows; ++i) std::fill_n(y + i * ldy, columns, T(0));
  if constexpr (has_blocks(dtype_of<T>))
    if (path(dtype_of<T>, rows, columns, k) == Path::eigen) return blocks(rows, columns, k, a, b, ldb, y, ldy);
  loops(rows, columns, k, a, b, ldb, y, ldy);
}

template void multiply<float>(std::int64_t, std::int64_t, std::int64_t, Strided<float>, const float*, std::int64_t,
                              float*, std::int64_t, bool);
template void multiply<double>(std::int64_t, std::int64_t, std::int64_t, Strided<double>, const double*, std::int64_t,
                               double*, std::int64_t, bool);
template void multiply<std::int32_t>(std::int64_t, std::int64_t, std::int64_t, Strided<std::int32_t>,
                                     const std::int32_t*, std::int64_t, std::int32_t*, std::int64_t, bool);
template void multiply<std::int64_t>(std::int64_t, std::int64_t, std::int64_t, Strided<std::int64_t>,
                                     const std::int64_t*, std::int64_t, std::int64_t*, std::int64_t, bool);

}  // namespace oxbow::ops::gemm
