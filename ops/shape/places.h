// Which elements of an axis a slice takes. Pure functions, safe from any thread.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/shape.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

/// Of an axis that counts from the front: the element `first`, and `count` of them, each a step behind the one before.
struct Places {
  int axis;
  std::int64_t first, count;
};

/// The places begin, begin + step, ... up to but without `end` along an axis; negative numbers count from its end.
/// Throws `OpError` for a range that does not lie within the axis, and for a step of 0.
Places places_of(const Shape& x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);

}  // namespace oxbow::ops
