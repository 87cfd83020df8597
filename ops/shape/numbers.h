// Numbers that are known while a graph is built, as ops take them whose shapes follow from values. Safe from any
// thread.
#pragma once

#include <oxbow/graph/known.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

using Numbers = std::vector<std::int64_t>;

/// The elements of a known tensor of whole numbers with at most `rank` axes; `what` names it: "shape".
Numbers numbers(const Tensor& t, const char* what, int rank = 1);
inline Numbers numbers(Value v, const char* what, int rank = 1) { return numbers(*known_value(v), what, rank); }

/// The other way round: i64.
inline Tensor whole(const Shape& shape, const Numbers& values) {
  return Tensor::of<std::int64_t>(shape, std::span<const std::int64_t>(values));
}
inline Tensor whole(const Numbers& values) { return whole({static_cast<std::int64_t>(values.size())}, values); }

/// Refuses an empty x where a builder asks it for its graph.
void check_built(const char* builder, Value x, At at);

/// The size of an axis of x, a scalar i64, known where it is not free; the axis also from the back.
Value size_of_axis(Value x, std::int64_t axis, At at);

/// `axis` of x, counted from the front. Refuses one that x does not have.
int axis_of(const char* builder, Value x, std::int64_t axis, At at);

}  // namespace oxbow::ops
