// Functions of each element by itself.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/ops.h>

#include <limits>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

using One = Value (*)(Value, At);
using Two = Value (*)(Operand, Operand, At);

template <One f>
Outputs one(Context& c) {
  return f(c[0], At::current());
}

// The second operand of opsets before 7: aligned at an axis of the first, where broadcasting is asked for.
Value second(Context& c) {
  const Value a = c[0], b = c[1];
  const std::int64_t axis = c.integer("axis", a.rank() - b.rank());
  const std::int64_t behind = a.rank() - axis - b.rank();
  if (c.opset() >= 7 || !c.flag("broadcast") || behind <= 0 || b.rank() == 0) return b;
  if (axis < 0) c.fail("there is no axis " + std::to_string(axis));
  std::vector<std::int64_t> axes(static_cast<std::size_t>(behind));
  for (std::int64_t i = 0; i < behind; ++i) axes[static_cast<std::size_t>(i)] = b.rank() + i;
  return with_axes(b, axes);
}

template <Two f>
Outputs two(Context& c) {
  const Value a = c[0], b = second(c);
  return f(a, b, At::current());
}

// Of any number of operands, from left to right.
template <Two f>
Outputs several(Context& c) {
  Value y = c[0];
  for (int i = 1; i < c.inputs(); ++i) y = f(y, c[i], At::current());
  return y;
}

Outputs mean_of(Context& c) {
  Value y = c[0];
  for (int i = 1; i < c.inputs(); ++i) y = y + c[i];
  return y / static_cast<double>(c.inputs());
}

// In the base's dtype; a whole number to a broken power goes through f64.
Outputs power(Context& c) {
  const Value x = c[0], given = second(c);
  if (!is_float(x.dtype()) && is_float(given.dtype())) return cast(pow(cast(x, f64), cast(given, f64)), x.dtype());
  const Value to = cast(given, x.dtype());
  if (const auto n = constant_number(to); n && (*n == 1 || *n == 2)) return pow(x, *n);
  return pow(x, to);
}

Outputs clip_to(Context& c) {
  const auto bound = [&](const char* name, int i) -> Operand {
    if (c.has_attribute(name)) return c.number(name);
    return c.optional(i);
  };
  const Operand low = bound("min", 1);
  return clip(c[0], low, bound("max", 2));
}

Outputs cast_to(Context& c) {
  const Value x = c[0];
  return cast(x, c.dtype("to"));
}

// The sign of the divisor, or of the dividend.
Outputs modulo(Context& c) {
  const Value a = c[0], b = c[1];
  return c.flag("fmod") ? fmod(a, b) : remainder(a, b);
}

Outputs shifted(Context& c) {
  const Value a = c[0], b = c[1];
  return c.text("direction", "LEFT") == "LEFT" ? left_shift(a, b) : right_shift(a, b);
}

Outputs is_infinite(Context& c) {
  const Value x = c[0];
  const bool above = c.flag("detect_positive", true), below = c.flag("detect_negative", true);
  if (above == below) return above ? isinf(x) : logical_and(isinf(x), isnan(x));
  return equal(x, (above ? 1 : -1) * std::numeric_limits<double>::infinity());
}

// Before opset 7 a slope is one a channel.
Outputs prelu_of(Context& c) {
  const Value x = c[0], slope = c[1];
  return prelu(x, c.opset() < 7 && slope.rank() == 1 && slope.shape()[0] != 1 ? along_channels(slope, x) : slope);
}

constexpr Operator list[] = {
    {"Abs", one<abs>},
    {"Acos", one<acos>},
    {"Acosh", one<acosh>},
    {"Add", two<add>},
    {"And",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = second(c);
       return logical_and(a, b);
     }},
    {"Asin", one<asin>},
    {"Asinh", one<asinh>},
    {"Atan", one<atan>},
    {"Atanh", one<atanh>},
    {"BitShift", shifted},
    {"BitwiseAnd", two<bitwise_and>},
    {"BitwiseNot", one<bitwise_not>},
    {"BitwiseOr", two<bitwise_or>},
    {"BitwiseXor", two<bitwise_xor>},
    {"Cast", cast_to},
    {"CastLike", [](Context& c) -> Outputs { return cast(c[0], c[1].dtype()); }},
    {"Ceil", one<ceil>},
    {"Celu", [](Context& c) -> Outputs { return celu(c[0], c.number("alpha", 1)); }},
    {"Clip", clip_to},
    {"Cos", one<cos>},
    {"Cosh", one<cosh>},
    {"Div", two<divide>},
    {"Elu", [](Context& c) -> Outputs { return elu(c[0], c.number("alpha", 1)); }},
    {"Equal", two<equal>},
    {"Erf", one<erf>},
    {"Exp", one<exp>},
    {"Floor", one<floor>},
    {"Gelu",
     [](Context& c) -> Outputs { return c.text("approximate", "none") == "none" ? gelu(c[0]) : gelu_tanh(c[0]); }},
    {"Greater", two<greater>},
    {"GreaterOrEqual", two<greater_equal>},
    {"HardSigmoid",
     [](Context& c) -> Outputs { return hard_sigmoid(c[0], c.number("alpha", 0.2), c.number("beta", 0.5)); }},
    {"HardSwish", one<hard_swish>},
    {"Identity", [](Context& c) -> Outputs { return c[0]; }},
    {"IsInf", is_infinite},
    {"IsNaN", one<isnan>},
    {"LeakyRelu", [](Context& c) -> Outputs { return leaky_relu(c[0], c.number("alpha", 0.01)); }},
    {"Less", two<less>},
    {"LessOrEqual", two<less_equal>},
    {"Log", one<log>},
    {"Max", several<maximum>},
    {"Mean", mean_of},
    {"Min", several<minimum>},
    {"Mish", one<mish>},
    {"Mod", modulo},
    {"Mul", two<multiply>},
    {"Neg", one<negate>},
    {"Not", one<logical_not>},
    {"Or",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = second(c);
       return logical_or(a, b);
     }},
    {"PRelu", prelu_of},
    {"Pow", power},
    {"Reciprocal", one<reciprocal>},
    {"Relu", one<relu>},
    {"Round", one<round>},
    {"Selu",
     [](Context& c) -> Outputs {
       return selu(c[0], c.number("alpha", 1.67326319217681884765625), c.number("gamma", 1.05070102214813232421875));
     }},
    {"Shrink", [](Context& c) -> Outputs { return shrink(c[0], c.number("lambd", 0.5), c.number("bias", 0)); }},
    {"Sigmoid", one<sigmoid>},
    {"Sign", one<sign>},
    {"Sin", one<sin>},
    {"Sinh", one<sinh>},
    {"Softplus", one<softplus>},
    {"Softsign", one<softsign>},
    {"Sqrt", one<sqrt>},
    {"Sub", two<subtract>},
    {"Sum", several<add>},
    {"SwiGLU",
     [](Context& c) -> Outputs {
       const Value gate = c[0], x = c[1];
       return swish(gate, c.number("alpha", 1)) * x;
     },
     28},
    {"Swish", [](Context& c) -> Outputs { return swish(c[0], c.number("alpha", 1)); }},
    {"Tan", one<tan>},
    {"Tanh", one<tanh>},
    {"ThresholdedRelu", [](Context& c) -> Outputs { return thresholded_relu(c[0], c.number("alpha", 1)); }},
    {"Where",
     [](Context& c) -> Outputs {
       const Value condition = c[0], a = c[1], b = c[2];
       return where(condition, a, b);
     }},
    {"Xor",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = second(c);
       return logical_xor(a, b);
     }},
};

}  // namespace

Operators pointwise_operators() { return list; }

}  // namespace oxbow::onnx
