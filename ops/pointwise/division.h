// Division to whole numbers, and what it leaves. Of integers everything is 0 where b is 0, and wraps around. Regular
// value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// The greatest whole number that is not above a / b. The gradient is zero.
struct FloorDivide : Binary<FloorDivide> {
  static constexpr OpInfo info{
      .name = "floor_divide", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return {Value(), Value()}; }
  bool operator==(const FloorDivide&) const = default;
};

/// a - b floor(a / b), with the sign of b.
struct Remainder : Binary<Remainder> {
  static constexpr OpInfo info{.name = "remainder", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Remainder&) const = default;
};

/// a - b trunc(a / b), with the sign of a, exactly.
struct Fmod : Binary<Fmod> {
  static constexpr OpInfo info{.name = "fmod", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Fmod&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::FloorDivide, Same, Same>;
extern template struct Elementwise<ops::Remainder, Same, Same>;
extern template struct Elementwise<ops::Fmod, Same, Same>;

}  // namespace oxbow
