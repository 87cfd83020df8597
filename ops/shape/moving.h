// What ops that move elements share: an axis with what is outside and inside of it, equal parts, and reading indices.
// Everything is inline and safe from any thread.
#pragma once

#include <oxbow/graph/op.h>

#include <algorithm>

namespace oxbow::ops {

/// A shape seen from one of its axes: [outer, size, inner].
struct AroundAxis {
  std::int64_t outer = 1, size = 1, inner = 1;
  AroundAxis(const Shape& s, int axis) : outer(s.count(0, axis)), size(s[axis]), inner(s.count(axis + 1, s.rank())) {}
};

/// The work of writing `written` bytes and reading as many: parts of at least 64 KB, so that a part outweighs its task.
inline Work moving(std::int64_t written) {
  return {.parts = std::clamp<std::int64_t>(written >> 16, 1, 256), .bytes = 2.0 * static_cast<double>(written)};
}

/// The same where bytes lie side by side from an axis on: each such run costs some 3 ns more.
inline Work moving_runs(const Type& written, std::int64_t axis) {
  Work w = moving(written.bytes());
  w.add_flops(120 * static_cast<double>(written.shape.count(0, written.shape.axis_of(axis))));
  return w;
}

inline void copy_bytes(std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (bytes > 0 && to != from) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

/// a + b; integers wrap around.
template <class T>
T wrapping_sum(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
  else
    return a + b;
}

/// "[2, 3]", the place of element `flat` in a row-major shape.
inline std::string place_in(const Shape& shape, std::int64_t flat) {
  std::vector<std::int64_t> place(static_cast<std::size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    place[static_cast<std::size_t>(i)] = flat % shape[i];
    flat /= shape[i];
  }
  return to_string(Shape(place));
}

/// What kernels read indices and labels as; smaller integers are widened. u64 is left out: not all of it is an i64.
using IndexTypes = dtypes::List<std::int32_t, std::int64_t, std::uint32_t>;

/// Throws `OpError` unless `t` can number things. `what` is "indices" or "labels".
inline void check_index_type(const Type& t, const char* what) {
  if (!dtypes::serve(IndexTypes{}, t.dtype))
    throw OpError(std::string(what) + " are " + std::string(name(t.dtype)) +
                      ", but must be one of: " + dtypes::served_by(IndexTypes{}),
                  "Cast them to i64");
}

/// Throws the `OpError` for element `flat` of `indices`, which is not in [low, size).
[[noreturn]] inline void out_of_range(const char* what, std::int64_t index, const Type& indices, std::int64_t flat,
                                      std::int64_t size, std::int64_t low = 0) {
  throw OpError(
      std::string(what) + " " + std::to_string(index) + " at " + place_in(indices.shape, flat) + " is out of range",
      size == 0 ? "There is nothing to choose from: the axis has size 0"
                : "It must lie in " + std::to_string(low) + " to " + std::to_string(size - 1));
}

/// The place that `index`, element `flat` of `indices`, names in an axis: a negative one counts from its end.
inline std::int64_t place_of(std::int64_t index, std::int64_t size, const Type& indices, std::int64_t flat) {
  if (index < -size || index >= size) out_of_range("index", index, indices, flat, size, -size);
  return index < 0 ? index + size : index;
}

}  // namespace oxbow::ops
