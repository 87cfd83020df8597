// Gradients through layers: the softmax of a cross entropy, batch norm and dropout, as they train and as they serve.
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/evaluate_at.h"

BOOST_AUTO_TEST_SUITE(test_gradients_layers)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(gradients_of_a_softmax_cross_entropy_sum_to_zero) {
  Graph g;
  const Value x = input(g, "x", f64, {3, 10});
  const Value labels = constant(g, Tensor::of<std::int64_t>({3}, {1, 9, 0}));
  const Value dx = gradients(cross_entropy(x, labels), {x})[0];
  const Value dense_dx = gradients(cross_entropy(x, one_hot(labels, 10, f64)), {x})[0];
  const std::vector<Tensor> t = evaluate_at(draw({3, 10}, -2, 2, 9), {dx, dense_dx});
  for (int r = 0; r < 3; ++r) {
    double total = 0;
    for (int i = 0; i < 10; ++i) total += t[0].data<double>()[r * 10 + i];
    BOOST_TEST(std::abs(total) < 1e-15);
  }
  for (int i = 0; i < 30; ++i) BOOST_TEST(std::abs(t[0].data<double>()[i] - t[1].data<double>()[i]) < 1e-15);
}

// As texts of version 0.1 have it: (p - one_hot(label)) dloss, which is linear in p and in dloss.
BOOST_AUTO_TEST_CASE(the_gradient_of_a_cross_entropy_without_losses_has_gradients) {
  Graph g;
  const Value p = input(g, "x", f64, {2, 2}), labels = constant(g, Tensor::of<std::int64_t>({2}, {1, 0}));
  const Value dlosses = constant(g, Tensor::of<double>({2}, {3, -5}));
  const Value dx = apply(ops::CrossEntropyGradient{}, {p, labels, dlosses}, At::current());
  const Value weights = constant(g, Tensor::of<double>({2, 2}, {1, 2, 4, 8}));
  const std::vector<Value> slopes = gradients(sum(dx * weights), {p, dlosses});
  const std::vector<Tensor> t = evaluate_at(Tensor::of<double>({2, 2}, {.25, .75, .5, .5}), {dx, slopes[0], slopes[1]});
  BOOST_TEST(same_bits(t[0], Tensor::of<double>({2, 2}, {.75, -.75, 2.5, -2.5})));
  BOOST_TEST(same_bits(t[1], Tensor::of<double>({2, 2}, {3, 6, -20, -40})));
  BOOST_TEST(same_bits(t[2], Tensor::of<double>({2}, {.25 - .5, -2 + 4.})));
}

BOOST_AUTO_TEST_CASE(batch_norm_trains_infers_and_updates) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 2});
  const Value y = batch_norm(x, {.momentum = 0.75, .epsilon = 1e-9});
  const Tensor at = Tensor::of<double>({4, 2}, {1, 10, 2, 20, 3, 30, 4, 40});  // means 2.5, 25; variances 1.25, 125
  std::vector<Value> fetches{y};
  for (const Value& u : g.updates()) fetches.push_back(u);
  Store store(g);
  const std::vector<Tensor> t = compile(fetches).run(store, {{"x", at}});
  const auto close = boost::test_tools::tolerance(1e-6);
  BOOST_TEST(t[0].data<double>()[0] == -1.5 / std::sqrt(1.25), close);
  BOOST_TEST(t[0].data<double>()[7] == 15 / std::sqrt(125), close);
  BOOST_TEST(store.get("batch_norm/running_mean").data<double>()[1] == 25 * 0.25, close);
  BOOST_TEST(store.get("batch_norm/running_variance").data<double>()[0] == 0.75 + 0.25 * 1.25, close);
  const Tensor served = compile({y}, {.mode = Mode::inference}).run(store, {{"x", at}})[0];
  BOOST_TEST(served.data<double>()[1] == (10 - 6.25) / std::sqrt(0.75 + 0.25 * 125), close);
}

BOOST_AUTO_TEST_CASE(batch_norm_agrees_with_finite_differences) {
  Graph g;
  const Value x = input(g, "x", f64, {any(5), 3});
  const Value weights = constant(g, draw({5, 3}, -1, 1, 7));
  const Value y = sum(batch_norm(x, {.epsilon = 1e-3}) * weights);
  const Value dx = gradients(y, {x})[0];
  const Value second = gradients(sum(square(dx)), {x})[0];
  const Value of_dx = sum(square(dx));
  Store store(g);
  const Program program = compile({y, dx, of_dx, second});
  const Tensor at = draw({5, 3}, -1, 1, 8);
  const std::vector<Tensor> t = program.run(store, {{"x", at}});
  constexpr double h = 1e-5;
  for (int i = 0; i < 15; ++i) {
    Tensor up = at.clone(), down = at.clone();
    up.data<double>()[i] += h;
    down.data<double>()[i] -= h;
    const std::vector<Tensor> a = program.run(store, {{"x", up}}), b = program.run(store, {{"x", down}});
    for (std::size_t k : {std::size_t{0}, std::size_t{2}}) {
      const double numeric = (a[k].item<double>() - b[k].item<double>()) / (2 * h), exact = t[k + 1].data<double>()[i];
      BOOST_TEST(std::abs(numeric - exact) <= 1e-6 * std::max(1.0, std::abs(exact)), exact << " and " << numeric);
    }
  }
}

BOOST_AUTO_TEST_CASE(dropout_gradients_use_the_same_mask) {
  Graph g;
  const Value x = input(g, "x", f64, {any(100)});
  const Value y = dropout(x, 0.5), dx = gradients(sum(y), {x})[0];
  Tensor ones({f64, {1000}});
  for (double& v : ones.span<double>()) v = 1;
  Store store(g);
  const Program step = compile({y, dx, g.updates()[0]});
  const std::vector<Tensor> first = step.run(store, {{"x", ones}}), second = step.run(store, {{"x", ones}});
  BOOST_TEST(same_bits(first[0], first[1]));
  BOOST_TEST(same_bits(second[0], second[1]));
  BOOST_TEST(!same_bits(first[0], second[0]));  // the step was counted
  BOOST_TEST(store.get("random/state").data<std::int64_t>()[1] == 2);
  const Tensor served = compile({y}, {.mode = Mode::inference}).run(store, {{"x", ones}})[0];
  BOOST_TEST(same_bits(served, ones));
}

BOOST_AUTO_TEST_SUITE_END()
