// Functions of each element that are made of others, which fuse into one pass.
#include <oxbow/graph/graph.h>
#include <oxbow/ops/pointwise.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace oxbow {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void check(bool fits, std::string_view op, const Value& x, const std::string& problem, const std::string& remedy,
           At at) {
  if (x && !fits) throw BuildError(op, "x is " + to_string(x.type()) + problem + at_line(at) + "\n  " + remedy);
}
void check_float(std::string_view op, const Value& x, At at) {
  check(x && is_float(x.dtype()), op, x, ", not floating point", "Cast it: cast(x, f32)", at);
}
void check_number(std::string_view op, const Value& x, At at) {
  check(x && x.dtype() != boolean, op, x, ", which is not a number", "Cast it: cast(x, f32)", at);
}

// x, but y where x is negative.
Value below_zero(Value x, Value y, At at) { return where(less(x, 0, at), y, x, at); }

// x gate(x) of a gate that goes from 0 to 1 and has done so within `limit`: beyond it, neither x nor its slope meets
// the gate, so that infinities give what they should.
template <class Gate>
Value gated(Value x, double limit, At at, Gate gate) {
  const Value c = clip(x, -limit, limit, at);
  const Value y = multiply(c, gate(c), at);
  return where(greater(x, limit, at), x, y, at);
}

}  // namespace

Value gelu_tanh(Value x, At at) {
  check_float("gelu_tanh", x, at);
  return as_called("gelu_tanh", [&] {
    return gated(x, 40, at, [at](Value c) {
      const Value u = multiply(c, add(multiply(square(c, at), 0.044715, at), 1, at), at);
      return sigmoid(multiply(u, 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi, at), at);
    });
  });
}

Value swish(Value x, double alpha, At at) {
  check_float("swish", x, at);
  return as_called("swish", [&] {
    if (alpha == 0) return multiply(x, 0.5, at);
    if (alpha == 1) return silu(x, at);
    if (alpha < 0) return negate(swish(negate(x, at), -alpha, at), at);
    return gated(x, 800 / alpha, at, [&](Value c) { return sigmoid(multiply(c, alpha, at), at); });
  });
}

Value mish(Value x, At at) {
  check_float("mish", x, at);
  return as_called("mish", [&] { return gated(x, 800, at, [at](Value c) { return tanh(softplus(c, at), at); }); });
}

Value leaky_relu(Value x, double alpha, At at) {
  check_number("leaky_relu", x, at);
  return as_called("leaky_relu", [&] { return below_zero(x, multiply(x, alpha, at), at); });
}

Value prelu(Value x, Value slope, At at) {
  return as_called("prelu", [&] { return below_zero(x, multiply(x, slope, at), at); });
}

Value elu(Value x, double alpha, At at) {
  check_float("elu", x, at);
  return as_called("elu", [&] { return below_zero(x, multiply(expm1(x, at), alpha, at), at); });
}

Value selu(Value x, double alpha, double scale, At at) {
  check_float("selu", x, at);
  return as_called("selu", [&] { return multiply(elu(x, alpha, at), scale, at); });
}

Value celu(Value x, double alpha, At at) {
  check_float("celu", x, at);
  check(alpha != 0, "celu", x, ", to be divided by an alpha of 0", "Give another alpha", at);
  return as_called("celu", [&] { return below_zero(x, multiply(expm1(divide(x, alpha, at), at), alpha, at), at); });
}

Value hard_sigmoid(Value x, double alpha, double beta, At at) {
  check_float("hard_sigmoid", x, at);
  return as_called("hard_sigmoid", [&] { return clip(add(multiply(x, alpha, at), beta, at), 0, 1, at); });
}

Value hard_swish(Value x, At at) {
  check_float("hard_swish", x, at);
  return as_called("hard_swish",
                   [&] { return gated(x, 3, at, [at](Value c) { return hard_sigmoid(c, 1. / 6, 0.5, at); }); });
}

Value hard_tanh(Value x, At at) {
  check_float("hard_tanh", x, at);
  return as_called("hard_tanh", [&] { return clip(x, -1, 1, at); });
}

Value thresholded_relu(Value x, double alpha, At at) {
  check_float("thresholded_relu", x, at);
  return as_called("thresholded_relu", [&] { return where(less_equal(x, alpha, at), 0, x, at); });
}

// Of integers, what is above a number is above its whole part.
Value shrink(Value x, double threshold, double bias, At at) {
  check_number("shrink", x, at);
  const bool whole = x && is_integer(x.dtype()), has_sign = !x || kind_of(x.dtype()) != DTypeKind::unsigned_integer;
  const double limit = whole ? std::floor(threshold) : threshold;
  return as_called("shrink", [&] {
    const Value down = subtract(x, bias, at), above = where(less_equal(x, limit, at), 0, down, at);
    if (!has_sign) return above;
    const Value up = add(x, bias, at);
    return where(less(x, -limit, at), up, above, at);
  });
}

Value clip(Value x, Operand low, Operand high, At at) {
  check_number("clip", x, at);
  return as_called("clip", [&] {
    Value y = x;
    if (low.is_number() || low.value()) y = maximum(y, low, at);
    return high.is_number() || high.value() ? minimum(y, high, at) : y;
  });
}

Value isnan(Value x, At at) {
  check_float("isnan", x, at);
  return as_called("isnan", [&] { return not_equal(x, x, at); });
}

Value isinf(Value x, At at) {
  check_float("isinf", x, at);
  return as_called("isinf", [&] { return equal(abs(x, at), infinity, at); });
}

Value isfinite(Value x, At at) {
  check_float("isfinite", x, at);
  return as_called("isfinite", [&] { return less(abs(x, at), infinity, at); });
}

Value logical_xor(Value a, Value b, At at) {
  check(a && a.dtype() == boolean, "logical_xor", a, ", not bool", "Compare it: not_equal(x, 0)", at);
  return as_called("logical_xor", [&] { return not_equal(a, b, at); });
}

}  // namespace oxbow
