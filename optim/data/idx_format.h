// What stands in an IDX file before its elements, and what these become. Private to optim/data.
#pragma once

#include <oxbow/graph/tensor.h>

#include <functional>

namespace oxbow::optim::internal {

/// What is wrong with a file, without its name: "it has only 3 bytes".
class NotIdx : public Error {
 public:
  using Error::Error;
};

struct IdxHead {
  Type type;                 ///< of the tensor
  std::int64_t element = 1;  ///< bytes of an element in the file
  std::int64_t bytes = 0;    ///< of the head itself
};

/// `read` takes up to so many bytes and says how many there were. Throws `NotIdx`.
IdxHead read_idx_head(const std::function<std::int64_t(std::byte* to, std::int64_t count)>& read);
/// `count` elements as they are in the file, which are turned around there, to those of a tensor.
void convert_idx(const IdxHead& head, std::byte* raw, std::int64_t count, std::byte* to);

}  // namespace oxbow::optim::internal
