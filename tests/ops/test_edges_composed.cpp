// Losses, reductions and scatters that are made of others, at the edges of the number range: values and slopes. And
// what they look up by numbers that name nothing. Right values: exact arithmetic.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/interpreter.h"
#include "support/message.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_edges_composed)

using namespace oxbow;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

struct Edge {
  std::string what;
  std::function<Value(Value)> f;  // of a vector
  std::vector<double> x, y, slopes;
  std::vector<DType> dtypes = {f32, f64};
};

Value numbers(Value like, std::vector<double> v) {
  return cast(constant(like.graph(), Tensor::of<double>({static_cast<std::int64_t>(v.size())}, v)), like.dtype());
}

// Scatters x's last element onto the first of the others.
Value scattered(Value x, ScatterReduction by) {
  const Value into = slice(x, 0, 0, -1), update = slice(x, 0, -1);
  return scatter_elements(into, constant(x.graph(), Tensor::of<std::int64_t>({1}, {0})), update, 0, by);
}

const std::vector<Edge> edges = {
    {"huber_loss",
     [](Value x) {
       return huber_loss(x, numbers(x, {0, 0, 0}), 2, Reduction::none);
     },
     {inf, -1e30, 0.5},
     {inf, 2e30, 0.125},
     {2, -2, 0.5}},
    {"huber_loss far apart",
     [](Value x) { return huber_loss(x, negate(x), 1, Reduction::none); },
     {3e38},
     {inf},
     {2},
     {f32}},
    {"huber_loss near 0",
     [](Value x) {
       return huber_loss(x, numbers(x, {0, 0, 0}), 1, Reduction::none);
     },
     {1e-8, -1e-6, 1e-15},
     {.5e-16, .5e-12, .5e-30},
     {1e-8, -1e-6, 1e-15}},
    {"huber_loss with a large delta",
     [](Value x) {
       return huber_loss(x, numbers(x, {0, 0}), 1e10, Reduction::none);
     },
     {100, -1e-3},
     {5000, .5e-6},
     {100, -1e-3}},
    {"cosine_similarity",
     [](Value x) {
       return cosine_similarity(x, numbers(x, {1e30, 1e30}));
     },
     {1e30, -1e30},
     {0},
     {.5e-30, .5e-30},
     {f32}},
    {"logsumexp", [](Value x) { return logsumexp(x); }, {inf, 0, 1}, {inf}, {1, 0, 0}},
    {"logsumexp of -inf", [](Value x) { return logsumexp(x, {0}, true); }, {-inf, 0, 0}, {std::log(2.0)}, {0, .5, .5}},
    {"logsumexp of many",
     [](Value x) { return reshape(logsumexp(broadcast_to(x, {100000})), {1}); },
     {1},
     {1 + std::log(1e5)},
     {1},
     {f16, f32, f64}},
    {"lp_pool of NaN",
     [](Value x) {
       return reshape(lp_pool(reshape(x, {1, 3, 1}), {.size = 3}), {1});
     },
     {nan, 0, 1},
     {nan},
     {nan, nan, nan}},
    {"linear_scan whose slopes overflow",
     [](Value x) {
       return linear_scan(x, numbers(x, {1, 2, 3}), 0);
     },
     {1e20, 1e20, 1e20},
     {1, 1e20, inf},
     {0, 1e20, 1e20},
     {f32}},
    {"scatter mul of small",
     [](Value x) { return scattered(x, ScatterReduction::mul); },
     {1e-30, 1e-30},
     {0},
     {1e-30, 1e-30},
     {f32}},
    {"scatter mul of large",
     [](Value x) { return scattered(x, ScatterReduction::mul); },
     {1e30, 1e30},
     {inf},
     {1e30, 1e30},
     {f32}},
    {"scatter max", [](Value x) { return scattered(x, ScatterReduction::max); }, {1, 5, nan}, {nan, 5}, {nan, 1, nan}},
    {"scatter min", [](Value x) { return scattered(x, ScatterReduction::min); }, {nan, 5, 1}, {nan, 5}, {nan, 1, nan}},
};

}  // namespace

BOOST_AUTO_TEST_CASE(values_and_slopes) {
  for (const Edge& e : edges)
    for (const DType dtype : e.dtypes) {
      Graph g;
      const Value own = constant(g, Tensor::of<double>({static_cast<std::int64_t>(e.x.size())}, e.x));
      const Value x = cast(own, dtype), y = e.f(x);
      const std::vector<Tensor> got = test::interpret({cast(y, f64), cast(gradients(sum(y), {x})[0], f64)});
      for (const auto& [t, want, what] : {std::tuple{got[0], e.y, ""}, std::tuple{got[1], e.slopes, "'s slope"}}) {
        BOOST_REQUIRE(t.count() == static_cast<std::int64_t>(want.size()));
        for (std::size_t i = 0; i < want.size(); ++i) {
          const double v = t.data<double>()[i];
          const bool same = v == want[i] || (std::isnan(v) && std::isnan(want[i]));
          BOOST_TEST((same || std::abs(v - want[i]) <= (dtype == f16   ? 1e-2
                                                        : dtype == f32 ? 1e-6
                                                                       : 1e-14) *
                                                           std::abs(want[i])),
                     e.what << what << "[" << i << "] in " << name(dtype) << " is " << v << ", not " << want[i]);
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(numbers_that_name_nothing_fail_the_run) {
  Graph g;
  const auto whole = [&](std::vector<std::int64_t> v) {
    const auto n = static_cast<std::int64_t>(v.size());
    return constant(g, Tensor::of({n}, std::move(v)));
  };
  const auto fails = [&](Value v, const std::string& with) {
    const std::string said = test::message([&] { test::interpret({v}); });
    BOOST_TEST(said.find(with) != std::string::npos, said << " has no " << with);
  };
  const Value p = constant(g, Tensor({f64, {2, 2, 3}}));
  const auto ctc = [&](std::vector<std::int64_t> labels, std::vector<std::int64_t> steps,
                       std::vector<std::int64_t> lengths) {
    return ctc_loss(p, reshape(whole(std::move(labels)), {2, 1}), whole(std::move(steps)), whole(std::move(lengths)));
  };
  fails(ctc({4, 1}, {2, 2}, {1, 1}), "label 4 at [0, 0] is out of range");
  fails(ctc({1, -2}, {2, 2}, {1, 1}), "label -2 at [1, 0] is out of range");
  fails(ctc({1, 1}, {3, 2}, {1, 1}), "input length 3 at [0] is out of range");
  fails(ctc({1, 1}, {2, 2}, {1, -1}), "label length -1 at [1] is out of range");
  BOOST_TEST(std::isfinite(test::interpret({ctc({9, 1}, {2, 2}, {0, 1})})[0].item<double>()));  // 9 does not count
  const Value image = constant(g, Tensor({f32, {2, 4, 4, 1}})), region = constant(g, Tensor({f32, {1, 4}}));
  fails(roi_align(image, region, whole({-1})), "image -1 at [0] is out of range");
  fails(reverse_sequence(constant(g, Tensor({f32, {2, 3}})), whole({2, -1, 1}), 0, 1),
        "length -1 at [1] is out of range");
  fails(reverse_sequence(constant(g, Tensor({f32, {2, 3}})), whole({2, 3, 1}), 0, 1),
        "length 3 at [1] is out of range");
}

BOOST_AUTO_TEST_CASE(a_window_of_padding_is_put_nowhere) {
  Graph g;
  const Value x = constant(g, Tensor::of<float>({1, 1, 2, 1}, {1, 2}));
  const Value indices = constant(g, Tensor::of<std::int64_t>({1, 1, 2, 1}, {0, -1}));
  const Tensor y = test::interpret({max_unpool(x, indices, {1, 1, 3, 1})})[0];
  const std::vector<float> want = {1, 0, 0};
  BOOST_TEST(std::equal(want.begin(), want.end(), y.data<float>()));
}

BOOST_AUTO_TEST_CASE(places_far_outside_are_mirrored_into_the_image) {
  Graph g;
  const Value x = constant(g, Tensor::of<float>({1, 2, 2, 1}, {1, 2, 3, 4}));
  for (const Interpolation mode : {Interpolation::linear, Interpolation::nearest})
    for (const float far : {1e10F, -1e30F, 3e38F}) {
      const Value grid = constant(g, Tensor::of<float>({1, 1, 1, 2}, {far, far}));
      const Value y = grid_sample(x, grid, {.mode = mode, .padding = GridPadding::reflection});
      const float v = test::interpret({y})[0].item<float>();
      BOOST_TEST((v >= 1 && v <= 4), v << " at " << far);
    }
}

BOOST_AUTO_TEST_CASE(refusals) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3}), wide = input(g, "wide", f64, {2, 3});
  for (const double delta : {0.0, -1.0, inf, nan})
    test::says([&] { huber_loss(x, x, delta); }, "huber_loss: delta is ");
  test::says([&] { cosine_similarity(x, wide); }, "cosine_similarity: a is f32[2, 3] and b f64[2, 3]");
}

BOOST_AUTO_TEST_SUITE_END()
