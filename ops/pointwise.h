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
/// a / b, of any dtype but bool. Of integers it is rounded towards zero, and 0 where b is 0; the least number divided
/// by -1 wraps around to itself.
Value divide(Operand a, Operand b, At at = At::current());
/// The greatest whole number that is not above a / b, of any dtype but bool. Of integers 0 where b is 0. The gradient
/// is zero.
Value floor_divide(Operand a, Operand b, At at = At::current());
/// What division leaves, of any dtype but bool: `remainder` has the sign of b, a - b floor(a / b), as Python's and
/// NumPy's %; `fmod` that of a, a - b trunc(a / b), and is exact, as C's. Of integers 0 where b is 0, else NaN. The
/// gradient is 1 to a, and minus the whole quotient to b.
Value remainder(Operand a, Operand b, At at = At::current());
Value fmod(Operand a, Operand b, At at = At::current());
/// a^b of any dtype but bool. Of floating point as IEEE 754 has it: NaN for a negative a and a b that is not an
/// integer; 1 where b is 0 or a is 1. Of integers it wraps around; to a negative power it is rounded towards zero, 0
/// for a = 0. The exponents 1 and 2, given as numbers, become `a` itself and `square(a)`.
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
/// e^x - 1, with its digits near 0
Value expm1(Value x, At at = At::current());
/// The natural logarithm: -inf at 0, NaN below.
Value log(Value x, At at = At::current());
/// log(1 + x), with its digits near 0: -inf at -1, NaN below.
Value log1p(Value x, At at = At::current());
/// The square root: NaN below 0.
Value sqrt(Value x, At at = At::current());
/// 1 / sqrt(x), both steps rounded correctly.
Value rsqrt(Value x, At at = At::current());
/// Rounded to a whole number: down, up, to the nearest (a half to the even one), towards zero. A zero keeps its sign,
/// infinities and NaN stay. The gradient is zero.
Value floor(Value x, At at = At::current());
Value ceil(Value x, At at = At::current());
Value round(Value x, At at = At::current());
Value trunc(Value x, At at = At::current());
/// Of radians, of any size; NaN for an infinity.
Value sin(Value x, At at = At::current());
Value cos(Value x, At at = At::current());
Value tan(Value x, At at = At::current());
/// Angles in radians, `asin` and `atan` from -pi / 2 to pi / 2, `acos` from 0 to pi; NaN beyond 1 of `asin` and `acos`.
Value asin(Value x, At at = At::current());
Value acos(Value x, At at = At::current());
Value atan(Value x, At at = At::current());
/// (e^x - e^-x) / 2, (e^x + e^-x) / 2, and the inverses of these two and of `tanh`: `acosh` NaN below 1, `atanh`
/// beyond 1.
Value sinh(Value x, At at = At::current());
Value cosh(Value x, At at = At::current());
Value asinh(Value x, At at = At::current());
Value acosh(Value x, At at = At::current());
Value atanh(Value x, At at = At::current());
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

/// gelu's approximation x sigmoid(2 u) = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3), of the same paper:
/// PyTorch's and ONNX's approximate="tanh".
Value gelu_tanh(Value x, At at = At::current());
/// x sigmoid(alpha x); `silu` has alpha = 1: Ramachandran, Zoph and Le 2017, https://arxiv.org/abs/1710.05941.
Value silu(Value x, At at = At::current());
Value swish(Value x, double alpha, At at = At::current());
/// x tanh(softplus(x)): Misra 2019, https://arxiv.org/abs/1908.08681.
Value mish(Value x, At at = At::current());
/// x, but alpha x below 0, also of integers.
Value leaky_relu(Value x, double alpha = 0.01, At at = At::current());
/// x, but slope x below 0, of any dtype but bool; the slope, which may be learned, broadcasts: He et al. 2015,
/// https://arxiv.org/abs/1502.01852.
Value prelu(Value x, Value slope, At at = At::current());
/// x, but alpha (e^x - 1) below 0: Clevert, Unterthiner and Hochreiter 2015, https://arxiv.org/abs/1511.07289.
Value elu(Value x, double alpha = 1, At at = At::current());
/// scale elu(x, alpha), by default with the numbers that keep mean and variance: Klambauer et al. 2017,
/// https://arxiv.org/abs/1706.02515.
Value selu(Value x, double alpha = 1.6732632423543772, double scale = 1.0507009873554805, At at = At::current());
/// x, but alpha (e^(x / alpha) - 1) below 0: Barron 2017, https://arxiv.org/abs/1704.07483. Throws `Error` for alpha =
/// 0.
Value celu(Value x, double alpha = 1, At at = At::current());
/// alpha x + beta within 0 and 1, and x times that with ONNX's and PyTorch's alpha of 1 / 6: Howard et al. 2019,
/// https://arxiv.org/abs/1905.02244.
Value hard_sigmoid(Value x, double alpha = 1. / 6, double beta = 0.5, At at = At::current());
Value hard_swish(Value x, At at = At::current());
/// x within -1 and 1
Value hard_tanh(Value x, At at = At::current());
/// x above alpha, else 0: Konda, Memisevic and Krueger 2014, https://arxiv.org/abs/1402.3337.
Value thresholded_relu(Value x, double alpha = 1, At at = At::current());
/// x - bias above `threshold`, x + bias below -threshold, else 0, of any dtype but bool. PyTorch's hardshrink has bias
/// 0 (the default), its softshrink bias = threshold.
Value shrink(Value x, double threshold = 0.5, double bias = 0, At at = At::current());

/// min(max(x, low), high), of any dtype but bool: so where low > high it is high. An empty Value is no bound:
/// clip(x, 0, Value()). NaN stays. The gradient passes where x is within the bounds, or on one.
Value clip(Value x, Operand low, Operand high, At at = At::current());

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

/// Whether x is NaN, an infinity, or neither. Of floating point.
Value isnan(Value x, At at = At::current());
Value isinf(Value x, At at = At::current());
Value isfinite(Value x, At at = At::current());

/// The bits of integers. A shift to the left drops what leaves the dtype; one to the right keeps the sign. By a
/// negative number, or by as many bits as there are or more, nothing is left of a but that sign: 0, or -1 for a
/// negative one shifted to the right.
Value bitwise_and(Operand a, Operand b, At at = At::current());
Value bitwise_or(Operand a, Operand b, At at = At::current());
Value bitwise_xor(Operand a, Operand b, At at = At::current());
Value bitwise_not(Value x, At at = At::current());
Value left_shift(Operand a, Operand b, At at = At::current());
Value right_shift(Operand a, Operand b, At at = At::current());

/// Of bool operands.
Value logical_and(Value a, Value b, At at = At::current());
Value logical_or(Value a, Value b, At at = At::current());
Value logical_xor(Value a, Value b, At at = At::current());
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
