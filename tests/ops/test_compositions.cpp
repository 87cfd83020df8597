// Functions of elements and rows that are made of ops, against plain formulas: values in both precisions, gradients by
// central differences, integers, what is empty or infinite.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/gradient_check.h"
#include "support/interpreter.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_compositions)

using namespace oxbow;
using test::interpret;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> numbers(Value v) {
  const Tensor t = interpret({cast(v, f64)})[0];
  return {t.span<double>().begin(), t.span<double>().end()};
}

void check(const std::vector<double>& got, const std::vector<double>& want, double bound, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(got.size() == want.size(), what << " has " << got.size() << " elements, not " << want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool same = got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]));
    BOOST_TEST((same || std::abs(got[i] - want[i]) <= bound * std::max(1.0, std::abs(want[i]))),
               what << "[" << i << "] is " << got[i] << ", not " << want[i]);
  }
}

struct Unary {
  std::string what;
  std::function<Value(Value)> f;
  std::function<double(double)> formula;
};
std::ostream& operator<<(std::ostream& s, const Unary& u) { return s << u.what; }

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
double elu_of(double x, double alpha) { return x < 0 ? alpha * std::expm1(x) : x; }

const std::vector<Unary> activations = {
    {"gelu_tanh", [](Value x) { return gelu_tanh(x); },
     [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))); }},
    {"swish", [](Value x) { return swish(x, 1.7); }, [](double x) { return x * sigmoid_of(1.7 * x); }},
    {"mish", [](Value x) { return mish(x); }, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
    {"leaky_relu", [](Value x) { return leaky_relu(x, 0.1); }, [](double x) { return x < 0 ? 0.1 * x : x; }},
    {"prelu", [](Value x) { return prelu(x, constant(x.graph(), 0.3, x.dtype())); },
     [](double x) { return x < 0 ? 0.3 * x : x; }},
    {"elu", [](Value x) { return elu(x, 1.5); }, [](double x) { return elu_of(x, 1.5); }},
    {"selu", [](Value x) { return selu(x); },
     [](double x) { return 1.0507009873554805 * elu_of(x, 1.6732632423543772); }},
    {"celu", [](Value x) { return celu(x, 2); }, [](double x) { return x < 0 ? 2 * std::expm1(x / 2) : x; }},
    {"hard_sigmoid", [](Value x) { return hard_sigmoid(x, 0.2, 0.5); },
     [](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); }},
    {"hard_swish", [](Value x) { return hard_swish(x); },
     [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"hard_tanh", [](Value x) { return hard_tanh(x); }, [](double x) { return std::clamp(x, -1.0, 1.0); }},
    {"thresholded_relu", [](Value x) { return thresholded_relu(x, 0.7); }, [](double x) { return x > 0.7 ? x : 0; }},
    {"softshrink", [](Value x) { return shrink(x, 0.7, 0.7); },
     [](double x) { return x > 0.7    ? x - 0.7
                           : x < -0.7 ? x + 0.7
                                      : 0; }},
    {"hardshrink", [](Value x) { return shrink(x, 0.7); }, [](double x) { return std::abs(x) > 0.7 ? x : 0; }},
    {"clip", [](Value x) { return clip(x, -1.3, 2); }, [](double x) { return std::clamp(x, -1.3, 2.0); }},
    {"clip from below", [](Value x) { return clip(x, -1.3, Value()); }, [](double x) { return std::max(x, -1.3); }},
    {"clip from above", [](Value x) { return clip(x, Value(), 1.3); }, [](double x) { return std::min(x, 1.3); }},
};

}  // namespace

BOOST_DATA_TEST_CASE(activations_and_their_slopes, boost::unit_test::data::make(activations)) {
  Graph g;
  std::vector<double> at, want, slopes;
  for (double x = -6.03; x < 6; x += 0.23) {  // past all corners
    constexpr double h = 1e-6;
    at.push_back(x);
    want.push_back(sample.formula(x));
    slopes.push_back((sample.formula(x + h) - sample.formula(x - h)) / (2 * h));
  }
  const Value x = constant(g, Tensor::of({static_cast<std::int64_t>(at.size())}, at)), y = sample.f(x);
  check(numbers(y), want, 1e-14, sample.what);
  check(numbers(sample.f(cast(x, f32))), want, 1e-6, sample.what + " in f32");
  check(numbers(sample.f(cast(x, bf16))), want, 0.06, sample.what + " in bf16");
  check(numbers(gradients(sum(y), {x})[0]), slopes, 1e-8, "the slope of " + sample.what);
  BOOST_TEST(sample.f(constant(g, Tensor({f32, {0, 3}}))).shape() == Shape({0, 3}));
}

BOOST_AUTO_TEST_CASE(of_integers) {
  Graph g;
  for (const DType d : {i8, i16, i32, i64}) {
    const Value x = cast(constant(g, Tensor::of<double>({7}, {-128, -3, -1, 0, 1, 3, 127})), d);
    check(numbers(relu(x)), {0, 0, 0, 0, 1, 3, 127}, 0, "relu");
    check(numbers(clip(x, -2, 2)), {-2, -2, -1, 0, 1, 2, 2}, 0, "clip");
    check(numbers(leaky_relu(x, 2)), {d == i8 ? 0. : -256., -6, -2, 0, 1, 3, 127}, 0, "leaky_relu");
    check(numbers(shrink(x, 1.5)), {-128, -3, 0, 0, 0, 3, 127}, 0, "shrink");
    check(numbers(abs(x)), {d == i8 ? -128. : 128., 3, 1, 0, 1, 3, 127}, 0, "abs");
  }
  for (const DType d : {u8, u16, u32, u64}) {
    const Value x = cast(constant(g, Tensor::of<double>({4}, {0, 1, 3, 255})), d);
    check(numbers(relu(x)), {0, 1, 3, 255}, 0, "relu");
    check(numbers(clip(x, 1, 200)), {1, 1, 3, 200}, 0, "clip");
    check(numbers(shrink(x, 1.5, 1)), {0, 0, 2, 254}, 0, "shrink");
  }
}

// What C++ leaves undefined.
BOOST_AUTO_TEST_CASE(division_at_its_edges) {
  Graph g;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  const Value a = constant(g, Tensor::of<std::int64_t>({6}, {least, 7, -7, 0, least, least}));
  const Value b = constant(g, Tensor::of<std::int64_t>({6}, {-1, 0, 0, 0, least, 3}));
  const auto whole = [&](Value v) {
    const Tensor t = interpret({v})[0];
    return std::vector<std::int64_t>(t.span<std::int64_t>().begin(), t.span<std::int64_t>().end());
  };
  using All = std::vector<std::int64_t>;
  BOOST_TEST(whole(a / b) == (All{least, 0, 0, 0, 1, least / 3}), boost::test_tools::per_element());
  BOOST_TEST(whole(floor_divide(a, b)) == (All{least, 0, 0, 0, 1, least / 3 - 1}), boost::test_tools::per_element());
  BOOST_TEST(whole(fmod(a, b)) == (All{0, 0, 0, 0, 0, -2}), boost::test_tools::per_element());
  BOOST_TEST(whole(remainder(a, b)) == (All{0, 0, 0, 0, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(
      whole(pow(a, constant(g, Tensor::of<std::int64_t>({6}, {1, 2, 3, 0, 2, -1})))) == (All{least, 49, -343, 1, 0, 0}),
      boost::test_tools::per_element());
  const Value x = constant(g, Tensor::of<double>({9}, {5, -5, 5, -5, -4, inf, 5, -5, 1})),
              y = constant(g, Tensor::of<double>({9}, {3, 3, -3, -3, 2, 3, inf, inf, .1}));
  check(numbers(remainder(x, y)), {2, 1, -1, -2, 0, nan, 5, inf, std::fmod(1, .1)}, 0, "remainder");
  check(numbers(fmod(x, y)), {2, -2, 2, -2, 0, nan, 5, -5, std::fmod(1, .1)}, 0, "fmod");
  check(numbers(floor_divide(x, y)), {1, -2, -2, 1, -2, nan, 0, -1, 9}, 0, "floor_divide");
  check(numbers(floor_divide(x, constant(g, 0, f64))), {inf, -inf, inf, -inf, -inf, inf, inf, -inf, inf}, 0, "by 0");
}

BOOST_AUTO_TEST_CASE(bits_at_their_edges) {
  Graph g;
  const Value x = constant(g, Tensor::of<std::int32_t>({4}, {-8, 5, -1, 1 << 30}));
  const Value by = constant(g, Tensor::of<std::int32_t>({4}, {40, -1, 32, 1}));
  check(numbers(left_shift(x, by)), {0, 0, 0, -0x1p31}, 0, "left_shift");
  check(numbers(right_shift(x, by)), {-1, 0, -1, 1 << 29}, 0, "right_shift");
  const Value byte = constant(g, Tensor::of<std::uint8_t>({3}, {200, 3, 255}));
  check(numbers(left_shift(byte, 1)), {144, 6, 254}, 0, "left_shift of u8");
  check(numbers(right_shift(byte, 9)), {0, 0, 0}, 0, "right_shift of u8");
  check(numbers(bitwise_not(byte)), {55, 252, 0}, 0, "bitwise_not of u8");
  const Value yes = constant(g, Tensor::of<bool>({4}, {true, true, false, false}));
  const Value no = constant(g, Tensor::of<bool>({4}, {true, false, true, false}));
  check(numbers(logical_xor(yes, no)), {0, 1, 1, 0}, 0, "logical_xor");
}

BOOST_AUTO_TEST_CASE(what_is_no_number) {
  Graph g;
  const Value all = constant(g, Tensor::of<double>({6}, {inf, -inf, nan, 0, -1, 1e300}));
  for (const DType d : {f64, f32, f16, bf16}) {
    const Value x = cast(all, d);
    const double beyond = d == f64 ? 0 : 1;
    check(numbers(isnan(x)), {0, 0, 1, 0, 0, 0}, 0, "isnan");
    check(numbers(isinf(x)), {1, 1, 0, 0, 0, beyond}, 0, "isinf");
    check(numbers(isfinite(x)), {0, 0, 0, 1, 1, 1 - beyond}, 0, "isfinite");
  }
}

BOOST_AUTO_TEST_CASE(reductions_of_logarithms) {
  Graph g;
  const Value x = input(g, "x", f64, {2, 3, 4});
  const Tensor at = draw({2, 3, 4}, -3, 3, 5);
  for (const bool keep : {false, true}) {
    const Value y = logsumexp(x, {0, 2}, keep);
    BOOST_TEST(y.shape() == (keep ? Shape{1, 3, 1} : Shape{3}));
    std::vector<double> want(3);
    for (std::int64_t i = 0; i < 24; ++i) want[static_cast<std::size_t>(i / 4 % 3)] += std::exp(at.data<double>()[i]);
    for (double& v : want) v = std::log(v);
    const Tensor got = interpret({y}, {{"x", at}})[0];
    check({got.span<double>().begin(), got.span<double>().end()}, want, 1e-14, "logsumexp");
  }
  test::check_gradients(logsumexp(x, 1), {x}, {{"x", at}});
  const auto of = [&](std::vector<double> v) {
    return constant(g, Tensor::of({static_cast<std::int64_t>(v.size())}, v));
  };
  check(numbers(logsumexp(of({1000, 1000}))), {1000 + std::log(2)}, 1e-14, "large");
  check(numbers(logsumexp(of({-inf, 0}))), {0}, 0, "-inf");
  check(numbers(logsumexp(of({-inf, -inf}))), {-inf}, 0, "-inf alone");
  check(numbers(logsumexp(of({inf, -inf, 0}))), {inf}, 0, "inf");
  check(numbers(logsumexp(of({nan, inf}))), {nan}, 0, "NaN");
  check(numbers(logsumexp(constant(g, Tensor({f64, {2, 0}})), 1)), {-inf, -inf}, 0, "nothing");
}

BOOST_AUTO_TEST_CASE(reductions_of_nothing) {
  Graph g;
  const auto none = [&](DType d) { return constant(g, Tensor({d, {0, 2}})); };
  check(numbers(max(none(f32), 0)), {-inf, -inf}, 0, "max");
  check(numbers(min(none(f16), 0)), {inf, inf}, 0, "min");
  check(numbers(max(none(i8), 0)), {-128, -128}, 0, "max of i8");
  check(numbers(min(none(u8), 0)), {255, 255}, 0, "min of u8");
  check(numbers(max(none(i64), 0)), {-0x1p63, -0x1p63}, 0, "max of i64");
  check(numbers(prod(none(f32), 0)), {1, 1}, 0, "prod");
  check(numbers(any(none(boolean), 0)), {0, 0}, 0, "any");
  check(numbers(all(none(boolean), 0)), {1, 1}, 0, "all");
}

BOOST_AUTO_TEST_CASE(variances) {
  Graph g;
  const Value x = input(g, "x", f64, {3, 4});
  const Tensor at = Tensor::of<double>({3, 4}, {1, 2, 4, 5, 0, 0, 0, 4, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 6});
  const std::vector<Tensor> y =
      interpret({variance(x, 1), variance(x, 1, {.keepdims = true, .correction = 1})}, {{"x", at}});
  check({y[0].span<double>().begin(), y[0].span<double>().end()}, {2.5, 3, 3.5}, 1e-14, "variance");
  check({y[1].span<double>().begin(), y[1].span<double>().end()}, {10. / 3, 4, 14. / 3}, 1e-14, "corrected");
  BOOST_TEST(y[1].shape() == Shape({3, 1}));
  test::check_gradients(variance(x), {x}, {{"x", draw({3, 4}, -1, 1, 3)}});
}

BOOST_AUTO_TEST_CASE(orders) {
  Graph g;
  const Value x = constant(g, Tensor::of<double>({2, 4}, {3, nan, -1, 3, 0, -inf, inf, -0.0}));
  check(numbers(sort(x).values), {-1, 3, 3, nan, -inf, 0, 0, inf}, 0, "sort");
  check(numbers(argsort(x)), {2, 0, 3, 1, 1, 0, 3, 2}, 0, "argsort");
  check(numbers(argsort(x, -1, true)), {1, 0, 3, 2, 2, 0, 3, 1}, 0, "argsort, descending");
  check(numbers(sort(x, 0).values), {0, -inf, -1, 0, 3, nan, inf, 3}, 0, "sort along the first axis");
  Graph free;
  const Value rows = input(free, "x", f64, {any(2), 3});
  const Tensor sorted =
      interpret({sort(rows, 0).values}, {{"x", Tensor::of<double>({3, 3}, {3, 1, 2, 1, 2, 3, 2, 3, 1})}})[0];
  BOOST_TEST(same_bits(sorted, Tensor::of<double>({3, 3}, {1, 1, 1, 2, 2, 2, 3, 3, 3})));
}

BOOST_AUTO_TEST_CASE(hardmax_takes_the_first) {
  Graph g;
  const Value x = constant(g, Tensor::of<double>({2, 3}, {1, 3, 3, 2, 2, 1}));
  check(numbers(hardmax(x)), {0, 1, 0, 1, 0, 0}, 0, "hardmax");
  check(numbers(hardmax(x, 0)), {0, 1, 1, 1, 0, 0}, 0, "hardmax along the first axis");
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value i = input(g, "i", i32, {2}), b = input(g, "b", boolean, {2}), x = input(g, "x", f32, {2});
  test::says([&] { elu(i); }, "elu: x is i32[2], not floating point");
  test::says([&] { silu(i); }, "silu: x is i32");
  test::says([&] { clip(b, 0, 1); }, "clip: x is bool[2], which is not a number");
  test::says([&] { isnan(i); }, "isnan: x is i32[2]");
  test::says([&] { logical_xor(i, i); }, "logical_xor: x is i32[2], not bool");
  test::says([&] { any(x); }, "any: x is f32[2], not bool");
  test::says([&] { celu(x, 0); }, "celu: x is f32[2], to be divided by an alpha of 0");
  test::says([&] { leaky_relu(i, 0.5); }, "no i32 is 0.5");
  test::says([&] { bitwise_and(x, x); },
             "bitwise_and: a is f32, but must be one of: i8, i16, i32, i64, u8, u16, u32, u64");
  test::says([&] { cumsum(b, 0); }, "cumsum: x is bool[2], but must be one of");
  test::says([&] { cumprod(x, 1); }, "cumprod: there is no axis 1 in shape [2]");
}

BOOST_AUTO_TEST_SUITE_END()
