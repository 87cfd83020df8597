// What a NumPy array is in a file or in a member of an archive. Private to optim/data.
#pragma once

#include <oxbow/graph/tensor.h>

#include <functional>
#include <string>
#include <string_view>

namespace oxbow::optim::internal {

/// What is wrong with an array, without a name of the file: "it has only 3 bytes".
class NotNpy : public Error {
 public:
  using Error::Error;
};

/// What stands before the elements.
struct NpyHead {
  Type type;
  bool fortran = false, swapped = false;  ///< the first axis is the fastest; bytes are in the other order
  std::int64_t bytes = 0;                 ///< of the head itself
};

/// The next `count` bytes.
using ReadBytes = std::function<void(void* to, std::int64_t count)>;

/// Reads the head of an array that takes `size` bytes with it. Throws `NotNpy`, and what `read` throws.
NpyHead read_npy_head(std::int64_t size, const ReadBytes& read);
/// The whole array. Throws the same.
Tensor read_npy(std::int64_t size, const ReadBytes& read);
/// The head of an array of this type, of version 1. Throws `NotNpy` for bf16, which NumPy lacks.
std::string npy_head(const Type& type);

}  // namespace oxbow::optim::internal
