// Sharpness: quadratics of known curvature, a net against its dense Hessian, what is refused.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/sharpness.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_sharpness)

using namespace oxbow;
using oxbow::test::message;

namespace {

// (c . w^2) / 2 + constant, whose Hessian is diag(c).
optim::Curvature of_quadratic(std::initializer_list<double> curvatures, optim::SharpnessOptions options = {}) {
  Graph g;
  const auto n = static_cast<std::int64_t>(curvatures.size());
  const Value w = variable(g, "w", {f64, {n}});
  const Value c = constant(g, Tensor::of<double>({n}, curvatures));
  const optim::Sharpness sharpness(0.5 * sum(c * square(w)));
  return sharpness.measure(Store(g), {}, options);
}

// The largest eigenvalue of a symmetric matrix, by Jacobi's rotations.
double largest_eigenvalue(std::vector<std::vector<double>> a) {
  const std::size_t n = a.size();
  for (int sweep = 0; sweep < 60; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p][q] == 0) continue;
        const double angle = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]), c = std::cos(angle), s = std::sin(angle);
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y, a[k][q] = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[p][k], y = a[q][k];
          a[p][k] = c * x - s * y, a[q][k] = s * x + c * y;
        }
      }
  double most = a[0][0];
  for (std::size_t i = 0; i < n; ++i) most = std::max(most, a[i][i]);
  return most;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_quadratic_has_the_curvature_that_it_was_given) {
  const optim::Curvature c = of_quadratic({1, 10, 3, 0.1}, {.tolerance = 1e-6});
  BOOST_TEST(c.converged);
  BOOST_TEST(std::abs(c.largest - 10) < 1e-6, c.largest);
  BOOST_TEST(std::abs(c.highest_rate() - 0.2) < 1e-7, c.highest_rate());
  // The steepest curve downwards is none that a rate is limited by.
  BOOST_TEST(std::abs(of_quadratic({2, -50, 1}, {.tolerance = 1e-6}).largest - 2) < 1e-4);
  const optim::Curvature down = of_quadratic({-3, -50});
  BOOST_TEST(std::abs(down.largest + 3) < 1e-3, down.largest);
  BOOST_TEST(down.highest_rate() == std::numeric_limits<double>::infinity());
  const optim::Curvature flat = of_quadratic({0, 0});
  BOOST_TEST(flat.largest == 0);
  BOOST_TEST(flat.converged);
  BOOST_TEST(!of_quadratic({1, 10, 9.9}, {.most_products = 2, .tolerance = 1e-9}).converged);
}

// What the limit says: just below it plain descent falls, just above it rises.
BOOST_AUTO_TEST_CASE(descent_diverges_from_the_limit_on) {
  const double limit = of_quadratic({4, 1, 0.5}, {.tolerance = 1e-6}).highest_rate();
  for (const double share : {0.98, 1.02}) {
    double w = 1;
    for (int i = 0; i < 200; ++i) w -= share * limit * 4 * w;
    BOOST_TEST((std::abs(w) < 1) == (share < 1));
  }
}

BOOST_AUTO_TEST_CASE(a_net_has_the_sharpness_of_its_dense_hessian) {
  Graph g;
  g.set_seed(7);
  const Value x = input(g, "x", f64, {any(6), 3}), target = input(g, "target", f64, {any(6), 2});
  const Value h = tanh(dense(x, 4));
  const Value loss = mean_squared_error(dense(h, 2), target);
  const std::vector<Value> parameters = variables(g);
  const optim::Sharpness sharpness(loss);

  // Row by row: the gradient of each element of the gradient.
  std::vector<Value> rows;
  for (const Value& slope : gradients(loss, parameters))
    for (std::int64_t i = 0; i < slope.type().count(); ++i)
      for (const Value& r : gradients(slice(reshape(slope, {slope.type().count()}), 0, i, i + 1), parameters))
        rows.push_back(reshape(r, {r.type().count()}));
  Tensor data({f64, {6, 3}}), wanted({f64, {6, 2}});
  for (int i = 0; i < 18; ++i) data.data<double>()[i] = std::sin(1.7 * i);
  for (int i = 0; i < 12; ++i) wanted.data<double>()[i] = std::cos(2.3 * i);
  Store store(g);
  const std::map<std::string, Tensor> feeds{{"x", data}, {"target", wanted}};
  std::vector<double> flat;
  for (const Tensor& t : compile(rows).run(store, feeds))
    flat.insert(flat.end(), t.data<double>(), t.data<double>() + t.count());
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(flat.size()))));
  BOOST_REQUIRE(n * n == flat.size());
  std::vector<std::vector<double>> hessian(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n * n; ++i) hessian[i / n][i % n] = flat[i];

  const optim::Curvature c = sharpness.measure(store, feeds, {.most_products = 5000, .tolerance = 1e-6});
  const double largest = largest_eigenvalue(hessian);
  BOOST_TEST(c.converged);
  BOOST_TEST(largest > 0);
  BOOST_TEST(std::abs(c.largest - largest) < 1e-9 * largest, c.largest << " and " << largest);
}

BOOST_AUTO_TEST_CASE(what_has_no_sharpness_is_refused) {
  Graph g;
  const Value x = input(g, "x", f64, {1});
  BOOST_TEST(
      message([&] { optim::Sharpness s(sum(x)); }).starts_with("sharpness: the graph has no trainable variable"));
  BOOST_TEST(message([] { of_quadratic({1}, {.most_products = 0}); }) ==
             "sharpness: give at least one product and a tolerance above 0");
  BOOST_TEST(message([] {
               of_quadratic({std::numeric_limits<double>::infinity(), 1});
             }).starts_with("sharpness: the Hessian has a NaN or Inf"));
}

BOOST_AUTO_TEST_SUITE_END()
