// How the kernels of convolutions and pooling cut their work into parts, blocks and products.
#pragma once

#include <oxbow/graph/support/align.h>
#include <oxbow/ops/conv/geometry.h>

#include <algorithm>

namespace oxbow::ops {

using internal::aligned;

inline constexpr double part_bytes = 128 << 10;        ///< read and written by a part: some 10 us
inline constexpr double part_flops = 1e6;              ///< of a part's products: some 10 us
inline constexpr std::int64_t block_bytes = 32 << 10;  ///< of rows computed before the epilogue goes over them
inline constexpr std::int64_t panel = 64;              ///< output channels of a product
/// Of an image's products; below, loops take less time than looking kernels up.
inline constexpr double jit_flops = 1e4;
inline constexpr std::int64_t furthest = 1 << 30;  ///< no sum or product of sizes overflows
/// Into which the gradient of weights cuts a batch, each with a buffer of its own: enough for 8 threads.
inline constexpr std::int64_t most_chunks = 8;
inline std::int64_t chunks_of(const ConvShape& s) { return std::clamp<std::int64_t>(s.images, 1, most_chunks); }

}  // namespace oxbow::ops
