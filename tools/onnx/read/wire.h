// The wire format of an ONNX file, read before protobuf does: the bytes of tensors are found and left where they are,
// and what remains is small, counted and without surprises.
// https://protobuf.dev/programming-guides/encoding
// Thread safety: a pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::onnx {

/// The elements of a tensor as they lie in a file: of one field, in one or several pieces.
struct TensorBytes {
  int field = 0;       ///< of TensorProto: 9 for raw bytes, 4, 5, 7, 10 and 11 for lists of numbers
  bool packed = true;  ///< else each piece is one number
  std::vector<std::string_view> pieces;
};

struct Scanned {
  std::string rest;  ///< the message without tensors' elements; their `raw_data` is a number, the place in `tensors`
  std::vector<TensorBytes> tensors;
};

enum class Root : std::uint8_t { model, tensor };

/// Throws `Error` that says at which byte of `file` what is wrong: what is cut off, nested deeper or has more messages
/// than limits allow (graph/support/limits.h), groups, and a field twice that may be there once.
Scanned scan(std::string_view file, Root root);

}  // namespace oxbow::onnx
