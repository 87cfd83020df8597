// Layers that normalise: against plain loops, in half precision, and a batch norm's statistics.
#include <oxbow/graph/updates.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_layers_normalise)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_batch_norm_called_several_times_updates_by_the_calls_that_count) {
  Graph g;
  const Value inputs[] = {input(g, "x", f64, {any(4), 2}), input(g, "y", f64, {any(3), 2}),
                          input(g, "z", f64, {any(5), 2})};
  const BatchNorm norm({.momentum = 0.75, .epsilon = 1e-3});
  std::vector<Value> results;
  for (const Value& in : inputs) results.push_back(norm(in));
  BOOST_TEST(norm.parameter_count() == 8);
  BOOST_TEST(names(norm.parameters()) == (NameList{"batch_norm/scale", "batch_norm/offset"}),
             boost::test_tools::per_element());
  const Tensors feeds{{"x", draw({4, 2}, -1, 1, 1)}, {"y", draw({3, 2}, 1, 3, 2)}, {"z", draw({5, 2}, -4, 3, 3)}};
  const auto moments_of = [](const Tensor& v, int column) {
    double mean = 0, variance = 0;
    const double n = static_cast<double>(v.count()) / 2;
    for (std::int64_t i = column; i < v.count(); i += 2) mean += v.data<double>()[i] / n;
    for (std::int64_t i = column; i < v.count(); i += 2) variance += std::pow(v.data<double>()[i] - mean, 2) / n;
    return std::pair(mean, variance);
  };
  // Every set of calls, which needs what is fed to these alone.
  for (int set = 1; set < 8; ++set) {
    std::vector<Value> fetches;
    Tensors fed;
    double wanted[2][2] = {{0, 0}, {1, 1}};
    for (int k = 0; k < 3; ++k) {
      if ((set >> k & 1) == 0) continue;
      const std::string name = inputs[k].node().name();
      fetches.push_back(results[static_cast<std::size_t>(k)]);
      fed.emplace(name, feeds.at(name));
      for (const int column : {0, 1}) {
        const auto [mean, variance] = moments_of(feeds.at(name), column);
        wanted[0][column] = 0.75 * wanted[0][column] + 0.25 * mean;
        wanted[1][column] = 0.75 * wanted[1][column] + 0.25 * variance;
      }
    }
    const std::vector<Value> updates = updates_of(fetches);
    BOOST_TEST_REQUIRE(updates.size() == 2u);
    fetches.insert(fetches.end(), updates.begin(), updates.end());
    Store store(g);
    const std::vector<Tensor> t = compile(fetches).run(store, fed);
    for (const int column : {0, 1}) {
      BOOST_TEST(std::abs(moments_of(t[0], column).first) < 1e-14);  // by its own batch
      BOOST_TEST(store.get("batch_norm/running_mean").data<double>()[column] == wanted[0][column],
                 boost::test_tools::tolerance(1e-13));
      BOOST_TEST(store.get("batch_norm/running_variance").data<double>()[column] == wanted[1][column],
                 boost::test_tools::tolerance(1e-13));
    }
  }
  BOOST_TEST(updates_of(inputs[0]).empty());
  BOOST_TEST(updates_of(norm.variable("scale")).empty());
  BOOST_TEST(updates_of(results)[0].same(last_updates(g)[0]));
  BOOST_TEST(last_updates(g).size() == 2u);
  check_gradients(concat(results), {norm.variable("scale"), norm.variable("offset"), inputs[0], inputs[2]}, feeds);
}

BOOST_AUTO_TEST_CASE(norms_agree_with_plain_loops) {
  const int n = 3, rows = 2, c = 6, groups = 2;
  Graph g;
  const Value x = input(g, "x", f64, {any(n), rows, c});
  const LayerNorm layer({.epsilon = 0.1});
  const RMSNorm rms({.epsilon = 0.1});
  const GroupNorm group(groups, {.epsilon = 0.1});
  const std::vector<Value> y{layer(x), rms(x), group(x)};
  const Tensor at = draw({n, rows, c}, -1, 3, 5);
  Store store(g);
  std::vector<Value> all;
  for (const Layer& l : {Layer(layer), Layer(rms), Layer(group)})
    for (const Value& v : l.variables()) {
      store.set(v.node().full_name(), draw({c}, 0.5, 2, static_cast<std::uint64_t>(all.size())));
      all.push_back(v);
    }
  BOOST_TEST(names(all) == (NameList{"layer_norm/scale", "layer_norm/offset", "rms_norm/scale", "group_norm/scale",
                                     "group_norm/offset"}),
             boost::test_tools::per_element());
  const std::vector<Tensor> t = compile(y).run(store, {{"x", at}});
  const auto of = [&](const char* name, int k) { return store.get(name).data<double>()[k]; };
  for (int i = 0; i < n; ++i)
    for (int r = 0; r < rows; ++r)
      for (int k = 0; k < c; ++k) {
        const auto element = [&](int row, int channel) { return at.data<double>()[(i * rows + row) * c + channel]; };
        double mean = 0, squares = 0, group_mean = 0, variance = 0, group_variance = 0;
        const int first = k / 3 * 3;
        for (int j = 0; j < c; ++j) mean += element(r, j) / c, squares += element(r, j) * element(r, j) / c;
        for (int j = 0; j < c; ++j) variance += (element(r, j) - mean) * (element(r, j) - mean) / c;
        for (int s = 0; s < rows; ++s)
          for (int j = first; j < first + 3; ++j) group_mean += element(s, j) / 6;
        for (int s = 0; s < rows; ++s)
          for (int j = first; j < first + 3; ++j)
            group_variance += (element(s, j) - group_mean) * (element(s, j) - group_mean) / 6;
        const double e = element(r, k);
        const double wanted[] = {
            of("layer_norm/scale", k) * (e - mean) / std::sqrt(variance + 0.1) + of("layer_norm/offset", k),
            of("rms_norm/scale", k) * e / std::sqrt(squares + 0.1),
            of("group_norm/scale", k) * (e - group_mean) / std::sqrt(group_variance + 0.1) +
                of("group_norm/offset", k)};
        for (std::size_t l = 0; l < 3; ++l)
          BOOST_TEST(t[l].data<double>()[(i * rows + r) * c + k] == wanted[l], boost::test_tools::tolerance(1e-12));
      }
  all.push_back(x);
  check_gradients(concat(y), all, {{"x", at}});
  const Tensor other_batch = draw({5, rows, c}, -1, 3, 6);
  on_all_threads(y, {{"x", other_batch}});
}

// Deviations whose squares are beyond f16; the same layers in double are what is rounded once.
BOOST_AUTO_TEST_CASE(norms_of_halves_are_rounded_once) {
  for (const DType dtype : {f16, bf16}) {
    const int n = 4, c = 6;
    Tensor at({f64, {n, 2, c}});
    for (std::int64_t i = 0; i < at.count(); ++i) at.data<double>()[i] = static_cast<double>((i * 37 % 64 - 30) * 64);
    std::vector<std::vector<Tensor>> got;
    for (const DType d : {f64, dtype}) {
      Graph g;
      const Value given = input(g, "x", f64, {any(n), 2, c}), x = cast(given, d);
      std::vector<Value> fetches;
      for (const Layer& norm : {Layer(LayerNorm()), Layer(RMSNorm()), Layer(GroupNorm(2)), Layer(BatchNorm())}) {
        const Value y = norm(x);
        BOOST_TEST((y.dtype() == d));
        fetches.push_back(cast(y, f64));
        fetches.push_back(cast(gradients(sum(y * y * y), {norm.variable("scale")})[0], f64));
      }
      for (const Value& u : g.updates()) fetches.push_back(cast(u.node().input(1), f64));
      got.push_back(on_all_threads(fetches, {{"x", at}}));
    }
    const double once = dtype == f16 ? 0x1p-11 : 0x1p-8;
    for (std::size_t k = 0; k < got[0].size(); ++k)
      for (std::int64_t i = 0; i < got[0][k].count(); ++i) {
        const double wanted = got[0][k].data<double>()[i], is = got[1][k].data<double>()[i];
        const bool is_slope = k < 8 && k % 2 == 1;  // a sum of products of rounded values
        const double off = is_slope ? 20 * once : once, least = is_slope ? 10 : 1e-3;
        BOOST_TEST(
            std::abs(is - wanted) <= off * std::max(least, std::abs(wanted)) * 1.001,
            "value " << k << "[" << i << "] of " << to_string(Type{dtype, {}}) << ": " << is << ", not " << wanted);
      }
  }
}

BOOST_AUTO_TEST_SUITE_END()
