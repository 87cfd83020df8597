// What the kernels of recurrent layers share: which rows of the batch a part takes through all steps, and the product
// of a step. Rows of a batch know nothing of one another, so a part goes from the first step to the last without
// waiting for anybody; what it reads again in each step are the recurrent weights, from the second-level cache.
//
// An element of a product is summed over rising k as ops/shared/gemm.h says: its bits are those of `matmul`, whatever
// rows are beside it. Internal to ops/recurrent; safe from any thread.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/ops/shared/gemm.h>

#include <algorithm>
#include <cstddef>

namespace oxbow::ops::recurrent {

/// The sizes of states [time, batch, units], and the rows of each part but the last.
struct Sizes {
  Sizes() = default;
  /// `width` is how many columns a step's product has, and how many rows the weights of the way back.
  Sizes(const Shape& states, std::int64_t width);

  std::int64_t time = 0, batch = 0, units = 0;
  std::int64_t rows = 0, parts = 1;

  std::int64_t first_row(std::int64_t part) const { return part * rows; }
  std::int64_t rows_of(std::int64_t part) const { return std::min(rows, batch - first_row(part)); }
  std::int64_t last_rows() const { return rows_of(parts - 1); }
};

/// The place in time of step `step`, of which a reversed recurrence begins at the end.
inline std::int64_t place_of(std::int64_t step, std::int64_t time, bool reverse) {
  return reverse ? time - 1 - step : step;
}

/// What a product of a step is of: a [rows, k], b [k, columns].
struct Factors {
  std::int64_t columns = 0, k = 0;
  std::int64_t a_stride = 0, b_stride = 0, y_stride = 0;  // from row to row
};

/// y (+)= a b, with the rows of one part and a matrix b that is the same in all steps.
class StepProduct {
 public:
  StepProduct() = default;
  StepProduct(DType dtype, const Sizes& sizes, const Factors& of, bool accumulate);
  /// Of whole matrices.
  StepProduct(DType dtype, const Sizes& sizes, std::int64_t columns, std::int64_t k, bool accumulate)
      : StepProduct(dtype, sizes, {columns, k, k, columns, columns}, accumulate) {}

  /// For the rows of `part`.
  template <class T>
  void multiply(std::int64_t part, const T* a, const T* b, T* y) const;
  double flops() const { return 2.0 * static_cast<double>(of_.columns * of_.k); }  // a row

 private:
  static constexpr std::int64_t panel_ = 64;  // columns at once: four registers of AVX-512
  Factors of_;
  std::int64_t chunk_ = 0, rows_ = 0, last_rows_ = 0, last_part_ = 0;
  bool accumulate_ = false;
  // By [last part][last panel][first, middle, last chunk of k]; empty: plain loops, to the same bits.
  gemm::Kernel kernels_[2][2][3] = {};
};

/// What a cell, one unit of one row in one step, takes: operations of products, others, and numbers read and written.
struct Cell {
  std::int64_t products = 0, others = 0, numbers = 0;
};
/// What all steps of `units` a row take.
Work work_of(DType dtype, const Sizes& sizes, std::int64_t units, std::int64_t scratch, const Cell& cell);

/// Room in a part's scratch for so many elements.
template <class T>
T* take(std::byte*& scratch, std::int64_t elements) {
  T* const taken = reinterpret_cast<T*>(scratch);
  scratch += (elements * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
  return taken;
}
/// The bytes that `take` takes for these numbers of elements.
inline std::int64_t scratch_of(DType dtype, std::initializer_list<std::int64_t> elements) {
  std::int64_t bytes = 0;
  for (const std::int64_t n : elements) bytes += (n * size_of(dtype) + 63) / 64 * 64;
  return bytes;
}

/// Throws `OpError` unless `t`, called `name`, is of this type.
void check_is(const char* name, const Type& t, const Type& wanted);
/// The same where it is there.
void check_may_be(const char* name, const Type& t, const Type& wanted);

}  // namespace oxbow::ops::recurrent
