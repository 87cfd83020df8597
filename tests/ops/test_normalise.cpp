// Functions that normalise: against plain loops in double, against the layers, in both data formats, their gradients.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_normalise)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr DataFormat first = channels_first;

double value(const Tensor& t, std::int64_t i) { return t.data<double>()[i]; }

// Elements of x [n, c, s] whose statistics are shared with element i: `same(i, j)`.
template <class F>
std::vector<double> normalised(const Tensor& x, double epsilon, F&& same) {
  std::vector<double> y;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double sum = 0, squares = 0, count = 0;
    for (std::int64_t j = 0; j < x.count(); ++j)
      if (same(i, j)) sum += value(x, j), ++count;
    for (std::int64_t j = 0; j < x.count(); ++j)
      if (same(i, j)) squares += (value(x, j) - sum / count) * (value(x, j) - sum / count);
    y.push_back((value(x, i) - sum / count) / std::sqrt(squares / count + epsilon));
  }
  return y;
}

void check_near(const Tensor& t, const std::vector<double>& wanted, const char* what) {
  BOOST_REQUIRE(t.count() == static_cast<std::int64_t>(wanted.size()));
  for (std::int64_t i = 0; i < t.count(); ++i)
    BOOST_TEST(std::abs(value(t, i) - wanted[static_cast<std::size_t>(i)]) < 1e-12, what << " at " << i);
}

}  // namespace

BOOST_AUTO_TEST_CASE(statistics_over_groups_of_elements) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 6, 2, 2}), last = transpose(x, {0, 2, 3, 1});
  const Value s = input(g, "s", f64, {6}), o = input(g, "o", f64, {6});
  const Tensors feeds{{"x", draw({2, 6, 2, 2}, -1, 2, 1)}, {"s", draw({6}, 0.5, 2, 2)}, {"o", draw({6}, -1, 1, 3)}};
  const auto back = [](Value v) { return transpose(v, {0, 3, 1, 2}); };
  const Value group = group_norm(x, 3, s, o, {.epsilon = 1e-3, .data_format = first});
  const Value instance = instance_norm(x, s, o, {.data_format = first});
  const auto t = on_all_threads(
      {group, back(group_norm(last, 3, s, o, {.epsilon = 1e-3})), instance, back(instance_norm(last, s, o)),
       group_norm(x, 6, {}, {}, {.data_format = first}), instance_norm(x, {}, {}, {.data_format = first})},
      feeds);
  const auto scaled = [&](std::vector<double> y) {
    for (std::size_t i = 0; i < y.size(); ++i)
      y[i] = y[i] * value(feeds.at("s"), static_cast<std::int64_t>(i) / 4 % 6) +
             value(feeds.at("o"), static_cast<std::int64_t>(i) / 4 % 6);
    return y;
  };
  check_near(t[0], scaled(normalised(feeds.at("x"), 1e-3, [](auto i, auto j) { return i / 8 == j / 8; })), "group");
  check_near(t[2], scaled(normalised(feeds.at("x"), 1e-5, [](auto i, auto j) { return i / 4 == j / 4; })), "instance");
  check_near(t[5], normalised(feeds.at("x"), 1e-5, [](auto i, auto j) { return i / 4 == j / 4; }), "plain");
  for (std::int64_t i = 0; i < t[0].count(); ++i) {
    BOOST_TEST(std::abs(value(t[0], i) - value(t[1], i)) < 1e-12);
    BOOST_TEST(std::abs(value(t[2], i) - value(t[3], i)) < 1e-12);
    BOOST_TEST(std::abs(value(t[4], i) - value(t[5], i)) < 1e-12);
  }
  check_gradients(group, {x, s, o}, feeds);
  check_gradients(instance, {x, s, o}, feeds);
}

BOOST_AUTO_TEST_CASE(layers_of_any_trailing_axes) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3, 4}), s = input(g, "s", f64, {3, 4}), o = input(g, "o", f64, {4});
  const Tensors scales{{"x", draw({2, 3, 4}, -1, 2, 1)}, {"s", draw({3, 4}, 0.5, 2, 2)}};
  Tensors feeds = scales;
  feeds.emplace("o", draw({4}, -1, 1, 3));
  const LayerNormResult all = layer_norm_with_statistics(x, {}, {}, {.axis = 1});
  const Value one = layer_norm(x, {}, {}, {.epsilon = 0.1}), scaled = layer_norm(x, s, o, {.axis = -2});
  const auto t = on_all_threads({all.y, all.mean, all.inverse_deviation, one, scaled, all.y * s + o,
                                 rms_norm(x, s, {.axis = 1}), x * rsqrt(mean(square(x), {1, 2}, true) + 1e-5) * s},
                                feeds);
  check_near(t[0], normalised(feeds.at("x"), 1e-5, [](auto i, auto j) { return i / 12 == j / 12; }), "both");
  check_near(t[3], normalised(feeds.at("x"), 0.1, [](auto i, auto j) { return i / 4 == j / 4; }), "last");
  BOOST_TEST(to_string(t[1].type()) == "f64[2, 1, 1]");
  BOOST_TEST(std::abs((value(feeds.at("x"), 5) - value(t[1], 0)) * value(t[2], 0) - value(t[0], 5)) < 1e-12);
  BOOST_TEST(same_bits(t[4], t[5]));
  check_near(t[6], std::vector<double>(t[7].span<double>().begin(), t[7].span<double>().end()), "by hand");
  check_gradients(scaled, {x, s, o}, feeds);
  check_gradients(rms_norm(x, s), {x, s}, scales);
  BOOST_TEST((layer_norm_with_statistics(cast(x, f16)).mean.dtype() == f32));
}

// Multiplying x changes no value where epsilon is 0, and divides the slopes, however far the squares are from ordinary.
BOOST_AUTO_TEST_CASE(no_square_overflows_or_vanishes) {
  const auto functions = [](Value x) {
    const double e = 0;
    return std::vector<std::pair<std::string, Value>>{
        {"layer_norm", layer_norm(x, {}, {}, {.epsilon = e})},
        {"rms_norm", rms_norm(x, {}, {.epsilon = e})},
        {"group_norm", group_norm(x, 2, {}, {}, {.epsilon = e})},
        {"instance_norm", instance_norm(x, {}, {}, {.epsilon = e})},
        {"mean_variance_norm", mean_variance_norm(x, {0, 1})},
        {"lp_pool", lp_pool(x, {.size = {3, 2}}) / sum(abs(x), {1, 2}, true)},
        {"lp_pool of 3", lp_pool(x, {.p = 3, .size = {3, 2}}) / sum(abs(x), {1, 2}, true)}};
  };
  for (const auto& [dtype, scales] :
       {std::pair{f32, std::vector{1.0, 0x1p80, 0x1p-80}}, std::pair{f64, std::vector{1.0, 0x1p700, 0x1p-700}}}) {
    std::vector<Tensors> results;
    for (const double scale : scales) {
      Graph g;
      const Value x = input(g, "x", dtype, {2, 3, 2, 4});
      std::vector<Value> fetches;
      for (const auto& [name, y] : functions(x)) {
        fetches.push_back(cast(y, f64));
        fetches.push_back(cast(gradients(sum(y * y * y), {x})[0], f64) * scale);
      }
      Tensor fed({dtype, {2, 3, 2, 4}});
      const Tensor drawn = draw({2, 3, 2, 4}, 0.5, 2, 1);
      for (std::int64_t i = 0; i < drawn.count(); ++i)
        dtype == f32 ? fed.data<float>()[i] = static_cast<float>(value(drawn, i) * scale)
                     : fed.data<double>()[i] = value(drawn, i) * scale;
      Tensors named;
      const auto t = on_all_threads(fetches, {{"x", fed}});
      for (std::size_t i = 0; i < t.size(); ++i) named.emplace(std::to_string(i), t[i]);
      results.push_back(std::move(named));
    }
    Graph g;
    const auto names = functions(input(g, "x", dtype, {2, 3, 2, 4}));
    for (std::size_t s = 1; s < scales.size(); ++s) {
      for (std::size_t i = 0; i < 2 * names.size(); ++i) {
        const std::string& name = names[i / 2].first;
        if (scales[s] < 1 && name == "mean_variance_norm") continue;  // its epsilon of 1e-9 is fixed
        if (dtype == f64 && name.find("lp_pool") == 0) continue;      // nothing is wider
        const Tensor &one = results[0].at(std::to_string(i)), &far = results[s].at(std::to_string(i));
        for (std::int64_t k = 0; k < one.count(); ++k)
          BOOST_TEST(
              std::abs(value(one, k) - value(far, k)) <= (dtype == f32 ? 2e-5 : 1e-7) * (1 + std::abs(value(one, k))),
              name << (i % 2 ? "'s slope" : "") << " of " << to_string(Type{dtype, {}}) << " at " << scales[s] << ": "
                   << value(far, k) << " for " << value(one, k));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(batches) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3, 2, 2});
  std::vector<Value> v;
  Tensors feeds{{"x", draw({2, 3, 2, 2}, -1, 2, 1)}};
  for (const std::string name : {"scale", "offset", "mean", "variance"}) {
    v.push_back(input(g, name, f64, {3}));
    feeds.emplace(name, draw({3}, 0.5, 2, 10 + v.size()));
  }
  const Value fixed = batch_norm(x, v[0], v[1], v[2], v[3], {.epsilon = 0.01, .data_format = first});
  const BatchNormResult moved =
      batch_norm_training(x, v[0], v[1], v[2], v[3], {.momentum = 0.75, .data_format = first});
  const std::vector<Value> fetches{fixed, moved.y, moved.running_mean, moved.running_variance};
  const auto t = on_all_threads(fetches, feeds), inference = on_all_threads(fetches, feeds, Mode::inference);
  const auto channel = [](std::int64_t i) { return i / 4 % 3; };
  std::vector<double> by_running,
      by_batch = normalised(feeds.at("x"), 1e-5, [&](auto i, auto j) { return channel(i) == channel(j); });
  for (std::int64_t i = 0; i < 24; ++i) {
    const auto of = [&](const char* name) { return value(feeds.at(name), channel(i)); };
    by_running.push_back((value(feeds.at("x"), i) - of("mean")) / std::sqrt(of("variance") + 0.01) * of("scale") +
                         of("offset"));
    by_batch[static_cast<std::size_t>(i)] = by_batch[static_cast<std::size_t>(i)] * of("scale") + of("offset");
  }
  check_near(t[0], by_running, "running");
  check_near(t[1], by_batch, "batch");
  for (int c = 0; c < 3; ++c) {
    double sum = 0;
    for (int i = 0; i < 24; ++i) sum += channel(i) == c ? value(feeds.at("x"), i) : 0;
    BOOST_TEST(std::abs(value(t[2], c) - (0.75 * value(feeds.at("mean"), c) + 0.25 * sum / 8)) < 1e-12);
    BOOST_TEST(value(inference[3], c) == value(feeds.at("variance"), c), boost::test_tools::tolerance(1e-14));
  }
  check_gradients(fixed, {x, v[0], v[1], v[2], v[3]}, feeds);
  check_gradients(moved.y, {x, v[0], v[1]}, feeds);
  BOOST_TEST(to_string(batch_norm(reshape(x, {-1, 3}), {}, {}, v[2], v[3]).type()) == "f64[8, 3]");
}

BOOST_AUTO_TEST_CASE(neighbouring_channels_and_lengths) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 5, 2, 1});
  const Tensors feeds{{"x", draw({2, 5, 2, 1}, -1, 2, 1)}};
  const Value local = local_response_norm(x, 4, {.alpha = 0.5, .beta = 0.6, .bias = 1.5, .data_format = first});
  const Value spread = mean_variance_norm(x, {0, 2, 3}), one = lp_normalize(x, 1, 1), two = lp_normalize(x, 2, 1);
  const auto t = on_all_threads({local, spread, one, two, lp_normalize(x * 0.0)}, feeds);
  std::vector<double> by_neighbours, by_sum, by_norm;
  for (std::int64_t i = 0; i < 20; ++i) {
    double squares = 0, all = 0, all_squares = 0;
    const std::int64_t c = i / 2 % 5;
    for (std::int64_t k = 0; k < 5; ++k) {
      const double v = value(feeds.at("x"), i + (k - c) * 2);
      if (k >= c - 1 && k <= c + 2) squares += v * v;
      all += std::abs(v), all_squares += v * v;
    }
    by_neighbours.push_back(value(feeds.at("x"), i) / std::pow(1.5 + 0.5 / 4 * squares, 0.6));
    by_sum.push_back(value(feeds.at("x"), i) / all);
    by_norm.push_back(value(feeds.at("x"), i) / std::sqrt(all_squares));
  }
  check_near(t[0], by_neighbours, "local");
  check_near(t[2], by_sum, "sum");
  check_near(t[3], by_norm, "norm");
  check_near(t[4], std::vector<double>(20), "zeros");
  const auto own = normalised(feeds.at("x"), 0, [](auto i, auto j) { return i / 2 % 5 == j / 2 % 5; });
  for (std::int64_t i = 0; i < 20; ++i) BOOST_TEST(std::abs(value(t[1], i) - own[static_cast<std::size_t>(i)]) < 1e-7);
  for (const Value& y : {local, spread, one, two}) check_gradients(y, {x}, feeds);
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 4, 3}), i = input(g, "i", i32, {2, 4}), s = input(g, "s", f32, {5});
  BOOST_TEST(has(message([&] { layer_norm(i); }), "layer_norm: x is not floating point\n  x: i32[2, 4] from i"));
  BOOST_TEST(has(message([&] { layer_norm(x, {}, {}, {.axis = 3}); }), "layer_norm: "));
  BOOST_TEST(has(message([&] { rms_norm(x, {}, {.epsilon = -1}); }), "rms_norm: the epsilon -1 is negative"));
  BOOST_TEST(has(message([&] { group_norm(x, 2); }), "group_norm: 2 groups do not divide 3 channels"));
  BOOST_TEST(has(message([&] { instance_norm(x, s); }), "the scale is f32[5]"));
  BOOST_TEST(has(message([&] { batch_norm(x, s, s, Value(), s); }), "batch_norm: the mean is an empty Value"));
  BOOST_TEST(has(message([&] { batch_norm(x, s, s, s, s); }), "Give [3], a number for each channel"));
  BOOST_TEST(
      has(message([&] { batch_norm_training(x, s, s, s, s, {.momentum = 2}); }), "the momentum 2 is not in [0, 1]"));
  BOOST_TEST(has(message([&] { local_response_norm(x, 0); }), "the size is 0"));
  BOOST_TEST(has(message([&] { lp_normalize(x, 3); }), "p is 3"));
}

BOOST_AUTO_TEST_SUITE_END()
