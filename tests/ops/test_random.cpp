// Random numbers: their distributions, by moments, Kolmogorov and Smirnov's test and chi-square; that they follow the
// seed, the step, the stream and the place alone; their shapes, their gradients, and what stands for them in inference.
// Seeds are fixed: what passes once passes always. Labels: levels, long.
#include <oxbow/graph/text.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numbers>
#include <numeric>

#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_random)

using namespace oxbow;
using namespace oxbow::test;

namespace {

using Build = std::function<Value(Graph&)>;

struct How {
  int threads = 2;
  Mode mode = Mode::training;
  std::uint64_t seed = 42;
  std::int64_t step = 0;
};

Tensor drawn(const Build& build, const How& how = {}) {
  Graph g;
  g.set_seed(how.seed);
  const Value y = build(g);
  Store store(g);
  if (store.contains("random/state"))
    store.set("random/state", Tensor::of<std::int64_t>({2}, {static_cast<std::int64_t>(how.seed), how.step}));
  return compile({y}, {.mode = how.mode, .pool = Pool(how.threads)}).run(store, {})[0];
}

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

// FNV-1a over the bytes.
std::uint64_t checksum(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (std::int64_t i = 0; i < t.type().bytes(); ++i)
    h = (h ^ std::to_integer<std::uint64_t>(t.bytes()[i])) * 0x100000001b3u;
  return h;
}

const Build all_kinds[] = {
    [](Graph& g) { return random_uniform(g, {70000}, {.low = -1, .high = 2}); },
    [](Graph& g) { return random_normal(g, {70000}, {.mean = 3, .deviation = 2}); },
    [](Graph& g) { return random_normal(g, {70000}, {.dtype = f64}); },
    [](Graph& g) { return random_truncated_normal(g, {70000}); },
    [](Graph& g) { return random_normal(g, {70000}, {.dtype = bf16}); },
    [](Graph& g) { return random_bernoulli(g, {70000}, {.p = 0.3, .dtype = boolean}); },
    [](Graph& g) {
      return random_categorical(constant(g, draw({7000, 10}, -3, 3, 1, f32)));
    },
    [](Graph& g) {
      return random_categorical(constant(g, draw({7000, 10}, 0, 3, 1)), {.probabilities = true});
    },
};

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

BOOST_AUTO_TEST_CASE(draws_are_the_same_bits_for_any_number_of_threads) {
  for (const Build& build : all_kinds) {
    const Tensor one = drawn(build, {.threads = 1});
    for (const int threads : {2, 8}) BOOST_TEST(same_bits(one, drawn(build, {.threads = threads})));
  }
}

BOOST_AUTO_TEST_CASE(draws_are_the_same_bits_on_every_machine) {
  const std::uint64_t wanted[] = {9759387253601020917u,  14316099792840994000u, 17922367114752381272u,
                                  16752543530506494586u, 3226197965805109421u,  17531774344995569831u,
                                  18069178185136644143u, 7456332674486134315u};
  int i = 0;
  for (const Build& build : all_kinds) {
    const std::uint64_t got = checksum(drawn(build));
    BOOST_TEST(got == wanted[i], "kind " << i << ": " << got);
    ++i;
  }
}

BOOST_AUTO_TEST_CASE(a_number_follows_from_seed_step_stream_and_place) {
  const auto numbers = [](const Shape& shape, DType dtype, const How& how) {
    return drawn([&](Graph& g) { return random_normal(g, shape, {.dtype = dtype}); }, how);
  };
  const Tensor t = numbers({1000}, f64, {.seed = 3, .step = 4});
  BOOST_TEST(same_bits(t, numbers({1000}, f64, {.seed = 3, .step = 4})));
  BOOST_TEST(!same_bits(t, numbers({1000}, f64, {.seed = 4, .step = 4})));
  BOOST_TEST(!same_bits(t, numbers({1000}, f64, {.seed = 3, .step = 5})));
  const Tensor more = numbers({40, 1000}, f64, {.seed = 3, .step = 4});
  BOOST_TEST(std::equal(t.data<double>(), t.data<double>() + 1000, more.data<double>()));
  const Tensor narrow = numbers({1000}, f32, {.seed = 3, .step = 4}),
               half = numbers({1000}, f16, {.seed = 3, .step = 4});
  for (std::int64_t i = 0; i < 1000; ++i) {
    BOOST_TEST(narrow.data<float>()[i] == static_cast<float>(t.data<double>()[i]));
    BOOST_TEST(half.data<float16>()[i].bits() == float16(t.data<double>()[i]).bits());
  }
}

BOOST_AUTO_TEST_CASE(each_call_has_a_stream_of_its_own_and_a_graph_the_same_ones_again) {
  const auto two = [](Graph& g) { return concat({random_normal(g, {50}), random_normal(g, {50})}); };
  const Tensor t = drawn(two);
  BOOST_TEST(!std::equal(t.data<float>(), t.data<float>() + 50, t.data<float>() + 50));
  BOOST_TEST(same_bits(t, drawn(two)));
  Graph a, b;
  two(a), two(b);
  BOOST_TEST(print(a, {.locations = false}) == print(b, {.locations = false}));
}

BOOST_AUTO_TEST_CASE(uniform_numbers_stay_below_their_end) {
  for (const DType dtype : {f32, f64, f16, bf16})
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 0.0}, {-3.0, 0.1}, {1.0, 1.01}, {1e-3, 2e3}}) {
      const Tensor t = drawn(
          [&](Graph& g) { return cast(random_uniform(g, {20000}, {.low = low, .high = high, .dtype = dtype}), f64); });
      const auto [least, most] = std::minmax_element(t.span<double>().begin(), t.span<double>().end());
      const double ulp = dtype == bf16 ? 0x1p-8 : dtype == f16 ? 0x1p-10 : 0x1p-23;
      BOOST_TEST((*most<high&& * most> high - (high - low) / 100 - ulp), name(dtype) << " " << low << " " << high);
      BOOST_TEST((*least >= low - std::abs(low) * ulp && *least < low + (high - low) / 100 + ulp),
                 name(dtype) << " " << low << " " << high);
    }
}

BOOST_AUTO_TEST_CASE(shapes_are_numbers_known_values_or_those_of_others) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 3}), k = input(g, "k", i64, {any(4)});
  const std::vector<Value> values = {random_normal_like(x),
                                     random_uniform_like(k),
                                     random_bernoulli_like(x, {.dtype = boolean}),
                                     random_truncated_normal(g, concat({shape_of(x), shape_of(k)})),
                                     random_normal(g, shape_of(x)[range(0, 1)]),
                                     random_uniform(g, {}),
                                     random_bernoulli(g, {2, 0}),
                                     random_categorical(x),
                                     random_bernoulli(x, {.dtype = i8}),
                                     random_bernoulli(sigmoid(x))};
  const char* types[] = {"f64[7, 3]", "f32[7]",    "bool[7, 3]", "f32[7, 3, 7]", "f32[7]",
                         "f32[]",     "f32[2, 0]", "i64[7]",     "i8[7, 3]",     "f64[7, 3]"};
  Store store(g);
  const auto out = compile(values).run(store, {{"x", draw({7, 3}, 0, 1, 1)}, {"k", Tensor({i64, {7}})}});
  for (std::size_t i = 0; i < out.size(); ++i) BOOST_TEST(to_string(out[i].type()) == types[i]);
}

BOOST_AUTO_TEST_CASE(each_training_step_draws_anew_and_a_state_brings_it_back) {
  Graph g;
  const Value y = random_normal(g, {20});
  Store store(g);
  const Program step = compile({y, random_update(g)}), look = compile({y});
  const Tensor first = step.run(store, {})[0], state = store.get("random/state"), second = step.run(store, {})[0];
  BOOST_TEST(!same_bits(first, second));
  BOOST_TEST(!same_bits(second, look.run(store, {})[0]));
  BOOST_TEST(same_bits(look.run(store, {})[0], look.run(store, {})[0]));  // no step was counted
  store.set("random/state", state);
  BOOST_TEST(same_bits(step.run(store, {})[0], second));
}

BOOST_AUTO_TEST_CASE(outside_training_the_mean_or_the_likelier_one_stands_for_a_number) {
  const auto first = [](const Build& build, Mode mode) {
    return drawn([&](Graph& g) { return reshape(cast(build(g), f64), {-1})[0]; }, {.mode = mode}).item<double>();
  };
  const auto row = [](Graph& g) { return constant(g, Tensor::of<double>({1, 3}, {0.3, 0.5, 0.2})); };
  const std::tuple<double, bool, Build> cases[] = {
      {2, false, [](Graph& g) { return random_uniform(g, {3}, {.low = 1, .high = 3}); }},
      {1.5, false, [](Graph& g) { return random_normal(g, {3}, {.mean = 1.5}); }},
      {-1, false, [](Graph& g) { return random_truncated_normal(g, {3}, {.mean = -1}); }},
      {0.25, false, [](Graph& g) { return random_bernoulli(g, {3}, {.p = 0.25}); }},
      {0.75, false,
       [](Graph& g) {
         return random_bernoulli(constant(g, Tensor::of<double>({3}, {.75, 0, 1})));
       }},
      {1, false, [](Graph& g) { return random_bernoulli(g, {3}, {.p = 0.75, .dtype = boolean}); }},
      {0, false, [](Graph& g) { return random_bernoulli(g, {3}, {.p = 0.25, .dtype = i32}); }},
      {1, false, [&](Graph& g) { return random_categorical(row(g)); }},
      {0, true, [](Graph& g) { return random_uniform(g, {3}, {.low = 1, .high = 3, .in_inference = true}); }},
      {0, true, [](Graph& g) { return random_normal(g, {3}, {.in_inference = true}); }},
      {0, true, [](Graph& g) { return random_truncated_normal(g, {3}, {.in_inference = true}); }},
      {0, true, [](Graph& g) { return random_bernoulli(g, {3}, {.in_inference = true}); }},
      {0, true, [&](Graph& g) { return random_categorical(row(g), {.in_inference = true}); }},
  };
  int i = 0;
  for (const auto& [wanted, drawn_too, build] : cases) {
    const double inferred = first(build, Mode::inference);
    BOOST_TEST(inferred == (drawn_too ? first(build, Mode::training) : wanted), "case " << i);
    ++i;
  }
}

BOOST_AUTO_TEST_CASE(gradients_flow_past_the_noise_to_mean_and_deviation) {
  Graph g;
  const Value mean = input(g, "mean", f64, {any(4), 3}), deviation = input(g, "deviation", f64, {any(4), 3});
  const Value noise = random_normal_like(mean), z = mean + deviation * noise;
  const std::vector<Value> slopes = gradients(sum(z), {mean, deviation});
  Store store(g);
  const Tensor some = draw({5, 3}, 1, 2, 1);
  const auto out = compile({noise, slopes[0], slopes[1]}).run(store, {{"mean", some}, {"deviation", some}});
  BOOST_TEST(same_bits(out[2], out[0]));
  for (const double x : out[1].span<double>()) BOOST_TEST(x == 1);

  const Value p = sigmoid(mean);
  BOOST_TEST(has(message([&] { gradients(sum(random_bernoulli(p)), {mean}); }),
                 "random_bernoulli has no gradient: what is drawn is 0 or 1, which has no slope in p"));
  gradients(sum(random_bernoulli(stop_gradient(p)) * p), {mean});
}

BOOST_AUTO_TEST_CASE(gaussian_noise_is_added_in_training_and_nothing_outside_of_it) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 5}), y = GaussianNoise(0.5)(x);
  BOOST_TEST(has(message([&] { GaussianNoise(-1)(x); }), "gaussian_noise: "));
  Store store(g);
  Tensor fed({f32, {1000, 5}});
  fed.data<float>()[3] = -0.0f;
  BOOST_TEST(same_bits(compile({y}, {.mode = Mode::inference}).run(store, {{"x", fed}})[0], fed));
  const Tensor noisy = compile({y}).run(store, {{"x", fed}})[0];
  double squares = 0;
  for (const float v : noisy.span<float>()) squares += v * v / 5000;
  BOOST_TEST(squares == 0.25, boost::test_tools::tolerance(0.1));
}

// A loop's steps have the state of the whole run: noise of their own is drawn before it.
BOOST_AUTO_TEST_CASE(a_loop_takes_slices_of_what_is_drawn_before_it) {
  Graph g;
  const Value noise = random_normal(g, {4, 3}), zero = constant(g, Tensor({f32, {3}}));
  const RepeatResult r =
      repeat(4, {zero}, [](const RepeatStep& s) { return RepeatNext{.carried = {s.carried[0] + s.slices[0]}}; },
             {.slices = {noise}});
  const Value within = repeat(2, zero, [](Value v) { return v + random_normal_like(v); });
  Store store(g);
  const auto out = compile({noise, r.carried[0], within}).run(store, {});
  for (int i = 0; i < 3; ++i) {
    float sum = 0;
    for (int k = 0; k < 4; ++k) sum += out[0].data<float>()[3 * k + i];
    BOOST_TEST(out[1].data<float>()[i] == sum);
  }
  BOOST_TEST(out[2].data<float>()[0] != 0);
}

BOOST_AUTO_TEST_CASE(what_makes_no_distribution_is_an_error) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), k = input(g, "k", i64, {any(4)}), scalar = sum(x);
  const auto refused = [](const char* words, auto&& build) {
    const std::string said = message(build);
    BOOST_TEST(has(said, words), said);
    BOOST_TEST(has(said, "\n  at tests/ops/test_random.cpp:"), said);
  };
  refused("random_uniform: there is nothing from low 1 up to but without high 1",
          [&] { random_uniform(g, {3}, {.low = 1}); });
  refused("random_normal: there is no normal distribution of mean 0 and deviation -1",
          [&] { random_normal(g, {3}, {.deviation = -1}); });
  refused("random_truncated_normal: it draws floating-point numbers, not i32",
          [&] { random_truncated_normal(g, {3}, {.dtype = i32}); });
  refused("random_bernoulli: the probability 1.5 is not in [0, 1]", [&] { random_bernoulli(g, {3}, {.p = 1.5}); });
  refused("random_bernoulli: p is i64[4]", [&] { random_bernoulli(k); });
  refused("random_normal: the value of shape must be known before the graph runs", [&] { random_normal(g, k); });
  refused("random_normal_like: x is an empty Value", [&] { random_normal_like({}); });
  refused("random_categorical: x is f32[], which has no classes", [&] { random_categorical(scalar); });

  const double infinity = std::numeric_limits<double>::infinity(), none = std::nan("");
  const Value rows = input(g, "rows", f64, {any(4), 2});
  Store store(g);
  for (const bool probabilities : {false, true}) {
    const Program program = compile({random_categorical(rows, {.probabilities = probabilities})});
    store.add(g);
    const std::vector<std::vector<double>> wrong =
        probabilities ? std::vector<std::vector<double>>{{0, 0}, {-1, 2}, {none, 1}, {infinity, 1}}
                      : std::vector<std::vector<double>>{{-infinity, -infinity}, {none, 0}, {0, none}, {infinity, 0}};
    for (const std::vector<double>& row : wrong) {
      const Tensor fed = Tensor::of<double>({2, 2}, {1, 1, row[0], row[1]});
      BOOST_TEST(has(message([&] { program.run(store, {{"rows", fed}}); }), "row [1] of x is no distribution"));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
