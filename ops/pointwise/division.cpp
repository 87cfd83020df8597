#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/division.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/shared/remainder.h>

namespace oxbow::ops {

namespace {

// Whether dividing leaves something of the other sign than b's, so that the quotient rounded down is one less.
template <class T>
bool rounds_down(T rest, T b) {
  return rest != T(0) && (rest < T(0)) != (b < T(0));
}

// What the quotient loses by a step of b: the slope of either remainder is 1 to a, and minus the quotient to b.
Grads remainder_gradient(const Node& n, Value dy) {
  const Value a = n.input(0), b = n.input(1);
  return sum_to_inputs(n, {dy, -(dy * round((a - n.output()) / b))});
}

}  // namespace

template <Number T>
T Fmod::at(T a, T b) const {
  if constexpr (std::integral<T>)
    return Subtract{}.at(a, Multiply{}.at(b == 0 ? a : b, b == 0 ? T(1) : Divide{}.at(a, b)));
  else
    return math::fmod(a, b);
}

template <Number T>
T Remainder::at(T a, T b) const {
  const T rest = Fmod{}.at(a, b);
  if constexpr (std::floating_point<T>)
    if (rest == T(0)) return std::copysign(rest, b);
  return rounds_down(rest, b) ? Add{}.at(rest, b) : rest;
}

template <Number T>
T FloorDivide::at(T a, T b) const {
  const T rest = Fmod{}.at(a, b), one_less = rounds_down(rest, b) ? T(1) : T(0);
  if constexpr (std::floating_point<T>)
    return b == T(0) ? a / b : math::round((a - rest) / b) - one_less;
  else
    return Subtract{}.at(Divide{}.at(a, b), one_less);
}

Grads Remainder::gradient(const Node& n, Values dy) const { return remainder_gradient(n, dy[0]); }
Grads Fmod::gradient(const Node& n, Values dy) const { return remainder_gradient(n, dy[0]); }

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::FloorDivide, Same, Same>;
template struct Elementwise<ops::Remainder, Same, Same>;
template struct Elementwise<ops::Fmod, Same, Same>;

Value floor_divide(Operand a, Operand b, At at) {
  return apply(ops::FloorDivide{}, values_of("floor_divide", {a, b}, at), at);
}
Value remainder(Operand a, Operand b, At at) { return apply(ops::Remainder{}, values_of("remainder", {a, b}, at), at); }
Value fmod(Operand a, Operand b, At at) { return apply(ops::Fmod{}, values_of("fmod", {a, b}, at), at); }

}  // namespace oxbow
