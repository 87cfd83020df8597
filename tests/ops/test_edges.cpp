// Values and slopes at the edges of the number range: infinities, zeros, NaN, what is confident and right, what was not
// taken, what is empty. Right values: exact arithmetic.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/interpreter.h"

BOOST_AUTO_TEST_SUITE(test_edges)

using namespace oxbow;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

Tensor rounded(const std::vector<double>& v, DType dtype) {
  const auto n = static_cast<std::int64_t>(v.size());
  if (dtype == f64) return Tensor::of<double>({n}, v);
  return Tensor::of<float>({n}, std::vector<float>(v.begin(), v.end()));
}

// Equal, both NaN, or within some units in the last place of either dtype.
void check(double got, double want, DType dtype, const std::string& what) {
  const double bound = (dtype == f32 ? 4e-6 : 1e-14) * std::abs(want);
  const bool same = got == want || (std::isnan(got) && std::isnan(want));
  BOOST_TEST((same || std::abs(got - want) <= bound),
             what << " in " << name(dtype) << " is " << got << ", not " << want);
}

void check(Value got, const std::vector<double>& want, const std::string& what) {
  const Tensor t = test::interpret({cast(got, f64)})[0];
  BOOST_REQUIRE_MESSAGE(t.count() == static_cast<std::int64_t>(want.size()), what << " has " << t.count());
  for (std::size_t i = 0; i < want.size(); ++i)
    check(t.data<double>()[i], want[i], got.dtype(), what + "[" + std::to_string(i) + "]");
}

// f and its derivatives at x: as many as are given.
struct Point {
  std::string what;
  std::function<Value(Value)> f;
  double x;
  std::vector<double> derivatives;
  std::vector<DType> dtypes = {f32, f64};
};
std::ostream& operator<<(std::ostream& s, const Point& p) { return s << p.what; }

// What f gives where it is taken, and 0 elsewhere.
std::function<Value(Value)> taken(bool above, double limit, std::function<Value(Value)> f) {
  return [=](Value x) { return where(above ? greater(x, limit) : less(x, limit), f(x), 0); };
}

std::function<Value(Value)> yes_or_no(double target) {
  return [=](Value x) { return binary_cross_entropy(x, broadcast_like(constant(x.graph(), target, x.dtype()), x)); };
}

// Of e^-x / (1 + e^-x), which is the loss's slope, and of its own.
double tail(double x) { return std::exp(-x) / (1 + std::exp(-x)); }
double log_tail(double x) { return std::log1p(std::exp(-x)); }
double tail_slope(double x) { return tail(x) * (1 - tail(x)); }

const std::vector<Point> points = {
    {"gelu at -inf", [](Value x) { return gelu(x); }, -inf, {0, 0, 0}},
    {"gelu at inf", [](Value x) { return gelu(x); }, inf, {inf, 1, 0}},
    {"gelu of NaN", [](Value x) { return gelu(x); }, nan, {nan, nan, nan}},
    {"gelu far out", [](Value x) { return gelu(x); }, 1e30, {1e30, 1, 0}},
    {"erf at -inf", [](Value x) { return erf(x); }, -inf, {-1, 0, 0, 0}},
    {"erf at inf", [](Value x) { return erf(x); }, inf, {1, 0, 0, 0}},
    {"tanh at -inf", [](Value x) { return tanh(x); }, -inf, {-1, 0, 0}},
    {"tanh at inf", [](Value x) { return tanh(x); }, inf, {1, 0, 0}},
    {"sigmoid at -inf", [](Value x) { return sigmoid(x); }, -inf, {0, 0, 0}},
    {"sigmoid at inf", [](Value x) { return sigmoid(x); }, inf, {1, 0, 0}},
    {"softplus at -inf", [](Value x) { return softplus(x); }, -inf, {0, 0, 0}},
    {"softplus at inf", [](Value x) { return softplus(x); }, inf, {inf, 1, 0}},
    {"softplus at -80", [](Value x) { return softplus(x); }, -80, {std::exp(-80), std::exp(-80), std::exp(-80)}},
    {"softplus at 80", [](Value x) { return softplus(x); }, 80, {80, 1}},
    {"exp at -inf", [](Value x) { return exp(x); }, -inf, {0, 0, 0}},
    {"relu of NaN", [](Value x) { return relu(x); }, nan, {nan, 1}},
    {"relu at inf", [](Value x) { return relu(x); }, inf, {inf, 1}},
    {"relu at 0", [](Value x) { return relu(x); }, 0, {0, 0}},
    {"maximum of NaN", [](Value x) { return maximum(x, 2); }, nan, {nan, 1}},
    {"minimum of NaN", [](Value x) { return minimum(2, x); }, nan, {nan, 1}},
    {"maximum of two that are alike", [](Value x) { return maximum(x, x); }, 2, {2, 1}},
    {"clipped NaN", [](Value x) { return maximum(minimum(x, 1), -1); }, nan, {nan, 1}},

    {"silu at -inf", [](Value x) { return silu(x); }, -inf, {0, 0, 0}},
    {"silu at inf", [](Value x) { return silu(x); }, inf, {inf, 1, 0}},
    {"silu of NaN", [](Value x) { return silu(x); }, nan, {nan, nan, nan}},
    {"silu far out", [](Value x) { return silu(x); }, -1e30, {0, 0, 0}},
    {"swish at -inf", [](Value x) { return swish(x, 2); }, -inf, {0, 0, 0}},
    {"swish at inf", [](Value x) { return swish(x, 2); }, inf, {inf, 1, 0}},
    {"swish at -inf, turned", [](Value x) { return swish(x, -2); }, -inf, {-inf, 1, 0}},
    {"swish far out", [](Value x) { return swish(x, 1e10); }, 1e30, {1e30, 1, 0}},
    {"swish without a slope", [](Value x) { return swish(x, 0); }, 3, {1.5, .5, 0}},
    {"gelu_tanh at -inf", [](Value x) { return gelu_tanh(x); }, -inf, {0, 0, 0}},
    {"gelu_tanh at inf", [](Value x) { return gelu_tanh(x); }, inf, {inf, 1, 0}},
    {"gelu_tanh of NaN", [](Value x) { return gelu_tanh(x); }, nan, {nan}},
    {"gelu_tanh far out", [](Value x) { return gelu_tanh(x); }, 1e30, {1e30, 1, 0}},
    {"mish at -inf", [](Value x) { return mish(x); }, -inf, {0, 0, 0}},
    {"mish at inf", [](Value x) { return mish(x); }, inf, {inf, 1, 0}},
    {"mish of NaN", [](Value x) { return mish(x); }, nan, {nan}},
    {"elu at -inf", [](Value x) { return elu(x, 2); }, -inf, {-2, 0, 0}},
    {"elu at inf", [](Value x) { return elu(x, 2); }, inf, {inf, 1, 0}},
    {"elu far out", [](Value x) { return elu(x); }, 1e4, {1e4, 1, 0}},
    {"elu near 0", [](Value x) { return elu(x); }, -1e-9, {std::expm1(-1e-9), std::exp(-1e-9)}},
    {"hard_swish at -inf", [](Value x) { return hard_swish(x); }, -inf, {0, 0}},
    {"hard_swish at inf", [](Value x) { return hard_swish(x); }, inf, {inf, 1}},
    {"hard_sigmoid at inf", [](Value x) { return hard_sigmoid(x); }, inf, {1, 0}},
    {"leaky_relu at -inf", [](Value x) { return leaky_relu(x, .25); }, -inf, {-inf, .25}},
    {"leaky_relu of NaN", [](Value x) { return leaky_relu(x); }, nan, {nan}},
    {"shrunk NaN", [](Value x) { return shrink(x); }, nan, {nan, 1}},
    {"thresholded NaN", [](Value x) { return thresholded_relu(x); }, nan, {nan, 1}},
    {"within bounds that exclude each other", [](Value x) { return clip(x, 3, 2); }, 2.5, {2, 0}},
    {"on a bound", [](Value x) { return clip(x, -1, 1); }, 1, {1, 1}},
    {"below a bound", [](Value x) { return clip(x, -1, Value()); }, -2, {-1, 0}},
    {"above no bound", [](Value x) { return clip(x, -1, Value()); }, inf, {inf, 1}},
    {"asin, not taken", taken(true, 1, [](Value x) { return asin(x); }), 1, {0, 0, 0}},
    {"acosh, not taken", taken(true, 1, [](Value x) { return acosh(x); }), 1, {0, 0, 0}},
    {"atanh, not taken", taken(true, 1, [](Value x) { return atanh(x); }), 1, {0, 0, 0}},
    {"log1p, not taken", taken(true, -1, [](Value x) { return log1p(x); }), -1, {0, 0, 0}},
    {"sinh, not taken", taken(false, 10, [](Value x) { return sinh(x); }), 1000, {0, 0, 0}},
    {"expm1, not taken", taken(false, 10, [](Value x) { return expm1(x); }), 1000, {0, 0, 0}},
    {"asinh far out", [](Value x) { return 1e20 * asinh(x); }, 1e30, {1e20 * std::asinh(1e30), 1e-10}},
    {"acosh far out", [](Value x) { return 1e20 * acosh(x); }, 1e30, {1e20 * std::acosh(1e30), 1e-10}},
    {"atan at inf", [](Value x) { return atan(x); }, inf, {std::acos(0.0), 0}},

    {"reciprocal far out", [](Value x) { return 1e-25 * reciprocal(x); }, 1e-25, {1, -1e25}},
    {"division far out", [](Value x) { return 1e-25 / x; }, 1e-25, {1, -1e25}},
    {"rsqrt far out", [](Value x) { return 1e-20 * rsqrt(x); }, 1e-30, {1e-5, -5e24}},
    {"log far out", [](Value x) { return 1e-25 * log(x); }, 1e-30, {1e-25 * std::log(1e-30), 1e5}},

    {"sqrt, not taken", taken(true, 0, [](Value x) { return sqrt(x); }), 0, {0, 0, 0}},
    {"rsqrt, not taken", taken(true, 0, [](Value x) { return rsqrt(x); }), 0, {0, 0, 0}},
    {"log, not taken", taken(true, 0, [](Value x) { return log(x); }), 0, {0, 0, 0}},
    {"reciprocal, not taken", taken(true, 0, [](Value x) { return reciprocal(x); }), 0, {0, 0, 0}},
    {"1 / x, not taken", taken(true, 0, [](Value x) { return 1 / x; }), 0, {0, 0, 0}},
    {"x / x, not taken", taken(true, 0, [](Value x) { return x / x; }), 0, {0, 0, 0}},
    {"x^0.5, not taken", taken(true, 0, [](Value x) { return pow(x, .5); }), 0, {0, 0, 0}},
    {"x^-1, not taken", taken(true, 0, [](Value x) { return pow(x, -1); }), 0, {0, 0, 0}},
    {"x^x, not taken", taken(true, 0, [](Value x) { return pow(x, x); }), 0, {0, 0, 0}},
    {"e^x, not taken", taken(false, 10, [](Value x) { return exp(x); }), 1000, {0, 0, 0}},
    {"sqrt, taken", taken(true, -1, [](Value x) { return sqrt(x); }), 0, {0, inf}},
    {"log, taken", taken(true, -1, [](Value x) { return log(x); }), 0, {-inf, inf}},
    {"a slope of 0 on the way", [](Value x) { return square(sqrt(x) - 2); }, 4, {0, 0, 0.125}},

    {"x^3", [](Value x) { return pow(x, 3); }, 0, {0, 0, 0, 6, 0, 0}},
    {"x^0", [](Value x) { return pow(x, 0); }, 0, {1, 0, 0}},
    {"x^1.5", [](Value x) { return pow(x, 1.5); }, 0, {0, 0, inf}},
    {"1 + x + x^2 + x^3",
     [](Value x) { return sum(pow(x, cast(constant(x.graph(), Tensor::of<double>({4}, {0, 1, 2, 3})), x.dtype()))); },
     0,
     {1, 1, 2, 6, 0, 0}},
    {"the same at 2",
     [](Value x) { return sum(pow(x, cast(constant(x.graph(), Tensor::of<double>({4}, {0, 1, 2, 3})), x.dtype()))); },
     2,
     {15, 17, 14, 6, 0}},
    {"0^b, b = -1", [](Value x) { return pow(0, x); }, -1, {inf, -inf}},
    {"0^b, b = 0", [](Value x) { return pow(0, x); }, 0, {1, 0}},
    {"0^b, b = 2", [](Value x) { return pow(0, x); }, 2, {0, 0, 0}},

    {"confident and right, f64", yes_or_no(1), 40, {log_tail(40), -tail(40), tail_slope(40)}, {f64}},
    {"confident and right, f32", yes_or_no(1), 12, {log_tail(12), -tail(12), tail_slope(12)}},
    {"more confident", yes_or_no(1), 16, {log_tail(16), -tail(16), tail_slope(16)}},
    {"confident that not", yes_or_no(0), -40, {log_tail(40), tail(40), tail_slope(40)}},
    {"confident and wrong", yes_or_no(0), 40, {40, 1, tail_slope(40)}},
    {"unsure", yes_or_no(0.25), 0, {std::log(2), 0.25, 0.25, 0}},
    {"sure beyond doubt", yes_or_no(1), inf, {0, 0, 0}},
    {"sure that not beyond doubt", yes_or_no(0), -inf, {0, 0, 0}},
    {"sure and wrong", yes_or_no(1), -inf, {inf, -1, 0}},
    {"sure of what is even", yes_or_no(0.5), inf, {inf, 0.5, 0}},
    // A small slope times one that is infinite by itself.
    {"a small power", [](Value x) { return 1e-25 * pow(x, -1.0); }, 1e-25, {1, -1e25}},
    {"a small power of 2", [](Value x) { return 1e-30 * pow(x, -2.0); }, 1e-15, {1, -2e15, 6e30}},
    {"a root below at -0", [](Value x) { return pow(x, -0.75); }, -0.0, {inf, -inf}},
    {"a softsign far out", [](Value x) { return softsign(x); }, inf, {1, 0, 0}},
    {"NaN is not sure", yes_or_no(0), nan, {nan, nan}},
};

}  // namespace

BOOST_DATA_TEST_CASE(derivatives_of_every_order, boost::unit_test::data::make(points)) {
  for (const DType dtype : sample.dtypes) {
    Graph g;
    const Value x = constant(g, sample.x, dtype);
    Value d = sample.f(x);
    for (std::size_t order = 0; order < sample.derivatives.size(); ++order) {
      check(d, {sample.derivatives[order]}, sample.what + ", derivative " + std::to_string(order));
      d = gradients(d, {x})[0];
    }
  }
}

namespace {

// A loss of a row of logits, for class numbers and for the same as probabilities.
struct Row {
  std::string what;
  std::vector<double> logits;
  std::int64_t label;
  double loss;
  std::vector<double> slopes;
  std::vector<DType> dtypes = {f32, f64};
};
std::ostream& operator<<(std::ostream& s, const Row& r) { return s << r.what; }

const std::vector<Row> rows = {
    {"confident and right", {40, 0}, 0, log_tail(40), {-tail(40), tail(40)}},
    {"the others' share",
     {20, 0, 1},
     0,
     std::log1p(std::exp(-20) + std::exp(-19)),
     {-(std::exp(-20) + std::exp(-19)), std::exp(-20), std::exp(-19)},
     {f32}},
    {"confident and wrong", {40, 0}, 1, 40, {1, -1}},
    {"a class ruled out", {-inf, 0, 0}, 1, std::log(2), {0, -.5, .5}},
    {"all but one ruled out", {-inf, 3, -inf}, 1, 0, {0, 0, 0}},
    {"ruled out and right", {-inf, 0}, 0, inf, {-1, 1}},
    {"NaN", {nan, 0}, 1, nan, {nan, nan}},
};

}  // namespace

BOOST_DATA_TEST_CASE(cross_entropies, boost::unit_test::data::make(rows)) {
  for (const DType dtype : sample.dtypes) {
    Graph g;
    const Value x = constant(g, rounded(sample.logits, dtype));
    std::vector<double> dense(sample.logits.size());
    dense[static_cast<std::size_t>(sample.label)] = 1;
    for (const bool numbers : {true, false}) {
      const Value label =
          numbers ? constant(g, static_cast<double>(sample.label), i64) : constant(g, rounded(dense, dtype));
      const Value loss = cross_entropy(x, label);
      const std::string kind = sample.what + (numbers ? ", class numbers" : ", probabilities");
      check(loss, {sample.loss}, kind);
      check(gradients(loss, {x})[0], sample.slopes, kind + ", slope");
    }
  }
}

BOOST_AUTO_TEST_CASE(log_softmax_keeps_what_is_near_certain) {
  for (const DType dtype : {f32, f64}) {
    Graph g;
    check(log_softmax(constant(g, rounded({40, 0}, dtype))), {-log_tail(40), -40}, "log_softmax");
    check(log_softmax(constant(g, rounded({0, 0, -inf}, dtype))), {-std::log(2), -std::log(2), -inf}, "ruled out");
  }
}

BOOST_AUTO_TEST_CASE(the_slope_of_a_largest_NaN_is_NaN) {
  for (const DType dtype : {f32, f64}) {
    Graph g;
    const Value x = constant(g, Tensor::of<double>({2, 3}, {3, nan, 1, 4, 4, 1}));
    const Value v = cast(x, dtype);
    check(gradients(sum(max(v, {1})), {v})[0], {nan, nan, nan, .5, .5, 0}, "largest");
    check(gradients(sum(min(v, {1})), {v})[0], {nan, nan, nan, 0, 0, 1}, "smallest");
    check(cast(argmax(v, 1), f64), {1, 0}, "its place");
    const Value image = reshape(v, {1, 2, 3, 1});
    check(gradients(sum(max_pool(image, {.size = 2, .stride = 1})), {image})[0], {0, 2, 0, 0, 0, 0}, "pooled");
  }
}

BOOST_AUTO_TEST_CASE(lengths_neither_overflow_nor_vanish) {
  struct Case {
    std::vector<double> x;
    double length;
    std::vector<double> slopes;
    std::vector<DType> dtypes = {f32, f64};
  };
  const double r = std::sqrt(.5);
  const std::vector<Case> cases = {
      {{3, -4}, 5, {.6, -.8}},
      {{0, 0}, 0, {0, 0}},
      {{-0.0}, 0, {0}},
      {{1e20, 1e20}, 1e20 / r, {r, r}},
      {{1e-25, -1e-25}, 1e-25 / r, {r, -r}},
      {{1e200, 1e200}, 1e200 / r, {r, r}, {f64}},
      {{1e-200, 0, 1e-200}, 1e-200 / r, {r, 0, r}, {f64}},
      {{1e300, 1e-300}, 1e300, {1, 0}, {f64}},
      {{1e-139, 1e-139}, 1e-139 / r, {r, r}, {f64}},
      {{1, inf}, inf, {0, nan}},
      {{1, nan}, nan, {nan, nan}},
  };
  for (const Case& c : cases)
    for (const DType dtype : c.dtypes) {
      Graph g;
      const Value x = constant(g, rounded(c.x, dtype)), y = norm(x);
      check(y, {c.length}, "length");
      const Value slope = gradients(y, {x})[0];
      check(slope, c.slopes, "slope");
      if (c.length == 0) check(gradients(slope, x, {x})[0], std::vector<double>(c.x.size()), "its slope");
    }
  Graph g;
  check(norm(constant(g, Tensor({f32, {0}}))), {0}, "of nothing");
  BOOST_CHECK_THROW(norm(constant(g, 1, i32)), Error);
}

// A variance that f32 does not hold is its largest number: the running one stays finite.
BOOST_AUTO_TEST_CASE(a_batch_of_huge_numbers_leaves_a_running_variance_finite) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 1});
  static_cast<void>(batch_norm(x));
  for (const double huge : {1e20, 3e38})
    for (const Value& update : g.updates()) {
      const test::Tensors before = {{"batch_norm/running_mean", rounded({0}, f32)},
                                    {"batch_norm/running_variance", rounded({1}, f32)}};
      const auto far = static_cast<float>(huge);
      const test::Tensors feeds = {{"x", Tensor::of<float>({2, 1}, {far, -far})}};
      const Tensor after = test::interpret({update.node().input(1)}, feeds, before)[0];
      BOOST_TEST(std::isfinite(after.item<float>()), update.node().input(0).node().full_name());
    }
}

// In time and memory for no element, however many rows there are, or however long they would be.
BOOST_AUTO_TEST_CASE(a_softmax_of_nothing_is_nothing) {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  for (const Shape& shape : {Shape{many, 0}, Shape{0, many}}) {
    Graph g;
    const Value x = input(g, "x", f32, shape);
    for (const Tensor& y : test::interpret({softmax(x), log_softmax(x)}, {{"x", Tensor({f32, shape})}}))
      BOOST_TEST(y.shape() == shape);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_batch_trains_nothing) {
  for (const DType dtype : {f32, f64}) {
    Graph g;
    const Value x = input(g, "x", dtype, {any(4), 2}), y = input(g, "y", i64, {any(4)});
    const Value h = batch_norm(x), image = reshape(h, {-1, 1, 1, 2});
    const Value out = dense(reshape(max_pool(image, {.size = 1}), {-1, 2}), 2);
    const Value other = input(g, "t", dtype, {any(4), 2});
    const std::vector<Value> losses = {cross_entropy(out, y), cross_entropy(out, softmax(other)),
                                       mean_squared_error(out, other), binary_cross_entropy(out, other)};
    const test::Tensors feeds = {
        {"x", Tensor({dtype, {0, 2}})}, {"y", Tensor({i64, {0}})}, {"t", Tensor({dtype, {0, 2}})}};
    for (const Value& loss : losses)
      for (const Value& slope : gradients(loss, variables(g))) {
        const Tensor t = test::interpret({cast(slope, f64)}, feeds)[0];
        for (const double v : t.span<double>()) BOOST_TEST(v == 0);
      }
    const test::Tensors before = {{"batch_norm/running_mean", rounded({.3, .1}, dtype)},
                                  {"batch_norm/running_variance", rounded({.7, .9}, dtype)}};
    for (const Value& update : g.updates()) {
      const std::string name = update.node().input(0).node().full_name();
      BOOST_TEST(same_bits(test::interpret({update.node().input(1)}, feeds, before)[0], before.at(name)), name);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
