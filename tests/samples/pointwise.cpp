// Samples of elementwise ops, each from its formula in double.
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/compare.h>
#include <oxbow/ops/pointwise/masked.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/pointwise/unary.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "samples/elementwise.h"
#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

constexpr double pi = std::numbers::pi;

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }
double gelu_slope(double x) { return normal_distribution(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi); }

std::vector<Sample> cast_samples() {
  std::vector<Sample> s = unary_samples(Cast{f64}, [](double x) { return x; });
  const auto is_signed = [](DType d) { return is_float(d) || kind_of(d) == DTypeKind::signed_integer; };
  for (DType from : all_dtypes) {
    if (from == f32) continue;  // the tests narrow f64 to it
    for (DType to : all_dtypes) {
      const double low = is_signed(from) && is_signed(to) ? -9 : 0, high = from == boolean ? 2 : 9;
      s.push_back({std::string(name(from)) + " to " + std::string(name(to)),
                   Cast{to},
                   {draw({5, 7}, low, high, static_cast<std::uint64_t>(to), from)},
                   [to](const std::vector<Tensor>& in) {
                     const auto f = [&](const auto& v) { return is_integer(to) ? std::trunc(v[0]) : v[0]; };
                     return std::vector{map_elements(in, to, f)};
                   },
                   is_float(to)});
    }
  }
  return s;
}

std::vector<Sample> where_samples() {
  const auto reference = [](const std::vector<Tensor>& in) {
    return std::vector{map_elements(in, in[1].dtype(), [](const auto& v) { return v[0] != 0 ? v[1] : v[2]; })};
  };
  std::vector<Sample> s;
  std::uint64_t seed = 1;
  const std::array<Shape, 3> shapes[] = {
      {{{}, {}, {}}},      {{{19}, {19}, {19}}}, {{{4, 1}, {5}, {4, 5}}},   {{{4, 5}, {}, {4, 5}}},
      {{{}, {3}, {2, 1}}}, {{{0, 2}, {2}, {}}},  {{{2, 3, 1}, {3, 4}, {4}}}};
  for (const auto& [condition, a, b] : shapes) {
    s.push_back({to_string(condition) + ", " + to_string(a) + " and " + to_string(b),
                 Where{},
                 {draw(condition, 0, 2, seed, boolean), draw(a, -2, 2, seed + 1), draw(b, -2, 2, seed + 2)},
                 reference});
    seed += 3;
  }
  return s;
}

}  // namespace

void add_pointwise(Samples& s) {
  const std::vector<DType> integers = {i32, i64, u8, u32, u64};
  binary<Add>(s, [](double a, double b) { return a + b; }, {.also = {i32, i64, u8}});
  binary<Subtract>(s, [](double a, double b) { return a - b; }, {.also = {i32}});
  binary<Multiply>(s, [](double a, double b) { return a * b; }, {.also = {i32, i64, u8}});
  binary<Divide>(s, [](double a, double b) { return a / b; }, {.y = {0.5, 2}});
  binary<Pow>(s, [](double a, double b) { return std::pow(a, b); }, {.x = {0.3, 2}});
  binary<Maximum>(s, [](double a, double b) { return std::max(a, b); }, {.smooth = false, .also = {i32}});
  binary<Minimum>(s, [](double a, double b) { return std::min(a, b); }, {.smooth = false, .also = {u8}});
  unary<Negate>(s, [](double x) { return -x; }, {.also = {i32}});
  unary<Square>(s, [](double x) { return x * x; }, {.also = {i32}});
  unary<Reciprocal>(s, [](double x) { return 1 / x; }, {.x = {0.3, 2}});
  unary<Exp>(s, [](double x) { return std::exp(x); }, {.x = {-3, 3}});
  unary<Log>(s, [](double x) { return std::log(x); }, {.x = {0.2, 4}});
  unary<Sqrt>(s, [](double x) { return std::sqrt(x); }, {.x = {0.2, 4}});
  unary<Rsqrt>(s, [](double x) { return 1 / std::sqrt(x); }, {.x = {0.2, 4}});
  unary<Abs>(s, [](double x) { return std::abs(x); }, {.smooth = false, .also = {i32}});
  unary<Sign>(s, [](double x) -> double { return (x > 0) - (x < 0); }, {.smooth = false, .also = {i32}});
  unary<CosPi>(s, [](double x) { return std::cos(pi * x); }, {.x = {-2.3, 2.3}});
  unary<SinPi>(s, [](double x) { return std::sin(pi * x); }, {.x = {-2.3, 2.3}});
  unary<Erf>(s, [](double x) { return std::erf(x); }, {.x = {-3, 3}});
  unary<Tanh>(s, [](double x) { return std::tanh(x); }, {.x = {-3, 3}});
  unary<Sigmoid>(s, [](double x) { return 1 / (1 + std::exp(-x)); }, {.x = {-5, 5}});
  unary<Relu>(s, [](double x) { return std::max(x, 0.0); }, {.smooth = false});
  unary<Gelu>(s, [](double x) { return x * normal_distribution(x); }, {.x = {-4, 4}});
  unary<Softplus>(s, [](double x) { return std::log1p(std::exp(x)); }, {.x = {-5, 5}});
  unary<Softsign>(s, [](double x) { return x / (1 + std::abs(x)); }, {.x = {-4, 4}});
  binary<Equal>(s, [](double a, double b) { return a == b; }, {.smooth = false, .also = integers});
  binary<NotEqual>(s, [](double a, double b) { return a != b; }, {.smooth = false, .also = integers});
  binary<Less>(s, [](double a, double b) { return a < b; }, {.smooth = false, .also = integers});
  binary<LessEqual>(s, [](double a, double b) { return a <= b; }, {.smooth = false, .also = integers});
  logical<LogicalAnd>(s, [](double a, double b) { return a != 0 && b != 0; });
  logical<LogicalOr>(s, [](double a, double b) { return a != 0 || b != 0; });
  logical<LogicalNot>(s, [](double a, double) { return a == 0; });
  s.add<Where>(where_samples());
  s.add<Cast>(cast_samples());
  binary<MaskedMultiply>(s, [](double a, double b) { return a * b; });
  binary<MaskedDivide>(s, [](double a, double b) { return a / b; }, {.y = {0.5, 2}});
  binary<TanhGradient>(s, [](double y, double dy) { return dy * (1 - y * y); }, {.x = {-1, 1}});
  binary<SigmoidGradient>(s, [](double y, double dy) { return dy * y * (1 - y); }, {.x = {0, 1}});
  binary<ReluGradient>(s, [](double y, double dy) { return y > 0 ? dy : 0; }, {.smooth = false});
  binary<GeluGradient>(s, [](double x, double dy) { return dy * gelu_slope(x); }, {.x = {-4, 4}});
}

}  // namespace oxbow::test
