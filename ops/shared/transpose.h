// Transposition of small matrices through registers, for kernels that want an operand the other way round. Internal to
// ops/. Safe from any thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace oxbow::ops {

/// to[c][r] = from[r][c] for 8 by 8 elements. Rows r and r + 4 meet in one register as they are loaded, so that what is
/// left for each half is to transpose 4 by 4, which moves nothing from one half to the other.
template <class T>
void transpose_8x8(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  typedef T Row __attribute__((vector_size(8 * sizeof(T)), aligned(alignof(T))));
  typedef T Half __attribute__((vector_size(4 * sizeof(T)), aligned(alignof(T))));
  Row x[4], y[4];
  for (int half = 0; half < 8; half += 4) {
    for (int i = 0; i < 4; ++i)
      x[i] = __builtin_shufflevector(*reinterpret_cast<const Half*>(from + i * from_stride + half),
                                     *reinterpret_cast<const Half*>(from + (i + 4) * from_stride + half), 0, 1, 2, 3, 4,
                                     5, 6, 7);
    for (int i = 0; i < 2; ++i) {  // of rows 2 i and 2 i + 1: columns 0 and 1, then 2 and 3
      y[2 * i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      y[2 * i + 1] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 2; ++i) {
      x[2 * i] = __builtin_shufflevector(y[i], y[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      x[2 * i + 1] = __builtin_shufflevector(y[i], y[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; ++i) *reinterpret_cast<Row*>(to + (half + i) * to_stride) = x[i];
  }
}

/// to[r][c] = from[c][r] for `rows` by `columns` of `to`.
template <class T>
void copy_transposed(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t rows,
                     std::int64_t columns) {
  const std::int64_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  // Sixteen elements of a row at a time, a cache line of floats: lines far apart in memory push one another out.
  for (std::int64_t line = 0; line < whole_rows; line += 16)
    for (std::int64_t c = 0; c < whole_columns; c += 8)
      for (std::int64_t r = line; r < std::min(line + 16, whole_rows); r += 8)
        transpose_8x8(from + c * from_stride + r, from_stride, to + r * to_stride + c, to_stride);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c)
      to[r * to_stride + c] = from[c * from_stride + r];
}

}  // namespace oxbow::ops
