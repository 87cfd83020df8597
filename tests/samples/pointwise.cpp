// Samples of elementwise ops, each from its formula in double.
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

double silu_slope(double x) {
  const double s = 1 / (1 + std::exp(-x));
  return s + x * s * (1 - s);
}

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

// One sample of each integer dtype, to whose width results are cut.
std::vector<Sample> integer_samples(const Op& op, const std::function<std::int64_t(std::int64_t, std::int64_t)>& f) {
  std::vector<Sample> samples;
  for (const DType dtype : {i8, i16, i32, i64, u8, u16, u32, u64}) {
    Sample of_dtype = typed_sample(op, dtype, {});
    of_dtype.reference = [f](const std::vector<Tensor>& in) {
      Tensor y(in[0].type());
      dispatch(y.dtype(), [&]<class E>(std::type_identity<E>) {
        const E *a = in[0].data<E>(), *b = in.back().data<E>();
        for (std::int64_t i = 0; i < y.count(); ++i)
          y.data<E>()[i] = static_cast<E>(f(static_cast<std::int64_t>(a[i]), static_cast<std::int64_t>(b[i])));
      });
      return std::vector{y};
    };
    samples.push_back(std::move(of_dtype));
  }
  return samples;
}

// Of ops that mean something else for integers than for floating point.
std::vector<Sample> joined(std::vector<Sample> a, std::vector<Sample> b) {
  std::move(b.begin(), b.end(), std::back_inserter(a));
  for (Sample& s : a) s.alike_in_all_dtypes = false;
  return a;
}

// Square and multiply need not be: a loop.
std::int64_t power(std::int64_t a, std::int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  std::int64_t y = 1;
  for (; b > 0; --b) y *= a;
  return y;
}

}  // namespace

void add_pointwise(Samples& s) {
  const std::vector<DType> integers = {i32, i64, u8, u32, u64};
  binary<Add>(s, [](double a, double b) { return a + b; }, {.also = {i32, i64, u8}});
  binary<Subtract>(s, [](double a, double b) { return a - b; }, {.also = {i32}});
  binary<Multiply>(s, [](double a, double b) { return a * b; }, {.also = {i32, i64, u8}});
  const std::vector<DType> all_integers = {i8, i16, i32, i64, u8, u16, u32, u64};
  s.add<Divide>(joined(binary_samples(Divide{}, [](double a, double b) { return a / b; }, {.y = {0.5, 2}}),
                       integer_samples(Divide{}, [](auto a, auto b) { return b == 0 ? 0 : a / b; })));
  s.add<FloorDivide>(
      joined(binary_samples(FloorDivide{}, [](double a, double b) { return b == 0 ? 0 : std::floor(a / b); },
                            {.x = {-2.8, -2.2}, .y = {0.95, 1.05}, .smooth = false, .also = all_integers}),
             {}));
  s.add<Remainder>(
      joined(binary_samples(Remainder{}, [](double a, double b) { return b == 0 ? 0 : a - b * std::floor(a / b); },
                            {.x = {-2.8, -2.2}, .y = {0.95, 1.05}, .smooth = false, .also = all_integers}),
             {}));
  s.add<Fmod>(joined(binary_samples(Fmod{}, [](double a, double b) { return b == 0 ? 0 : std::fmod(a, b); },
                                    {.x = {-2.8, -2.2}, .y = {0.95, 1.05}, .smooth = false, .also = all_integers}),
                     {}));
  s.add<Pow>(joined(binary_samples(Pow{}, [](double a, double b) { return std::pow(a, b); }, {.x = {0.3, 2}}),
                    integer_samples(Pow{}, power)));
  binary<Maximum>(s, [](double a, double b) { return std::max(a, b); }, {.smooth = false, .also = all_integers});
  binary<Minimum>(s, [](double a, double b) { return std::min(a, b); }, {.smooth = false, .also = all_integers});
  unary<Negate>(s, [](double x) { return -x; }, {.also = {i32}});
  unary<Square>(s, [](double x) { return x * x; }, {.also = {i32}});
  unary<Reciprocal>(s, [](double x) { return 1 / x; }, {.x = {0.3, 2}});
  unary<Exp>(s, [](double x) { return std::exp(x); }, {.x = {-3, 3}});
  unary<Expm1>(s, [](double x) { return std::expm1(x); }, {.x = {-3, 3}});
  unary<Log>(s, [](double x) { return std::log(x); }, {.x = {0.2, 4}});
  unary<Log1p>(s, [](double x) { return std::log1p(x); }, {.x = {-0.8, 4}});
  unary<Sqrt>(s, [](double x) { return std::sqrt(x); }, {.x = {0.2, 4}});
  unary<Rsqrt>(s, [](double x) { return 1 / std::sqrt(x); }, {.x = {0.2, 4}});
  unary<Abs>(s, [](double x) { return std::abs(x); }, {.smooth = false, .also = all_integers});
  unary<Sign>(s, [](double x) -> double { return (x > 0) - (x < 0); }, {.smooth = false, .also = all_integers});
  unary<Floor>(s, [](double x) { return std::floor(x); }, {.x = {-2.9, -2.1}});
  unary<Ceil>(s, [](double x) { return std::ceil(x); }, {.x = {-2.9, -2.1}});
  unary<Round>(s, [](double x) { return std::nearbyint(x); }, {.x = {1.6, 2.4}});
  unary<Trunc>(s, [](double x) { return std::trunc(x); }, {.x = {-2.9, -2.1}});
  unary<Sin>(s, [](double x) { return std::sin(x); }, {.x = {-7, 7}});
  unary<Cos>(s, [](double x) { return std::cos(x); }, {.x = {-7, 7}});
  unary<Tan>(s, [](double x) { return std::tan(x); }, {.x = {-1.2, 1.2}});
  unary<Asin>(s, [](double x) { return std::asin(x); }, {.x = {-0.9, 0.9}});
  unary<Acos>(s, [](double x) { return std::acos(x); }, {.x = {-0.9, 0.9}});
  unary<Atan>(s, [](double x) { return std::atan(x); }, {.x = {-4, 4}});
  unary<Sinh>(s, [](double x) { return std::sinh(x); }, {.x = {-3, 3}});
  unary<Cosh>(s, [](double x) { return std::cosh(x); }, {.x = {-3, 3}});
  unary<Asinh>(s, [](double x) { return std::asinh(x); }, {.x = {-4, 4}});
  unary<Acosh>(s, [](double x) { return std::acosh(x); }, {.x = {1.2, 4}});
  unary<Atanh>(s, [](double x) { return std::atanh(x); }, {.x = {-0.9, 0.9}});
  unary<CosPi>(s, [](double x) { return std::cos(pi * x); }, {.x = {-2.3, 2.3}});
  unary<SinPi>(s, [](double x) { return std::sin(pi * x); }, {.x = {-2.3, 2.3}});
  unary<Erf>(s, [](double x) { return std::erf(x); }, {.x = {-3, 3}});
  unary<Tanh>(s, [](double x) { return std::tanh(x); }, {.x = {-3, 3}});
  unary<Sigmoid>(s, [](double x) { return 1 / (1 + std::exp(-x)); }, {.x = {-5, 5}});
  unary<Relu>(s, [](double x) { return std::max(x, 0.0); }, {.smooth = false, .also = all_integers});
  unary<Gelu>(s, [](double x) { return x * normal_distribution(x); }, {.x = {-4, 4}});
  unary<Silu>(s, [](double x) { return x / (1 + std::exp(-x)); }, {.x = {-5, 5}});
  unary<Softplus>(s, [](double x) { return std::log1p(std::exp(x)); }, {.x = {-5, 5}});
  unary<Softsign>(s, [](double x) { return x / (1 + std::abs(x)); }, {.x = {-4, 4}});
  binary<Equal>(s, [](double a, double b) { return a == b; }, {.smooth = false, .also = integers});
  binary<NotEqual>(s, [](double a, double b) { return a != b; }, {.smooth = false, .also = integers});
  binary<Less>(s, [](double a, double b) { return a < b; }, {.smooth = false, .also = integers});
  binary<LessEqual>(s, [](double a, double b) { return a <= b; }, {.smooth = false, .also = integers});
  s.add<BitwiseAnd>(integer_samples(BitwiseAnd{}, [](std::int64_t a, std::int64_t b) { return a & b; }));
  s.add<BitwiseOr>(integer_samples(BitwiseOr{}, [](std::int64_t a, std::int64_t b) { return a | b; }));
  s.add<BitwiseXor>(integer_samples(BitwiseXor{}, [](std::int64_t a, std::int64_t b) { return a ^ b; }));
  s.add<BitwiseNot>(joined(integer_samples(BitwiseNot{}, [](std::int64_t a, std::int64_t) { return ~a; }), {}));
  s.add<LeftShift>(joined(
      integer_samples(LeftShift{},
                      [](std::int64_t a, std::int64_t b) { return b < 0 || b > 63 ? 0 : a * (std::int64_t{1} << b); }),
      {}));
  s.add<RightShift>(
      integer_samples(RightShift{}, [](std::int64_t a, std::int64_t b) { return a >> (b < 0 || b > 63 ? 63 : b); }));
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
  binary<SiluGradient>(s, [](double x, double dy) { return dy * silu_slope(x); }, {.x = {-5, 5}});
  binary<GeluGradient>(s, [](double x, double dy) { return dy * gelu_slope(x); }, {.x = {-4, 4}});
}

}  // namespace oxbow::test
