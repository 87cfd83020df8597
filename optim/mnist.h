// MNIST's handwritten digits, or a set of the same form (Fashion-MNIST, a sample), from its four IDX files.
// Thread safety: functions without shared state.
#pragma once

#include <oxbow/optim/dataset.h>

namespace oxbow {

struct MnistOptions {
  bool images = false;  ///< `x` with the axes of images, [n, rows, columns, 1]: for convolutions and `augment`
};

/// `x`: f32 [n, rows * columns], pixels from 0 to 1; `label`: i64 [n].
struct Mnist {
  Dataset train, test;
  std::int64_t rows = 0, columns = 0;  ///< of an image
};

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`,
/// each with or without ".gz", in `folder`. Throws `Error` as `load_idx` does, and when labels and images do not match.
Mnist load_mnist(const std::string& folder, const MnistOptions& options = {});

}  // namespace oxbow
