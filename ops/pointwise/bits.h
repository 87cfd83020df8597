// The bits of integers, in two's complement. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// a and b, bit by bit.
struct BitwiseAnd : Binary<BitwiseAnd> {
  static constexpr OpInfo info{
      .name = "bitwise_and", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Integer T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const BitwiseAnd&) const = default;
};

/// a or b, bit by bit.
struct BitwiseOr : Binary<BitwiseOr> {
  static constexpr OpInfo info{.name = "bitwise_or", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Integer T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const BitwiseOr&) const = default;
};

/// Either a or b, bit by bit.
struct BitwiseXor : Binary<BitwiseXor> {
  static constexpr OpInfo info{
      .name = "bitwise_xor", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Integer T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const BitwiseXor&) const = default;
};

/// Every bit turned.
struct BitwiseNot : Unary<BitwiseNot> {
  static constexpr OpInfo info{.name = "bitwise_not", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Integer T>
  T at(T x) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const BitwiseNot&) const = default;
};

/// a 2^b, of which the lowest bits are kept: 0 where b is not a number of bits.
struct LeftShift : Binary<LeftShift> {
  static constexpr OpInfo info{.name = "left_shift", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Integer T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const LeftShift&) const = default;
};

/// a / 2^b, rounded down. Where b is not a number of bits, what the sign leaves: 0, or -1 where a is negative.
struct RightShift : Binary<RightShift> {
  static constexpr OpInfo info{
      .name = "right_shift", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Integer T>
  T at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is an integer"}; }
  bool operator==(const RightShift&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::BitwiseAnd, Same, Same>;
extern template struct Elementwise<ops::BitwiseOr, Same, Same>;
extern template struct Elementwise<ops::BitwiseXor, Same, Same>;
extern template struct Elementwise<ops::BitwiseNot, Same>;
extern template struct Elementwise<ops::LeftShift, Same, Same>;
extern template struct Elementwise<ops::RightShift, Same, Same>;

}  // namespace oxbow
