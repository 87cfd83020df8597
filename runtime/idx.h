// IDX, the file format of MNIST: two zero bytes, a byte for the dtype, a byte for the rank, the sizes as 32-bit
// big-endian numbers, then the elements, big-endian, row-major. http://yann.lecun.com/exdb/mnist (section "File
// formats").
#pragma once

#include <oxbow/graph/tensor.h>
#include <oxbow/runtime/dataset.h>

#include <string>

namespace oxbow {

/// Reads an IDX file, gzipped or not. u8, i32, f32 and f64 keep their dtype; 8- and 16-bit integers become i32.
/// Throws `Error` that names the file and what is wrong with it: not IDX, truncated, corrupt, too long.
Tensor load_idx(const std::string& path);

/// MNIST or a set of its form (Fashion-MNIST, a sample). `x`: f32 [n, rows * columns], pixels from 0 to 1;
/// `label`: i64 [n], from 0 to 9.
struct Mnist {
  Dataset train, test;
  std::int64_t rows = 0, columns = 0;  ///< of an image
};

/// Reads the four files `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`, each with or without ".gz",
/// in `folder`. Throws `Error` as `load_idx` does, or when labels and images do not match.
Mnist load_mnist(const std::string& folder);

}  // namespace oxbow
