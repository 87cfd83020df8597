// The inner kernels of products and convolutions: `multiply` for any dtype and size, in plain loops and Eigen, and
// libxsmm's single-threaded kernels, made at run time for one shape and kept as long as somebody holds them. Internal
// to ops/. Safe from any thread; `multiply` takes no memory from the heap.
//
// An element's bits depend on its row of a and its column of b only. Where the compiler's target has fused
// multiply-adds, an f32 sum is one chain of them over rising k, as libxsmm's kernels sum. All other sums are cut at
// multiples of `sum_chunk`: each chunk is one chain that begins at zero, and the chunks are added up in order, as
// Eigen's blocks sum.
#pragma once

#include <oxbow/graph/type.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace oxbow::ops::gemm {

/// Where a factor's elements lie: element (i, p) at `data[i * row + p * step]`.
template <class T>
struct Strided {
  const T* data;
  std::int64_t row, step;
};

/// The element types of `multiply`. Unsigned integers are computed as signed ones, which wrap around to the same bits.
using ElementTypes = dtypes::List<float, double, std::int32_t, std::int64_t>;

constexpr DType computed_as(DType dtype) { return dtype == u32 ? i32 : dtype == u64 ? i64 : dtype; }

/// y[i][j] (+)= sum over p of a(i, p) b[p][j]. T is one of `ElementTypes`.
template <class T>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t k, Strided<T> a, const T* b, std::int64_t ldb, T* y,
              std::int64_t ldy, bool accumulate);

/// What `multiply` takes for such a product. Both give the same bits.
enum class Path : std::uint8_t { loops, eigen };
Path path(DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t k);

/// Whether the compiler's target has fused multiply-adds.
#if defined(__FMA__)
constexpr bool fuses = true;
#else
constexpr bool fuses = false;
#endif
/// Whether libxsmm's kernels compute in this dtype.
constexpr bool has_kernels(DType dtype) { return dtype == f32; }
/// Whether a sum is one chain of fused multiply-adds, so that libxsmm's kernels give the same bits.
constexpr bool sums_in_one_chain(DType dtype) { return fuses && has_kernels(dtype); }

/// How many operations a large product with so many columns does in a nanosecond on one core, roughly: schedules are
/// made from it.
double flops_per_ns(DType dtype, std::int64_t columns);

/// A kernel made at run time, whose code lives as long as a copy of this. Empty where there is none: then `multiply`
/// gives the same bits.
template <class F>
class Made {
 public:
  Made() = default;
  explicit Made(std::shared_ptr<const void> code) : code_(std::move(code)) {}
  explicit operator bool() const { return code_ != nullptr; }
  template <class... Arguments>
  void operator()(Arguments... arguments) const {
    reinterpret_cast<F*>(reinterpret_cast<std::uintptr_t>(code_.get()))(arguments...);
  }

 private:
  std::shared_ptr<const void> code_;
};

/// y[rows][columns] (+)= a[rows][k] b[k][columns], row-major with these distances between rows; `transpose_a`: a is
/// [k][rows]. Called with (b, a, y). Each element is one chain of fused multiply-adds over rising k.
using Kernel = Made<void(const float* b, const float* a, float* y, ...)>;
struct Shape {
  std::int64_t rows, columns, k, lda, ldb, ldy;
  bool transpose_a = false, accumulate = false;
  auto operator<=>(const Shape&) const = default;
};

/// Whether this processor runs what libxsmm makes well, and as one chain an element.
bool has_jit();
/// Whether kernels read 64 columns of b at once, in four registers of AVX-512. Then it matters little how far apart b's
/// rows are; with AVX2 they go over b in strips of 24, and rows that meet in one set of the first cache cost half of
/// the speed.
bool reads_whole_panels();
/// libxsmm sums narrow kernels of few rows in several chains: those must not be used.
constexpr bool is_one_chain(std::int64_t rows, std::int64_t columns) { return columns > 16 || rows >= 12 || rows == 1; }
/// The kernel for a shape: some 20 us to make, a lookup where somebody holds it already. Empty where libxsmm has none
/// (a size is beyond an int), where the system gives no memory to run it from, and where 16,384 kernels or 256 MB are
/// held.
Kernel kernel(const Shape& s);

/// The sum of such products over a batch: y (+)= sum over i of a_i b_i, where a_i and b_i lie `a_offsets[i]` and
/// `b_offsets[i]` bytes behind a and b. Called with (b, a, y, &count, b_offsets, a_offsets).
using BatchKernel = Made<void(const float* b, const float* a, float* y, const unsigned long long* count,
                              const unsigned long long* b_offsets, const unsigned long long* a_offsets, ...)>;
BatchKernel batch_kernel(const Shape& s);

/// What all kernels that are held take.
struct KernelUse {
  std::size_t count, bytes;
};
KernelUse kernel_use();

}  // namespace oxbow::ops::gemm
