// Elementwise ops: what their errors say and where they point, numbers as operands, special values, and which
// simplifications keep every bit.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/unary.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/interpreter.h"

BOOST_AUTO_TEST_SUITE(test_elementwise)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Whether the message holds all these texts, in this order.
auto says(std::vector<std::string> texts) {
  return [texts](const Error& e) {
    const std::string what = e.what();
    std::size_t at = 0;
    for (const std::string& text : texts) {
      at = what.find(text, at);
      if (at == std::string::npos) {
        BOOST_TEST_MESSAGE("no \"" << text << "\" in its place in:\n" << what);
        return false;
      }
    }
    return true;
  };
}

std::string here(int line) { return "tests/ops/test_elementwise.cpp:" + std::to_string(line); }

double value(Value v) { return test::interpret({cast(v, f64)})[0].item<double>(); }

// What the simplest rule makes of a node; empty where none applies.
Value simplified(Value v) {
  const std::vector<Value> now = v.node().op().simplify(v.node().inputs());
  return now.empty() ? Value() : now[0];
}

}  // namespace

BOOST_AUTO_TEST_CASE(shapes_that_do_not_broadcast) {
  Graph g;
  const Value a = input(g, "a", f32, {3, 5}), b = input(g, "b", f32, {4});
  const std::vector<std::string> text = {"add", "axis -1 is 5 in one and 4 in the other", "Make the sizes equal"};
  BOOST_CHECK_EXCEPTION(a + b, Error, says(text));
  BOOST_CHECK_EXCEPTION(a + b, Error, says({here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(maximum(a, b), Error, says({"maximum", "f32[3, 5]", here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(where(less(a, 0), a, b), Error, says({"where", here(__LINE__)}));
}

BOOST_AUTO_TEST_CASE(dtypes_that_differ) {
  Graph g;
  const Value a = input(g, "a", f32, {3}), b = input(g, "b", f64, {3}), c = input(g, "c", i32, {3});
  const std::vector<std::string> text = {"multiply", "dtypes differ: a f32[3], b f64[3]", "cast(b, f32)"};
  BOOST_CHECK_EXCEPTION(a * b, Error, says(text));
  BOOST_CHECK_EXCEPTION(a * b, Error, says({here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(rsqrt(2 * c), Error, says({"rsqrt", "x is i32, but must be one of: f32, f64", "cast(x, f32)"}));
  BOOST_CHECK_EXCEPTION(exp(c), Error, says({"exp", "x is i32, but must be one of: f32, f64", here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(-less(a, 0), Error, says({"negate", "x is bool", here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(where(a, a, a), Error, says({"where", "condition is f32, but must be one of: bool"}));
}

BOOST_AUTO_TEST_CASE(numbers_take_the_dtype_of_the_other_operand) {
  Graph g;
  for (DType d : {f32, f64}) {
    const Value x = constant(g, 3, d);
    BOOST_TEST(((1 - 0.5 * x).dtype() == d));
    BOOST_TEST(value(1 - 0.5 * x) == -0.5);
    BOOST_TEST(value(maximum(x, 7)) == 7);
    BOOST_TEST(value(where(greater(x, 2), 1, x)) == 1);
  }
  const Value n = constant(g, 200, u8);
  BOOST_TEST(value(n + 100) == 44);
  const std::vector<std::string> text = {"multiply: no u8 is 0.5, but the other operand is u8[]", "cast(x, f32)"};
  BOOST_CHECK_EXCEPTION(n * 0.5, Error, says(text));
  BOOST_CHECK_EXCEPTION(n * 0.5, Error, says({here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(n + 256, Error, says({"add: no u8 is 256"}));
  BOOST_CHECK_EXCEPTION(add(1, 2), Error, says({"add: none of its operands is a value", here(__LINE__)}));
  BOOST_CHECK_EXCEPTION(n + Value(), Error, says({"add", "input 1 is an empty Value", here(__LINE__)}));
}

BOOST_AUTO_TEST_CASE(operators_know_the_users_line) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  const Value y = 2 * x;
  BOOST_TEST(y.node().origin().at.line == __LINE__ - 1);
  BOOST_TEST(y.node().input(0).node().origin().at.line == __LINE__ - 2);
  const Value z = -x;
  BOOST_TEST(z.node().origin().at.line == __LINE__ - 1);
}

BOOST_AUTO_TEST_CASE(special_values) {
  Graph g;
  const auto c = [&](double v) { return constant(g, v, f32); };
  BOOST_TEST(std::isnan(value(maximum(c(not_a_number), c(1)))));
  BOOST_TEST(std::isnan(value(maximum(c(1), c(not_a_number)))));
  BOOST_TEST(std::isnan(value(minimum(c(not_a_number), c(1)))));
  BOOST_TEST(std::isnan(value(relu(c(not_a_number)))));
  BOOST_TEST(std::isnan(value(sign(c(not_a_number)))));
  BOOST_TEST(value(not_equal(c(not_a_number), c(not_a_number))) == 1);
  BOOST_TEST(value(less_equal(c(not_a_number), c(not_a_number))) == 0);
  BOOST_TEST(value(exp(c(-infinity))) == 0);
  BOOST_TEST(value(exp(c(89))) == infinity);
  BOOST_TEST(value(log(c(0))) == -infinity);
  BOOST_TEST(value(tanh(c(infinity))) == 1);
  BOOST_TEST(value(erf(c(-infinity))) == -1);
  BOOST_TEST(value(sigmoid(c(-infinity))) == 0);
  BOOST_TEST(value(gelu(c(20))) == 20);
  BOOST_TEST(value(pow(c(-2), c(3))) == -8);
  BOOST_TEST(std::isnan(value(pow(c(-2), c(0.5)))));
  BOOST_TEST(value(cast(c(3e9), i32)) == 2147483647);
  BOOST_TEST(value(cast(c(-3e9), i32)) == -2147483648.0);
  BOOST_TEST(value(cast(c(not_a_number), i32)) == 0);
  BOOST_TEST(value(cast(c(-1), u8)) == 0);
  BOOST_TEST(value(cast(c(1e30), i64)) == 0x1p63);
  BOOST_TEST(value(constant(g, 2147483647, i32) + 1) == -2147483648.0);
}

BOOST_AUTO_TEST_CASE(simplifications_keep_every_bit) {
  Graph g;
  const Value x = input(g, "x", f32, {2}), n = input(g, "n", i32, {2}), wide = constant(g, Tensor({f32, {3, 1}}));
  BOOST_TEST(simplified(x * 1).same(x));
  BOOST_TEST(simplified(1 * x).same(x));
  BOOST_TEST(simplified(x / 1).same(x));
  BOOST_TEST(simplified(x + -0.0).same(x));
  BOOST_TEST(simplified(x - 0.0).same(x));
  BOOST_TEST(simplified(n + 0).same(n));
  BOOST_TEST(simplified(-(-x)).same(x));
  const Value small = less(x, 1);
  BOOST_TEST(simplified(logical_not(logical_not(small))).same(small));
  BOOST_TEST(simplified(cast(cast(x, f64), f32)).same(x));
  const Value yes = constant(g, 1, boolean), no = constant(g, 0, boolean);
  BOOST_TEST(simplified(where(yes, x, -x)).same(x));
  BOOST_TEST(simplified(where(no, -x, x)).same(x));
  const Value eighth = simplified(x / 8);
  BOOST_TEST((eighth && eighth.node().op().is<Multiply>()));
  const auto is = [](Value v, const Op& op, Value a, Value b) {
    return v && v.node().op() == op && v.node().input(0).same(a) && v.node().input(1).same(b);
  };
  const Value y = input(g, "y", f32, {2});
  BOOST_TEST(is(simplified(x - -y), Add{}, x, y));
  BOOST_TEST(is(simplified(x + -y), Subtract{}, x, y));
  BOOST_TEST(is(simplified(-x + y), Subtract{}, y, x));
  // Signed zeros, NaN, infinities and shapes stand in the way of these.
  BOOST_TEST(!simplified(x + 0.0));
  BOOST_TEST(!simplified(x - -0.0));
  BOOST_TEST(!simplified(x * 0));
  BOOST_TEST(!simplified(x / 3));
  BOOST_TEST(!simplified(x * constant(g, Tensor::of<float>({1, 1}, {1}))));
  BOOST_TEST(!simplified(cast(cast(input(g, "d", f64, {2}), f32), f64)));
  BOOST_TEST(!simplified(where(yes, constant(g, 1, f32), wide)));
}

BOOST_AUTO_TEST_CASE(pow_of_a_known_exponent) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  BOOST_TEST(pow(x, 1).same(x));
  BOOST_TEST(pow(x, 2).node().op().is<Square>());
  BOOST_TEST(pow(x, 3).node().op().is<Pow>());
}

BOOST_AUTO_TEST_CASE(operands_in_panels) {
  const Layout panels{.panel = 64};
  const Type packed{f32, {100, 80}, panels}, plain{f32, {100, 80}}, row{f32, {80}}, scalar{f32, {}};
  const Op add = Add{};
  BOOST_TEST((add.infer(std::vector{packed, packed})[0] == packed));
  BOOST_TEST((add.infer(std::vector{packed, scalar})[0] == packed));
  BOOST_CHECK_EXCEPTION(add.infer(std::vector{packed, plain}), OpError, says({"lie in memory in different ways"}));
  BOOST_CHECK_EXCEPTION(add.infer(std::vector{row, packed}), OpError, says({"a row or column does not broadcast"}));
}

BOOST_AUTO_TEST_SUITE_END()
