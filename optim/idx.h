// IDX, the file format of MNIST: two zero bytes, a byte for the dtype, a byte for the rank, the sizes as 32-bit
// big-endian numbers, then the elements, big-endian, row-major. http://yann.lecun.com/exdb/mnist (section "File
// formats"). Thread safety: functions without shared state.
#pragma once

#include <oxbow/graph/tensor.h>

#include <string>

namespace oxbow {

/// Reads an IDX file, gzipped or not. u8, i32, f32 and f64 keep their dtype; 8-bit signed and 16-bit integers become
/// i32. Throws `Error` that names the file and what is wrong with it: not IDX, truncated, corrupt, too long, or packed
/// so tightly that it is suspect (graph/support/limits.h).
Tensor load_idx(const std::string& path);

}  // namespace oxbow
