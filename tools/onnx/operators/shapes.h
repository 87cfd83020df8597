// What conversions say about shapes with. Thread safety: as building, for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <vector>

namespace oxbow::onnx {

/// x with axes of size 1 put in, as the result numbers them; negative ones count from its end.
Value with_axes(Value x, std::vector<std::int64_t> axes);

/// A vector of whole numbers, i64.
Value numbers(Graph& g, const std::vector<std::int64_t>& values);

/// The axes other than these, of so many; negative ones count from the end.
std::vector<std::int64_t> other_axes(int rank, const std::vector<std::int64_t>& axes);

/// `axis` counted from the first. Throws `Error` where there is no such axis of so many.
std::int64_t from_first(std::int64_t axis, int rank);

/// [n, c, spatial...] to [n, spatial..., c], and back.
Value channels_last(Value x);
Value channels_first(Value x);

/// v [c] in a shape that broadcasts along axis 1 of x.
Value along_channels(Value v, Value x);

}  // namespace oxbow::onnx
