#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/bits.h>

#include <limits>

namespace oxbow::ops {

namespace {

// Whether a value has so many bits; a negative number is none.
template <class T>
bool is_shift(T b) {
  return static_cast<std::make_unsigned_t<T>>(b) < std::numeric_limits<std::make_unsigned_t<T>>::digits;
}

}  // namespace

template <Integer T>
T BitwiseAnd::at(T a, T b) const {
  return a & b;
}

template <Integer T>
T BitwiseOr::at(T a, T b) const {
  return a | b;
}

template <Integer T>
T BitwiseXor::at(T a, T b) const {
  return a ^ b;
}

template <Integer T>
T BitwiseNot::at(T x) const {
  return ~x;
}

template <Integer T>
T LeftShift::at(T a, T b) const {
  return is_shift(b) ? static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << b) : T(0);
}

template <Integer T>
T RightShift::at(T a, T b) const {
  if (std::is_unsigned_v<T> && !is_shift(b)) return T(0);
  return a >> (is_shift(b) ? b : std::numeric_limits<std::make_unsigned_t<T>>::digits - 1);
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::BitwiseAnd, Same, Same>;
template struct Elementwise<ops::BitwiseOr, Same, Same>;
template struct Elementwise<ops::BitwiseXor, Same, Same>;
template struct Elementwise<ops::BitwiseNot, Same>;
template struct Elementwise<ops::LeftShift, Same, Same>;
template struct Elementwise<ops::RightShift, Same, Same>;

Value bitwise_and(Operand a, Operand b, At at) {
  return apply(ops::BitwiseAnd{}, values_of("bitwise_and", {a, b}, at), at);
}
Value bitwise_or(Operand a, Operand b, At at) {
  return apply(ops::BitwiseOr{}, values_of("bitwise_or", {a, b}, at), at);
}
Value bitwise_xor(Operand a, Operand b, At at) {
  return apply(ops::BitwiseXor{}, values_of("bitwise_xor", {a, b}, at), at);
}
Value left_shift(Operand a, Operand b, At at) {
  return apply(ops::LeftShift{}, values_of("left_shift", {a, b}, at), at);
}
Value right_shift(Operand a, Operand b, At at) {
  return apply(ops::RightShift{}, values_of("right_shift", {a, b}, at), at);
}
Value bitwise_not(Value x, At at) { return apply(ops::BitwiseNot{}, {x}, at); }

}  // namespace oxbow
