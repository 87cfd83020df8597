// Products and quotients in which a zero stays zero beside an infinity: what gradient rules multiply slopes with, so
// that nothing flows to the side that a `where` did not take, and what makes 0 log 0 zero. NaN stays NaN. Regular
// value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// a b, but 0 where a is 0 and b infinite.
struct MaskedMultiply : Binary<MaskedMultiply> {
  static constexpr OpInfo info{
      .name = "masked_multiply", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaskedMultiply&) const = default;
};

/// a / b, but 0 where both are 0.
struct MaskedDivide : Binary<MaskedDivide> {
  static constexpr OpInfo info{
      .name = "masked_divide", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaskedDivide&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::MaskedMultiply, Same, Same>;
extern template struct Elementwise<ops::MaskedDivide, Same, Same>;

}  // namespace oxbow
