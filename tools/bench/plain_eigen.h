// Eigen's own product of square matrices, to compare with: blocked for the machine's caches, on one thread.
#pragma once

#include <oxbow/graph/tensor.h>

namespace oxbow::tools {

/// y = a b for row-major n by n matrices of one dtype: f32, f64 or i32.
void plain_eigen(const Tensor& a, const Tensor& b, Tensor& y);

}  // namespace oxbow::tools
