// What stands in the brackets of `x[...]`: for each axis a place, which takes the axis away, or a range, which keeps
// it.
//
//   x[0]                      the first row
//   x[{0, range(1, 3)}]       its elements 1 and 2
//   x[{range(), -1}]          the last column
//   x[range(0, 10, 2)]        every second of the first ten rows
//   x[range(-1, to_end, -1)]  all rows, the last one first
//
// Thread safety: regular value types.
#pragma once

#include <oxbow/graph/error.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

namespace oxbow {

/// As the end of a range: up to the last element, however many there are, or down to the first where the step is
/// negative.
inline constexpr std::int64_t to_end = std::numeric_limits<std::int64_t>::max();

/// A whole number that is not a truth value: `x[true]` does not compile.
template <class T>
concept WholeNumber = std::integral<T> && !std::same_as<T, bool>;

/// One axis: a place, or the range [begin, end), of which every `step`-th element is taken. Negative numbers count from
/// the axis's end.
struct Subscript {
  template <WholeNumber T>
  Subscript(T place) : begin(static_cast<std::int64_t>(place)), is_place(true) {}  // implicit: x[{0, -1}]
  explicit Subscript(std::int64_t first, std::int64_t last, std::int64_t by = 1) : begin(first), end(last), step(by) {}

  std::int64_t begin, end = 0, step = 1;  ///< a place is `begin` alone
  bool is_place = false;
};

/// The elements [begin, end) of an axis: `range(1, 3)`, `range(2, to_end)`, `range(0, -1)`; without numbers all of
/// them. With a step begin, begin + step, ... up to but without end: `range(0, 10, 2)`, and down where it is negative.
inline Subscript range() { return Subscript(0, to_end); }
inline Subscript range(std::int64_t begin, std::int64_t end, std::int64_t step = 1) {
  return Subscript(begin, end, step);
}

/// The subscripts of the first axes, with the line of user code where they stand; further axes stay as they are.
class Subscripts {
 public:
  template <WholeNumber T>
  Subscripts(T place, At at = At::current()) : list_{Subscript(place)}, at_(at) {}  // implicit, as all of these
  Subscripts(Subscript one, At at = At::current()) : list_{one}, at_(at) {}
  Subscripts(std::initializer_list<Subscript> each, At at = At::current()) : list_(each), at_(at) {}
  const std::vector<Subscript>& list() const { return list_; }
  const At& at() const { return at_; }

 private:
  std::vector<Subscript> list_;
  At at_;
};

}  // namespace oxbow
