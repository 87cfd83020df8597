// libxsmm's kernels for row-major matrices, and Adam's step.
#pragma once

#include <libxsmm.h>

#include <cmath>
#include <stdexcept>

#include "team.h"

namespace straight {

/// y[rows][columns] (+)= a[rows][k] b[k][columns], with these distances between rows; `transpose_a`: a is [k][rows].
struct Shape {
  int rows, columns, k, lda, ldb, ldy;
  bool transpose_a = false, add = false;
};

/// Of column-major operands the first is our b.
template <auto dispatch>
auto made(Shape s) {
  const float one = 1, beta = s.add ? 1 : 0;
  const int flags = s.transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  const auto code = dispatch(s.columns, s.rows, s.k, &s.ldb, &s.lda, &s.ldy, &one, &beta, &flags, &prefetch);
  if (!code) throw std::runtime_error("libxsmm makes no such kernel on this processor");
  return code;
}

class Kernel {
 public:
  Kernel() = default;
  explicit Kernel(Shape s) : code_(made<libxsmm_smmdispatch>(s)) {}
  void operator()(const float* a, const float* b, float* y) const { code_(b, a, y); }

 private:
  libxsmm_smmfunction code_ = nullptr;
};

/// The sum of such products over taps: those of a lie `a_step` floats apart, those of b `b_step`.
class SumKernel {
 public:
  SumKernel() = default;
  SumKernel(Shape s, int taps, std::size_t a_step, std::size_t b_step)
      : code_(made<libxsmm_smmdispatch_reducebatch_offs>(s)) {
    for (unsigned long long t = 0; t < static_cast<unsigned long long>(taps); ++t) {
      a_offsets_.push_back(t * a_step * sizeof(float));
      b_offsets_.push_back(t * b_step * sizeof(float));
    }
  }
  void operator()(const float* a, const float* b, float* y) const {
    const unsigned long long count = a_offsets_.size();
    code_(b, a, y, &count, b_offsets_.data(), a_offsets_.data());
  }

 private:
  libxsmm_smmfunction_reducebatch_offs code_ = nullptr;
  std::vector<unsigned long long> a_offsets_, b_offsets_;
};

/// Adam as Keras has it, with its usual numbers.
class Adam {
 public:
  void begin_step() {
    ++count_;
    rate_ = static_cast<float>(1e-3 * std::sqrt(1 - std::pow(0.999, count_)) / (1 - std::pow(0.9, count_)));
  }
  void update(std::size_t n, const float* __restrict g, float* __restrict w, float* __restrict m,
              float* __restrict v) const {
    const float rate = rate_;
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
      m[i] = 0.9f * m[i] + 0.1f * g[i];
      v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
      w[i] -= rate * m[i] / (std::sqrt(v[i]) + 1e-7f);
    }
  }

 private:
  int count_ = 0;
  float rate_ = 0;
};

/// What Adam moves, and its moments. A gradient as large may be gathered beside it.
struct Parameter {
  Array w, m, v, g;
  Parameter() = default;
  explicit Parameter(std::size_t size) : w(size), m(size), v(size), g(size) {}
  explicit Parameter(std::span<const float> from) : Parameter(from.size()) { std::ranges::copy(from, w.data()); }
  void update(const Adam& adam, const float* gradient, std::size_t first, std::size_t n) {
    adam.update(n, gradient, w.data() + first, m.data() + first, v.data() + first);
  }
  void update(const Adam& adam) { update(adam, g.data(), 0, w.size()); }
};

}  // namespace straight
