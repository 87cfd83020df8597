// Whether numbers are finite, where they are not, and between what they lie.
// Thread safety: pure functions.
#pragma once

#include <oxbow/graph/tensor.h>

#include <string>

namespace oxbow::internal {

/// Whether no element is a NaN or an infinity; true for integers. As fast as memory is read.
bool all_finite(const Type& type, const std::byte* bytes);
/// Whether no element is a NaN.
bool no_nan(const Type& type, const std::byte* bytes);

/// What is in a tensor.
struct Census {
  std::int64_t elements = 0, nans = 0, infinities = 0;
  std::int64_t first_bad = -1;     ///< the number of the first element that is not finite, row-major
  double least = 0, greatest = 0;  ///< of the finite ones; 0 without one
  std::int64_t bad() const { return nans + infinities; }
};
/// Counts a row-major tensor's elements.
Census census(const Tensor& tensor);

/// "0 to 0.98", "-1 to 3, and 2 NaN, 1 Inf", "all NaN", "empty".
std::string to_string(const Census& census);
/// Where a row-major tensor's element is: "[3, 5]"; "" in a scalar.
std::string position(const Shape& shape, std::int64_t element);
/// One element, as in messages: "0.25", "NaN", "-Inf".
std::string element_text(const Tensor& tensor, std::int64_t element);

}  // namespace oxbow::internal
