#include <libxsmm.h>
#include <oxbow/graph/error.h>
#include <oxbow/ops/kernels/gemm.h>

#include <algorithm>
#include <limits>

namespace oxbow::gemm {
namespace {

// libxsmm is column-major: our row-major y = a b is its y^T = b^T a^T, so b is its first operand.
struct Arguments {
  explicit Arguments(const Shape& s)
      : m(static_cast<int>(s.columns)),
        n(static_cast<int>(s.rows)),
        k(static_cast<int>(s.k)),
        lda(static_cast<int>(s.ldb)),
        ldb(static_cast<int>(s.lda)),
        ldc(static_cast<int>(s.ldy)),
        beta(s.accumulate ? 1.0f : 0.0f),
        flags(s.transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE) {}
  int m, n, k, lda, ldb, ldc;
  float alpha = 1, beta;
  int flags, prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
};

bool fits(const Shape& s) {
  return std::ranges::max({s.rows, s.columns, s.k, s.lda, s.ldb, s.ldy}) <= std::numeric_limits<int>::max();
}

}  // namespace

bool has_jit() {
  static const bool has = [] {
    libxsmm_init();  // 5 ms, once
    return libxsmm_get_target_archid() >= LIBXSMM_X86_AVX2;
  }();
  return has;
}

Kernel kernel(const Shape& s) {
  if (!fits(s)) return nullptr;
  const Arguments a(s);
  const Kernel f = libxsmm_smmdispatch(a.m, a.n, a.k, &a.lda, &a.ldb, &a.ldc, &a.alpha, &a.beta, &a.flags, &a.prefetch);
  invariant(f != nullptr, "libxsmm has no kernel for a product's tile");
  return f;
}

BatchKernel batch_kernel(const Shape& s) {
  if (!fits(s)) return nullptr;
  const Arguments a(s);
  const BatchKernel f = libxsmm_smmdispatch_reducebatch_offs(a.m, a.n, a.k, &a.lda, &a.ldb, &a.ldc, &a.alpha, &a.beta,
                                                             &a.flags, &a.prefetch);
  invariant(f != nullptr, "libxsmm has no batch kernel for a convolution's tile");
  return f;
}

}  // namespace oxbow::gemm
