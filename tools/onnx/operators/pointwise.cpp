// Functions of each element by itself.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/ops.h>

#include <cmath>
#include <numbers>

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

Outputs power(Context& c) {
  const Value x = c[0], to = cast(second(c), x.dtype());
  if (const auto n = constant_number(to); n && (*n == 1 || *n == 2)) return pow(x, *n);
  if (is_float(x.dtype())) return pow(x, to);
  return cast(pow(cast(x, f64), cast(to, f64)), x.dtype());
}

Outputs clip(Context& c) {
  Value y = c[0];
  const auto bound = [&](const char* name, int i, Two f) {
    if (c.has_attribute(name))
      y = f(y, c.number(name), At::current());
    else if (c.has(i))
      y = f(y, c[i], At::current());
  };
  bound("min", 1, maximum);
  bound("max", 2, minimum);
  return y;
}

Outputs cast_to(Context& c) {
  const Value x = c[0];
  return cast(x, c.dtype("to"));
}

Outputs logical_xor(Context& c) {
  const Value a = c[0], b = second(c);
  return not_equal(a, b);
}

Outputs gelu_of(Context& c) {
  const Value x = c[0];
  if (c.text("approximate", "none") == "none") return gelu(x);
  const double k = std::sqrt(2 / std::numbers::pi);
  return 0.5 * x * (1.0 + tanh(k * (x + 0.044715 * x * x * x)));
}

constexpr Operator list[] = {
    {"Abs", one<abs>},
    {"Add", two<add>},
    {"And",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = second(c);
       return logical_and(a, b);
     }},
    {"Cast", cast_to},
    {"CastLike", [](Context& c) -> Outputs { return cast(c[0], c[1].dtype()); }},
    {"Clip", clip},
    {"Div", two<divide>},
    {"Equal", two<equal>},
    {"Erf", one<erf>},
    {"Exp", one<exp>},
    {"Gelu", gelu_of},
    {"Greater", two<greater>},
    {"GreaterOrEqual", two<greater_equal>},
    {"Identity", [](Context& c) -> Outputs { return c[0]; }},
    {"IsNaN",
     [](Context& c) -> Outputs {
       const Value x = c[0];
       return not_equal(x, x);
     }},
    {"Less", two<less>},
    {"LessOrEqual", two<less_equal>},
    {"Log", one<log>},
    {"Max", several<maximum>},
    {"Mean", mean_of},
    {"Min", several<minimum>},
    {"Mul", two<multiply>},
    {"Neg", one<negate>},
    {"Not", one<logical_not>},
    {"Or",
     [](Context& c) -> Outputs {
       const Value a = c[0], b = second(c);
       return logical_or(a, b);
     }},
    {"Pow", power},
    {"Reciprocal", one<reciprocal>},
    {"Relu", one<relu>},
    {"Sigmoid", one<sigmoid>},
    {"Sign", one<sign>},
    {"Softplus", one<softplus>},
    {"Softsign", one<softsign>},
    {"Sqrt", one<sqrt>},
    {"Sub", two<subtract>},
    {"Sum", several<add>},
    {"Tanh", one<tanh>},
    {"Where",
     [](Context& c) -> Outputs {
       const Value condition = c[0], a = c[1], b = c[2];
       return where(condition, a, b);
     }},
    {"Xor", logical_xor},
};

}  // namespace

Operators pointwise_operators() { return list; }

}  // namespace oxbow::onnx
