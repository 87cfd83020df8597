// Tensors with their axes in another order. Thread safety: functions without shared state.
#pragma once

#include <oxbow/graph/tensor.h>

#include <vector>

namespace oxbow::onnx {

/// How ONNX's kernels [k][c][h][w] become [h][w][c][k], as convolutions read them, and back.
inline const std::vector<std::int64_t> to_kernel{2, 3, 1, 0}, from_kernel{3, 2, 0, 1};

/// A copy whose axis i is axis `order[i]` of t.
Tensor permuted(const Tensor& t, const std::vector<std::int64_t>& order);

}  // namespace oxbow::onnx
