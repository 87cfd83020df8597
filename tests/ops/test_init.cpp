// First values of variables: the recipes' distributions, their limits, and the same bits everywhere.
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/normal_quantile.h>
#include <oxbow/graph/support/random.h>
#include <oxbow/ops/initializers.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>

BOOST_AUTO_TEST_SUITE(test_init)

using namespace oxbow;
using namespace oxbow::internal;

namespace {

Tensor draw_variable(const Type& type, Init init) { return initial_value({.name = "v", .type = type, .init = init}); }

struct Spread {
  double mean = 0, deviation = 0, low = 0, high = 0;
};

Spread spread(const Tensor& t) {
  Spread s{.low = t.data<double>()[0], .high = t.data<double>()[0]};
  const auto n = static_cast<double>(t.count());
  for (double x : t.span<double>()) {
    s.mean += x / n;
    s.low = std::min(s.low, x);
    s.high = std::max(s.high, x);
  }
  for (double x : t.span<double>()) s.deviation += (x - s.mean) * (x - s.mean) / n;
  s.deviation = std::sqrt(s.deviation);
  return s;
}

// FNV-1a over the bytes.
std::uint64_t checksum(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (std::int64_t i = 0; i < t.type().bytes(); ++i)
    h = (h ^ std::to_integer<std::uint64_t>(t.bytes()[i])) * 0x100000001b3u;
  return h;
}

auto says(std::string text) {
  return [text](const Error& e) {
    BOOST_TEST_INFO(e.what());
    return std::string(e.what()).find(text) != std::string::npos;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(uniform_values_fill_their_interval) {
  const Spread s =
      spread(draw_variable({f64, {400, 250}}, {.kind = Init::Kind::uniform, .a = -2, .b = 4, .seed = 1, .stream = 2}));
  BOOST_TEST(s.mean == 1, boost::test_tools::tolerance(0.03));
  BOOST_TEST(s.deviation == 6 / std::sqrt(12), boost::test_tools::tolerance(0.01));
  BOOST_TEST((s.low >= -2 && s.low < -1.999 && s.high <= 4 && s.high > 3.999));
}

BOOST_AUTO_TEST_CASE(normal_values_have_their_moments_and_tails) {
  const Tensor t = draw_variable({f64, {100000}}, {.kind = Init::Kind::normal, .a = 3, .b = 2, .seed = 5, .stream = 1});
  const Spread s = spread(t);
  BOOST_TEST(s.mean == 3, boost::test_tools::tolerance(0.01));
  BOOST_TEST(s.deviation == 2, boost::test_tools::tolerance(0.01));
  std::int64_t beyond = 0;  // three deviations: 0.27 %
  for (double x : t.span<double>()) beyond += std::abs(x - 3) > 6;
  BOOST_TEST((beyond > 200 && beyond < 340));
}

BOOST_AUTO_TEST_CASE(truncated_normal_values_end_at_two_deviations) {
  const Init recipe{.kind = Init::Kind::truncated_normal, .a = 3, .b = 2, .seed = 5, .stream = 1};
  const Spread s = spread(draw_variable({f64, {100000}}, recipe));
  BOOST_TEST(s.mean == 3, boost::test_tools::tolerance(0.01));
  BOOST_TEST(s.deviation == 2 * 0.87962566, boost::test_tools::tolerance(0.01));  // sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))
  BOOST_TEST((s.low >= -1 && s.low < -0.99 && s.high <= 7 && s.high > 6.99));
}

BOOST_AUTO_TEST_CASE(orthogonal_matrices_have_orthonormal_sides) {
  for (const Shape& shape : {Shape{40, 7}, Shape{7, 40}, Shape{9, 9}, Shape{3, 3, 4, 16}, Shape{1, 5}}) {
    const Init recipe{.kind = Init::Kind::orthogonal, .a = 2, .seed = 1, .stream = 4};
    const Tensor t = draw_variable({f64, shape}, recipe);
    const std::int64_t columns = shape[-1], rows = t.count() / columns, shorter = std::min(rows, columns);
    const bool by_rows = rows <= columns;
    const auto at = [&](std::int64_t vector, std::int64_t i) {
      return t.data<double>()[by_rows ? vector * columns + i : i * columns + vector];
    };
    for (std::int64_t a = 0; a < shorter; ++a)
      for (std::int64_t b = 0; b < shorter; ++b) {
        double product = 0;
        for (std::int64_t i = 0; i < std::max(rows, columns); ++i) product += at(a, i) * at(b, i);
        BOOST_TEST(std::abs(product - (a == b ? 4 : 0)) < 1e-14);
      }
  }
  BOOST_TEST(draw_variable({f32, {0, 3}}, {.kind = Init::Kind::orthogonal, .a = 1}).count() == 0);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_variable_may_start_at_another_value) {
  const Init::Part part{.which = 1, .of = 4, .value = 3};
  const Tensor zeros = draw_variable({f32, {8}}, {.part = part});
  const Init whole{.kind = Init::Kind::normal, .b = 1, .seed = 5, .stream = 2};
  Init other = whole;
  other.part = part;
  const Tensor drawn = draw_variable({f32, {8}}, other), plain = draw_variable({f32, {8}}, whole);
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(zeros.data<float>()[i] == (i / 2 == 1 ? 3.0f : 0.0f));
    BOOST_TEST(drawn.data<float>()[i] == (i / 2 == 1 ? 3.0f : plain.data<float>()[i]));
  }
  for (const Init& init : {whole, other}) {
    Init read;
    from_attr(to_attr(init), read);
    BOOST_TEST((read == init));
  }
}

BOOST_AUTO_TEST_CASE(normal_quantiles_are_those_of_the_normal_distribution) {
  for (double x : {0.0, 0.1, 0.5, 1.0, 1.2, 2.0, 3.5, 5.0, 7.0}) {
    const double below = 0.5 * std::erfc(x / std::sqrt(2.0));  // P(X < -x)
    BOOST_TEST(normal_quantile(below) == -x, boost::test_tools::tolerance(1e-13));
  }
  BOOST_TEST(normal_quantile(0.5) == 0);
  BOOST_TEST(normal_quantile(1e-8) == -5.612001244174789, boost::test_tools::tolerance(1e-13));
}

// Drawn in batches, or one by one: whatever the number, an element has its own bits.
BOOST_AUTO_TEST_CASE(an_element_does_not_depend_on_how_many_are_drawn) {
  const std::uint64_t seed = 0x123456789abcdefu;
  const auto one = [&](std::int64_t i) {
    const RandomBlock block = random_block(seed, 0, 9, static_cast<std::uint64_t>(i / 2));
    const auto k = static_cast<std::size_t>(2 * (i % 2));
    const double bits = block[k] * 0x1p20 + (block[k + 1] >> 12);
    return normal_quantile((bits + 0.5) * 0x1p-52);
  };
  for (const std::int64_t n : {1, 2, 255, 256, 257, 1000}) {
    const Tensor all = draw_variable({f64, {n}}, {.kind = Init::Kind::normal, .b = 1, .seed = seed, .stream = 9});
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < n; ++i)
      wrong += std::bit_cast<std::uint64_t>(all.data<double>()[i]) != std::bit_cast<std::uint64_t>(one(i));
    BOOST_TEST(wrong == 0);
  }
}

BOOST_AUTO_TEST_CASE(draws_have_the_same_bits_on_every_machine) {
  BOOST_TEST(
      checksum(draw_variable({f32, {257}}, {.kind = Init::Kind::uniform, .a = -1, .b = 1, .seed = 7, .stream = 3})) ==
      14791143437714903327u);
  BOOST_TEST(
      checksum(draw_variable({f32, {4001}}, {.kind = Init::Kind::normal, .a = 0, .b = 1, .seed = 7, .stream = 3})) ==
      9216592921743613446u);
  BOOST_TEST(
      checksum(draw_variable({f64, {4001}}, {.kind = Init::Kind::normal, .a = 0, .b = 1, .seed = 7, .stream = 3})) ==
      16455946274684232982u);
  BOOST_TEST(
      checksum(draw_variable({f64, {4001}}, {.kind = Init::Kind::truncated_normal, .b = 1, .seed = 7, .stream = 3})) ==
      2187915302634336497u);
  BOOST_TEST(
      checksum(draw_variable({f64, {33, 65}}, {.kind = Init::Kind::orthogonal, .a = 1, .seed = 7, .stream = 3})) ==
      10090759784788654139u);
}

BOOST_AUTO_TEST_CASE(seeds_and_streams_tell_draws_apart) {
  const Init one{.kind = Init::Kind::uniform, .a = 0, .b = 1, .seed = 1, .stream = 1};
  Init other_seed = one, other_stream = one;
  other_seed.seed = 2;
  other_stream.stream = 2;
  const Type type{f64, {8}};
  BOOST_TEST(same_bits(draw_variable(type, one), draw_variable(type, one)));
  BOOST_TEST(!same_bits(draw_variable(type, one), draw_variable(type, other_seed)));
  BOOST_TEST(!same_bits(draw_variable(type, one), draw_variable(type, other_stream)));
}

BOOST_AUTO_TEST_CASE(plain_recipes_and_empty_variables) {
  BOOST_TEST(draw_variable({f32, {2}}, {.kind = Init::Kind::constant, .a = 0.5}).data<float>()[1] == 0.5f);
  BOOST_TEST(draw_variable({i64, {}}, {.kind = Init::Kind::constant, .a = 3}).item<std::int64_t>() == 3);
  BOOST_TEST(draw_variable({f32, {2}}, {}).data<float>()[1] == 0.0f);
  BOOST_TEST(draw_variable({f32, {0, 3}}, {.kind = Init::Kind::normal, .b = 1}).count() == 0);
  const Tensor state = draw_variable({i64, {2}}, {.kind = Init::Kind::seed, .seed = 99});
  BOOST_TEST(state.data<std::int64_t>()[0] == 99);
  BOOST_TEST(state.data<std::int64_t>()[1] == 0);
}

BOOST_AUTO_TEST_CASE(impossible_recipes_are_errors) {
  BOOST_CHECK_EXCEPTION(draw_variable({i32, {2}}, {.kind = Init::Kind::uniform, .b = 9}), Error,
                        says("only floating-point values are drawn at random"));
  for (const auto& [dtype, value] :
       {std::pair{i32, 0.5}, {u8, -1.0}, {u8, 256.0}, {i32, -0x1p40}, {i32, 0x1p31}, {i64, 0x1p60}, {boolean, 2.0}})
    BOOST_CHECK_EXCEPTION(draw_variable({dtype, {2}}, {.kind = Init::Kind::constant, .a = value}), Error,
                          says("does not fit"));
  BOOST_CHECK_EXCEPTION(draw_variable({i32, {2, 2}}, {.kind = Init::Kind::orthogonal, .a = 1}), Error,
                        says("only floating-point values are drawn at random"));
  BOOST_CHECK_EXCEPTION(draw_variable({f32, {4}}, {.kind = Init::Kind::orthogonal, .a = 1}), Error,
                        says("only matrices are orthogonal"));
  for (const auto& [parts, which] : {std::pair{3, 0}, {0, 0}, {-1, 0}, {4, 4}, {4, -1}})
    BOOST_CHECK_EXCEPTION(draw_variable({f32, {8}}, {.part = {.which = which, .of = parts, .value = 1}}), Error,
                          says("its elements have no part "));
  BOOST_CHECK_EXCEPTION(draw_variable({i32, {8}}, {.part = {.which = 0, .of = 2, .value = 0.5}}), Error,
                        says("its first value 0.5 does not fit"));
  BOOST_CHECK_EXCEPTION(init::truncated_normal(0, -1), Error, says("truncated_normal: the deviation -1 is negative"));
  BOOST_CHECK_EXCEPTION(init::uniform(1, 0), Error, says("uniform: 1 is above 0. Give (low, high)"));
  BOOST_CHECK_EXCEPTION(init::normal(0, -1), Error, says("the deviation -1 is negative"));
}

BOOST_AUTO_TEST_CASE(limits_follow_from_the_fans) {
  const double limit = std::sqrt(6.0 / (784 + 256));
  BOOST_TEST(init::glorot_uniform()({784, 256}).a == -limit);
  BOOST_TEST(init::glorot_uniform()({784, 256}).b == limit);
  BOOST_TEST(init::glorot_normal()({3, 3, 16, 32}).b == std::sqrt(2.0 / (9 * 16 + 9 * 32)));
  BOOST_TEST(init::he_normal()({3, 3, 16, 32}).b == std::sqrt(2.0 / (9 * 16)));
  BOOST_TEST(init::lecun_normal()({3, 3, 16, 32}).b == std::sqrt(1.0 / (9 * 16)));
  BOOST_TEST(init::lecun_uniform()({784, 256}).b == std::sqrt(3.0 / 784));
  BOOST_TEST(init::he_uniform()({100}).b == std::sqrt(6.0 / 100));
  BOOST_TEST(init::he_normal()({0, 4}).b == 0);
}

BOOST_AUTO_TEST_CASE(parameters_draw_from_the_seed_of_their_graph) {
  const auto first = [](std::uint64_t seed, int skip) {
    Graph g;
    g.set_seed(seed);
    for (int i = 0; i < skip; ++i) parameter(g, "p" + std::to_string(i), {f32, {4}});
    return initial_value(*parameter(g, "w", {f32, {4}}).node().op().as<ops::Variable>());
  };
  BOOST_TEST(same_bits(first(1, 0), first(1, 0)));
  BOOST_TEST(!same_bits(first(1, 0), first(2, 0)));
  BOOST_TEST(!same_bits(first(1, 0), first(1, 1)));
}

BOOST_AUTO_TEST_SUITE_END()
