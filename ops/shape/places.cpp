#include <oxbow/ops/shape/places.h>

#include <cstdlib>

namespace oxbow::ops {

Places places_of(const Shape& x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (step == 0) throw OpError("the step of a range is 0", "Use 1 for each element, -1 for each of them backwards");
  const int a = x.axis_of(axis);
  const std::int64_t size = x[a];
  const std::int64_t first = begin < 0 ? begin + size : begin;
  const std::int64_t stop = end == to_end ? (step > 0 ? size : -1) : end < 0 ? end + size : end;
  const bool within = step > 0 ? 0 <= first && first <= stop && stop <= size
                               : stop >= -1 && stop <= first && (first < size && (first >= 0 || size == 0));
  if (!within) {
    const std::string to = end != to_end ? std::to_string(end) : step > 0 ? "the end" : "the first";
    throw OpError("the range " + std::to_string(begin) + " to " + to +
                      (step == 1 ? "" : " by " + std::to_string(step)) + " does not lie within axis " +
                      std::to_string(axis) + " of " + to_string(x),
                  (step > 0 ? "Use 0 <= begin <= end <= " : "Use 0 <= end <= begin < ") + std::to_string(size) +
                      ", or negative numbers to count from the end");
  }
  // Divided as they stand, since -step may overflow.
  const std::int64_t length = step > 0 ? stop - first : first - stop;
  return {a, first, length == 0 ? 0 : 1 + std::abs((length - 1) / step)};
}

}  // namespace oxbow::ops
