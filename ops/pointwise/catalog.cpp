#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arcs.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/bits.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/compare.h>
#include <oxbow/ops/pointwise/division.h>
#include <oxbow/ops/pointwise/hyperbolic.h>
#include <oxbow/ops/pointwise/masked.h>
#include <oxbow/ops/pointwise/rounding.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/pointwise/unary.h>

namespace oxbow::ops {

void add_pointwise(Catalog& c) {
  const std::vector<Tensor> one = inputs({{f64, {2, 3}}}), two = inputs({{f64, {2, 3}}, {f64, {3}}});
  c.add<Add>({.formula = "a + b", .example = two});
  c.add<Subtract>({.formula = "a - b", .example = two});
  c.add<Multiply>({.formula = "a b", .example = two});
  c.add<Divide>({.formula = "a / b", .example = two});
  c.add<FloorDivide>({.formula = "a / b, rounded down", .example = two});
  c.add<Remainder>({.formula = "a - b floor(a / b)", .example = two});
  c.add<Fmod>({.formula = "a - b trunc(a / b)", .example = two});
  c.add<Pow>({.formula = "a^b", .example = two});
  c.add<Maximum>({.formula = "the greater of a and b", .example = two});
  c.add<Minimum>({.formula = "the smaller of a and b", .example = two});
  c.add<Negate>({.formula = "-x", .example = one});
  c.add<Square>({.formula = "x x", .example = one});
  c.add<Reciprocal>({.formula = "1 / x", .example = one});
  c.add<Exp>({.formula = "e^x", .example = one});
  c.add<Expm1>({.formula = "e^x - 1", .example = one});
  c.add<Log>({.formula = "the natural logarithm of x", .example = one});
  c.add<Log1p>({.formula = "log(1 + x)", .example = one});
  c.add<Sqrt>({.formula = "the square root of x", .example = one});
  c.add<Rsqrt>({.formula = "1 / sqrt(x)", .example = one});
  c.add<Abs>({.formula = "|x|", .example = one});
  c.add<Sign>({.formula = "-1, 0 or 1", .example = one});
  c.add<Floor>({.formula = "x rounded down to a whole number", .example = one});
  c.add<Ceil>({.formula = "x rounded up to a whole number", .example = one});
  c.add<Round>({.formula = "the nearest whole number, a half to the even one", .example = one});
  c.add<Trunc>({.formula = "x without its fraction", .example = one});
  c.add<Sin>({.formula = "sin(x)", .example = one});
  c.add<Cos>({.formula = "cos(x)", .example = one});
  c.add<Tan>({.formula = "sin(x) / cos(x)", .example = one});
  c.add<Asin>({.formula = "the angle whose sine is x", .example = one});
  c.add<Acos>({.formula = "the angle whose cosine is x", .example = one});
  c.add<Atan>({.formula = "the angle whose tangent is x", .example = one});
  c.add<Sinh>({.formula = "(e^x - e^-x) / 2", .example = one});
  c.add<Cosh>({.formula = "(e^x + e^-x) / 2", .example = one});
  c.add<Asinh>({.formula = "log(x + sqrt(x^2 + 1))", .example = one});
  c.add<Acosh>({.formula = "log(x + sqrt(x^2 - 1))", .example = one});
  c.add<Atanh>({.formula = "log((1 + x) / (1 - x)) / 2", .example = one});
  c.add<CosPi>({.formula = "cos(pi x)", .example = one});
  c.add<SinPi>({.formula = "sin(pi x)", .example = one});
  c.add<Erf>({.formula = "2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x", .example = one});
  c.add<Tanh>({.formula = "(e^x - e^-x) / (e^x + e^-x)", .example = one});
  c.add<Sigmoid>({.formula = "1 / (1 + e^-x)", .example = one});
  c.add<Relu>({.formula = "max(x, 0)", .example = one});
  c.add<Gelu>({.formula = "x (1 + erf(x / sqrt(2))) / 2", .example = one});
  c.add<Silu>({.formula = "x / (1 + e^-x)", .example = one});
  c.add<Softplus>({.formula = "log(1 + e^x)", .example = one});
  c.add<Softsign>({.formula = "x / (1 + |x|)", .example = one});
  c.add<Equal>({.formula = "a = b", .example = two});
  c.add<NotEqual>({.formula = "a != b", .example = two});
  c.add<Less>({.formula = "a < b", .example = two});
  c.add<LessEqual>({.formula = "a <= b", .example = two});
  const std::vector<Tensor> bits = inputs({{i64, {2, 3}}, {i64, {3}}});
  c.add<BitwiseAnd>({.formula = "a and b, bit by bit", .example = bits});
  c.add<BitwiseOr>({.formula = "a or b, bit by bit", .example = bits});
  c.add<BitwiseXor>({.formula = "either a or b, bit by bit", .example = bits});
  c.add<BitwiseNot>({.formula = "every bit of x turned", .example = inputs({{i64, {2, 3}}})});
  c.add<LeftShift>({.formula = "a 2^b", .example = bits});
  c.add<RightShift>({.formula = "a / 2^b, rounded down", .example = bits});
  c.add<LogicalAnd>({.formula = "a and b", .example = inputs({{boolean, {2, 3}}, {boolean, {3}}})});
  c.add<LogicalOr>({.formula = "a or b", .example = inputs({{boolean, {2, 3}}, {boolean, {3}}})});
  c.add<LogicalNot>({.formula = "not x", .example = inputs({{boolean, {2, 3}}})});
  c.add<Where>({.formula = "a where the condition is true, else b",
                .example = inputs({{boolean, {2, 3}}, {f64, {2, 3}}, {f64, {3}}})});
  c.add<Cast>({.formula = "x in another dtype", .example = one});
  c.add<Restore>({.formula = "x in another dtype, once something else is there"}, Made::by_passes);
  c.add<MaskedMultiply>({.formula = "a b, but 0 where a is 0 and b infinite", .example = two});
  c.add<MaskedDivide>({.formula = "a / b, but 0 where both are 0", .example = two});
  c.add<TanhGradient>({.formula = "dy (1 - y^2), where y = tanh(x)"}, Made::by_gradients);
  c.add<SigmoidGradient>({.formula = "dy y (1 - y), where y = sigmoid(x)"}, Made::by_gradients);
  c.add<ReluGradient>({.formula = "dy where y > 0, else 0"}, Made::by_gradients);
  c.add<GeluGradient>({.formula = "dy times the slope of gelu at x"}, Made::by_gradients);
  c.add<SiluGradient>({.formula = "dy times the slope of silu at x"}, Made::by_gradients);
  c.renamed("select", "where");
}

}  // namespace oxbow::ops
