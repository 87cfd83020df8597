// Random numbers have their distributions: by moments, Kolmogorov and Smirnov's test and chi-square. Seeds are fixed:
// what passes once passes always. Labels: levels, long.
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>

#include "support/drawn.h"

BOOST_AUTO_TEST_SUITE(test_random_laws)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// So many draws a test of a distribution takes.
std::int64_t many() { return std::getenv("OXBOW_LONG") ? 10'000'000 : 100'000; }

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double truncated_cdf(double x) { return (normal_cdf(x) - normal_cdf(-2)) / (1 - 2 * normal_cdf(-2)); }

struct Law {
  const char* name;
  Build draw;
  double (*cdf)(double);
  double moments[4];         // of x, x^2, x^3, x^4 about 0
  double square_moments[4];  // of their squares: what their means vary by
};

std::vector<Law> laws() {
  const Shape shape{many()};
  // Of the normal distribution cut at c = 2, E x^k = (k - 1) E x^(k - 2) - 2 c^(k - 1) phi(c) / (2 Phi(c) - 1), k even.
  const double c = 2, tail = 2 * std::exp(-2.0) / std::sqrt(2 * std::numbers::pi) / (1 - 2 * normal_cdf(-2));
  double even[5] = {1};
  for (int k = 1; k < 5; ++k) even[k] = (2 * k - 1) * even[k - 1] - std::pow(c, 2 * k - 1) * tail;
  return {{"random_uniform",
           [=](Graph& g) { return random_uniform(g, shape, {.dtype = f64}); },
           [](double x) { return x; },
           {1. / 2, 1. / 3, 1. / 4, 1. / 5},
           {1. / 3, 1. / 5, 1. / 7, 1. / 9}},
          {"random_normal",
           [=](Graph& g) { return random_normal(g, shape, {.dtype = f64}); },
           normal_cdf,
           {0, 1, 0, 3},
           {1, 3, 15, 105}},
          {"random_truncated_normal",
           [=](Graph& g) { return random_truncated_normal(g, shape, {.dtype = f64}); },
           truncated_cdf,
           {0, even[1], 0, even[2]},
           {even[1], even[2], even[3], even[4]}}};
}

// Pearson's chi-square of counts against what is expected, less its mean, in deviations.
double surprise(const std::vector<std::int64_t>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    sum +=
        (static_cast<double>(counts[i]) - expected[i]) * (static_cast<double>(counts[i]) - expected[i]) / expected[i];
  const auto freedom = static_cast<double>(counts.size() - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}
double surprise(const std::vector<std::int64_t>& counts) {
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  return surprise(counts, std::vector<double>(counts.size(), all / static_cast<double>(counts.size())));
}

}  // namespace

BOOST_AUTO_TEST_CASE(moments_are_those_of_the_distribution) {
  for (const Law& law : laws()) {
    const Tensor t = drawn(law.draw);
    const auto n = static_cast<double>(t.count());
    for (int k = 0; k < 4; ++k) {
      double sum = 0;
      for (const double x : t.span<double>()) sum += std::pow(x, k + 1);
      const double variance = law.square_moments[k] - law.moments[k] * law.moments[k];
      BOOST_TEST(std::abs(sum / n - law.moments[k]) < 4 * std::sqrt(variance / n), law.name << ", x^" << k + 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(distribution_functions_are_those_of_the_distribution) {
  for (const Law& law : laws()) {
    Tensor t = drawn(law.draw);
    const std::span<double> x = t.span<double>();
    const auto n = static_cast<double>(x.size());
    std::sort(x.begin(), x.end());
    double farthest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double p = law.cdf(x[i]), at = static_cast<double>(i) / n;
      farthest = std::max({farthest, p - at, at + 1 / n - p});
    }
    BOOST_TEST(farthest * std::sqrt(n) < 1.95, law.name);  // once in 1000 seeds it is not
    std::vector<std::int64_t> cells(1000);
    for (const double v : x) ++cells[static_cast<std::size_t>(std::min(999.0, law.cdf(v) * 1000))];
    BOOST_TEST(std::abs(surprise(cells)) < 4, law.name);
  }
}

// All 32 bits of a number's upper and lower halves, and pairs of neighbours, of steps, of streams and of seeds.
BOOST_AUTO_TEST_CASE(numbers_do_not_depend_on_each_other) {
  const auto numbers = [](int skip, std::int64_t step, std::uint64_t seed) {
    return drawn(
        [=](Graph& g) {
          for (int i = 0; i < skip; ++i) g.next_stream();
          return random_uniform(g, {many()}, {.dtype = f64});
        },
        {.seed = seed, .step = step});
  };
  const Tensor t = numbers(0, 0, 1);
  const double* x = t.data<double>();
  const auto independent = [&](const double* y, std::int64_t n, const char* what) {
    std::vector<std::int64_t> cells(400);
    for (std::int64_t i = 0; i < n; ++i)
      ++cells[static_cast<std::size_t>(x[i] * 20) * 20 + static_cast<std::size_t>(y[i] * 20)];
    BOOST_TEST(std::abs(surprise(cells)) < 4, what);
  };
  const std::int64_t n = t.count();
  for (const std::int64_t lag : {1, 2, 4, 256, 8192}) independent(x + lag, n - lag, "of one sequence");
  const Tensor step = numbers(0, 1, 1), stream = numbers(1, 0, 1), seed = numbers(0, 0, 2);
  independent(step.data<double>(), n, "of two steps");
  independent(stream.data<double>(), n, "of two streams");
  independent(seed.data<double>(), n, "of two seeds");
  for (const double shift : {0x1p8, 0x1p20, 0x1p32, 0x1p42}) {  // eight bits from there on
    std::vector<std::int64_t> cells(256);
    for (std::int64_t i = 0; i < n; ++i)
      ++cells[static_cast<std::size_t>(std::fmod(std::floor(x[i] * shift * 256), 256))];
    BOOST_TEST(std::abs(surprise(cells)) < 4, "bits below " << 1 / shift);
  }
}

BOOST_AUTO_TEST_CASE(zeros_and_ones_have_their_probabilities) {
  for (const double p : {0.5, 0.1, 0.999}) {
    const Tensor t = drawn([&](Graph& g) { return random_bernoulli(g, {many()}, {.p = p, .dtype = f64}); });
    const double ones = std::accumulate(t.span<double>().begin(), t.span<double>().end(), 0.0);
    const auto n = static_cast<double>(many());
    BOOST_TEST(std::abs(ones - n * p) < 4 * std::sqrt(n * p * (1 - p)), p);
  }
  // Each by its own, the certain ones included.
  const Tensor t = drawn([](Graph& g) {
    const Value p = constant(g, Tensor::of<double>({5}, {0, 0.25, 0.5, 1, 2}));
    return random_bernoulli(broadcast_to(p, {many() / 10, 5}));
  });
  BOOST_TEST(to_string(t.type()) == "f64[" + std::to_string(many() / 10) + ", 5]");
  double ones[5] = {};
  for (std::int64_t i = 0; i < t.count(); ++i) ones[i % 5] += t.data<double>()[i];
  const auto n = static_cast<double>(many() / 10);
  BOOST_TEST(ones[0] == 0);
  BOOST_TEST(std::abs(ones[1] - n / 4) < 4 * std::sqrt(n * 3 / 16));
  BOOST_TEST(std::abs(ones[2] - n / 2) < 4 * std::sqrt(n / 4));
  BOOST_TEST(ones[3] == n);
  BOOST_TEST(ones[4] == n);
}

BOOST_AUTO_TEST_CASE(classes_have_their_probabilities) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double logits[] = {-infinity, 0, 1, -2, 3, -infinity, 0.5, -infinity};
  double whole = 0;
  for (const double l : logits) whole += std::exp(l);
  for (const bool probabilities : {false, true}) {
    const std::int64_t n = many() / 4;
    const Tensor t = drawn([&](Graph& g) {
      Tensor row({f64, {8}});
      for (int k = 0; k < 8; ++k) row.data<double>()[k] = probabilities ? 7 * std::exp(logits[k]) : logits[k] + 700;
      return random_categorical(broadcast_to(constant(g, row), {n, 8}), {.probabilities = probabilities});
    });
    std::vector<std::int64_t> counts(8), possible;
    std::vector<double> expected;
    for (const std::int64_t k : t.span<std::int64_t>()) ++counts[static_cast<std::size_t>(k)];
    for (std::size_t k = 0; k < 8; ++k) {
      if (std::isinf(logits[k])) {
        BOOST_TEST(counts[k] == 0);
      } else {
        possible.push_back(counts[k]);
        expected.push_back(static_cast<double>(n) * std::exp(logits[k]) / whole);
      }
    }
    BOOST_TEST(std::abs(surprise(possible, expected)) < 4);
  }
}

BOOST_AUTO_TEST_SUITE_END()
