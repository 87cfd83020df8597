// Functions of each element by itself. Operands broadcast, aligned at the last axis; a number takes the dtype of the
// values beside it. Results have the operands' dtype, comparisons bool. Each throws `Error` for a dtype that it does
// not take, and, with several operands, when shapes do not broadcast or dtypes differ.
// Thread safety: they append to the operands' graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// A value or a number, with the line of user code where it is: what builders of several operands take. A number
/// takes the dtype of the other operands: `2 * x`, `maximum(x, 0)`.
class Operand {
 public:
  Operand(Value v, At at = At::current()) : value_(v), at_(at) {}                      // implicit
  Operand(double v, At at = At::current()) : number_(v), is_number_(true), at_(at) {}  // implicit
  bool is_number() const { return is_number_; }
  double number() const { return number_; }
  const Value& value() const { return value_; }  ///< empty for a number
  const At& at() const { return at_; }

 private:
  Value value_;
  double number_ = 0;
  bool is_number_ = false;
  At at_;
};

/// a + b, a - b, a b: any dtype but bool; integers wrap around.
Value add(Operand a, Operand b, At at = At::current());
Value subtract(Operand a, Operand b, At at = At::current());
Value multiply(Operand a, Operand b, At at = At::current());
/// a / b, of floating point.
Value divide(Operand a, Operand b, At at = At::current());
/// a^b of floating point, as IEEE 754 has it: NaN for a negative a and a b that is not an integer; 1 where b is 0 or a
/// is
/// 1. The exponents 1 and 2, given as numbers, become `a` itself and `square(a)`.
Value pow(Operand a, Operand b, At at = At::current());
/// The greater or the smaller one, of any dtype but bool; NaN if one is. Where they are equal the gradient goes to a.
Value maximum(Operand a, Operand b, At at = At::current());
Value minimum(Operand a, Operand b, At at = At::current());

inline Value operator+(Operand a, Operand b) { return add(a, b, a.at()); }
inline Value operator-(Operand a, Operand b) { return subtract(a, b, a.at()); }
inline Value operator*(Operand a, Operand b) { return multiply(a, b, a.at()); }
inline Value operator/(Operand a, Operand b) { return divide(a, b, a.at()); }

/// -x, x x, |x|: any dtype but bool. The gradient of |x| at 0 is 0.
Value negate(Value x, At at = At::current());
Value square(Value x, At at = At::current());
Value abs(Value x, At at = At::current());
/// -1, 0 or 1, of any dtype but bool; NaN for NaN. The gradient is zero.
Value sign(Value x, At at = At::current());
inline Value operator-(Operand x) { return negate(x.value(), x.at()); }

// Of floating point.
/// 1 / x
Value reciprocal(Value x, At at = At::current());
/// e^x
Value exp(Value x, At at = At::current());
/// The natural logarithm: -inf at 0, NaN below.
Value log(Value x, At at = At::current());
/// The square root: NaN below 0.
Value sqrt(Value x, At at = At::current());
/// 1 / sqrt(x), both steps rounded correctly.
Value rsqrt(Value x, At at = At::current());
/// cos(pi x) and sin(pi x); NaN for an infinity. A zero of sinpi may lose its sign.
Value cospi(Value x, At at = At::current());
Value sinpi(Value x, At at = At::current());
/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Value erf(Value x, At at = At::current());

// Activations, of floating point.
/// max(x, 0), also of integers; NaN for NaN. The gradient at 0 is 0.
Value relu(Value x, At at = At::current());
/// (e^x - e^-x) / (e^x + e^-x)
Value tanh(Value x, At at = At::current());
/// 1 / (1 + e^-x)
Value sigmoid(Value x, At at = At::current());
/// x Phi(x) with the normal distribution's Phi(x) = (1 + erf(x / sqrt(2))) / 2: Hendrycks and Gimpel 2016,
/// https://arxiv.org/abs/1606.08415.
Value gelu(Value x, At at = At::current());
/// log(1 + e^x), a relu with a round corner: Dugas et al. 2001.
Value softplus(Value x, At at = At::current());
/// x / (1 + |x|), between -1 and 1: Turian, Bergstra and Bengio 2009.
Value softsign(Value x, At at = At::current());

/// Comparisons, of any one dtype, give bool; with a NaN all but `not_equal` are false.
Value equal(Operand a, Operand b, At at = At::current());
Value not_equal(Operand a, Operand b, At at = At::current());
Value less(Operand a, Operand b, At at = At::current());
Value less_equal(Operand a, Operand b, At at = At::current());
Value greater(Operand a, Operand b, At at = At::current());
Value greater_equal(Operand a, Operand b, At at = At::current());

/// What a comparison by an operator gives: bool, element by element. C++ cannot branch on it while the graph is built,
/// so `if (x > 0.0)` and `x > 0.0 ? a : b` do not compile: see `where` and `cond`.
class Condition : public Value {
 public:
  explicit Condition(Value v) : Value(v) {}
  explicit operator bool() const = delete;
};
inline Condition operator<(Operand a, Operand b) { return Condition(less(a, b, a.at())); }
inline Condition operator<=(Operand a, Operand b) { return Condition(less_equal(a, b, a.at())); }
inline Condition operator>(Operand a, Operand b) { return Condition(greater(a, b, a.at())); }
inline Condition operator>=(Operand a, Operand b) { return Condition(greater_equal(a, b, a.at())); }

/// Of bool operands.
Value logical_and(Value a, Value b, At at = At::current());
Value logical_or(Value a, Value b, At at = At::current());
Value logical_not(Value x, At at = At::current());
/// a where `condition` (bool) holds, b elsewhere; of any dtype. The gradient goes to the one that was taken.
Value where(Value condition, Operand a, Operand b, At at = At::current());

/// x as dtype `to`; x itself where it has that already. Floating point to integer drops the fraction and saturates, NaN
/// gives 0; integers wrap around; anything but 0 is true; true is 1. The gradient is cast back.
Value cast(Value x, DType to, At at = At::current());

/// a b, but 0 where a is 0 and b infinite; and a / b, but 0 where both are 0: what gradient rules multiply slopes with,
/// so that nothing flows to the side that a `where` did not take. NaN stays NaN. Of floating point.
Value masked_multiply(Value a, Value b, At at = At::current());
Value masked_divide(Value a, Value b, At at = At::current());

}  // namespace oxbow
