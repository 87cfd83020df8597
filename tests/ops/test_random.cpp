// Random numbers in a graph: their shapes and ranges, their gradients, what stands for them in inference, and what they
// refuse. Labels: levels.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/drawn.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_random)

using namespace oxbow;
using namespace oxbow::test;

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

BOOST_AUTO_TEST_CASE(samples_of_a_row_are_drawn_apart) {
  Graph g;
  const Value logits =
      constant(g, Tensor::of<double>({2, 3}, {-std::numeric_limits<double>::infinity(), 1, 1, 0, -1e9, -1e9}));
  const Value drawn = random_multinomial(logits, 4000, {.in_inference = true});
  BOOST_TEST((drawn.type() == (Type{i64, {2, 4000}})));
  Store store(g);
  const Tensor t = compile({drawn}).run(store, {})[0];
  std::int64_t ones = 0;
  for (std::int64_t i = 0; i < 4000; ++i) {
    const std::int64_t first = t.data<std::int64_t>()[i];
    BOOST_TEST((first == 1 || first == 2));
    ones += first == 1;
    BOOST_TEST(t.data<std::int64_t>()[4000 + i] == 0);
  }
  BOOST_TEST(std::abs(ones - 2000) < 150);  // 4.7 deviations
  BOOST_TEST(has(message([&] { random_multinomial(constant(g, 1), 2); }), "random_multinomial: "));
}

BOOST_AUTO_TEST_SUITE_END()
