#include "onnx/permuted.h"

#include <cstring>

namespace oxbow::onnx {

Tensor permuted(const Tensor& t, const std::vector<std::int64_t>& order) {
  const std::size_t rank = order.size();
  std::vector<std::int64_t> strides(rank, 1), sizes, steps;
  for (std::size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * t.shape()[static_cast<int>(i)];
  for (const std::int64_t axis : order) {
    sizes.push_back(t.shape()[static_cast<int>(axis)]);
    steps.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  Tensor result({t.dtype(), Shape(sizes)});
  const auto size = static_cast<std::size_t>(size_of(t.dtype()));
  std::vector<std::int64_t> at(rank, 0);
  std::int64_t from = 0;
  for (std::int64_t to = 0; to < t.count(); ++to) {
    std::memcpy(result.bytes() + static_cast<std::size_t>(to) * size, t.bytes() + static_cast<std::size_t>(from) * size,
                size);
    for (std::size_t i = rank; i-- > 0;) {
      from += steps[i];
      if (++at[i] < sizes[i]) break;
      from -= steps[i] * sizes[i];
      at[i] = 0;
    }
  }
  return result;
}

}  // namespace oxbow::onnx
