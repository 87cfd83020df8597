// Optimizers as they compute: in single precision, in one pass, from the first step on, at zero.
#include <oxbow/graph/passes/passes.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/ftrl.h>
#include <oxbow/optim/optimizers/lamb.h>
#include <oxbow/optim/optimizers/lars.h>
#include <oxbow/optim/optimizers/muon.h>
#include <oxbow/optim/optimizers/rmsprop.h>
#include <oxbow/optim/optimizers/rprop.h>
#include <oxbow/optim/optimizers/schedule_free.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "support/all_optimizers.h"
#include "support/descent.h"

BOOST_AUTO_TEST_SUITE(test_optimizers)

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::all_optimizers;

namespace {

// Gradients of several sizes, the same for both dtypes.
Tensor gradient_of(int t, const Shape& shape, DType dtype) {
  Tensor g = draw(shape, -2, 3, static_cast<std::uint64_t>(t), dtype);
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < g.count(); ++i) {
      const double scaled = static_cast<double>(g.data<T>()[i]) * std::pow(10.0, static_cast<double>(i % 3) - 1);
      g.data<T>()[i] = static_cast<T>(static_cast<float>(scaled));
    }
  });
  return g;
}

Tensor filled(const Shape& shape, double value, DType dtype) {
  Tensor t({dtype, shape});
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    for (T& v : t.span<T>()) v = static_cast<T>(value);
  });
  return t;
}

// How many nodes of an update, as planned, go through a parameter's memory: for weights whose gradients are products,
// as in a network.
double passes_a_parameter(const Optimizer& o) {
  Graph g;
  Value h = input(g, "x", f32, {32, 64});
  for (const char* name : {"a", "b", "c"}) h = tanh(matmul(h, variable(g, name, {f32, {64, 64}})));
  const Minimized m = minimize(sum(square(h)), o);
  for (std::size_t i = 0; i < m.updates.size(); ++i) g.add_output("update_" + std::to_string(i), m.updates[i]);
  const internal::Rewritten r = internal::rewrite(g, {.disable = {"epilogue"}});
  int passes = 0;
  for (NodeId i = 0; i < r.graph->size(); ++i) {
    const Node n = r.graph->node(i);
    const bool reads_arrays = std::ranges::any_of(n.inputs(), [](Value v) { return v.type().count() == 64 * 64; });
    passes += reads_arrays && !n.op().is<ops::Assign>() && n.origin().phase == Phase::update ? 1 : 0;
  }
  return passes / 3.0;
}

}  // namespace

// Double is tested against multiple precision in test_optimizers_exact.cpp.
BOOST_AUTO_TEST_CASE(single_precision_follows_double) {
  const Shape shape{4, 6};
  for (const Optimizer& o : all_optimizers()) {
    test::Descent one(o, filled(shape, 0.5, f32)), two(o, filled(shape, 0.5, f64));
    double worst = 0;
    for (int t = 1; t <= 100; ++t) {
      one.step(gradient_of(t, shape, f32));
      two.step(gradient_of(t, shape, f64));
      for (std::int64_t i = 0; i < shape.count(); ++i)
        worst = std::max(worst, std::abs(one.parameter().data<float>()[i] - two.parameter().data<double>()[i]));
    }
    BOOST_TEST(worst < 5e-5, to_string(o) << ": off by " << worst);
  }
}

BOOST_AUTO_TEST_CASE(an_update_is_one_pass_over_its_parameter) {
  for (const Optimizer& o : all_optimizers()) {
    const std::set<std::string_view> others{"lamb", "lars", "adafactor", "muon"};
    if (others.count(o.name()) == 0) BOOST_TEST(passes_a_parameter(o) == 1, to_string(o));
  }
  BOOST_TEST(passes_a_parameter(RMSprop{.momentum = 0.9, .centered = true, .weight_decay = 0.1}) == 1);
  BOOST_TEST(passes_a_parameter(SGD{.momentum = 0.9, .nesterov = true}) == 1);
  // Norms and means must be known before they serve.
  BOOST_TEST(passes_a_parameter("lamb") == 3);
  BOOST_TEST(passes_a_parameter("lars") == 3);
  BOOST_TEST(passes_a_parameter("adafactor") == 4);
}

BOOST_AUTO_TEST_CASE(weights_without_gradient_or_at_zero_stay_finite) {
  for (const Optimizer& o : all_optimizers())
    for (const double start : {0.0, 0.5})
      for (const double slope : {0.0, 1e-30, 1.0}) {
        test::Descent descent(o, filled({3, 2}, start, f32));
        for (int t = 0; t < 3; ++t) descent.step(filled({3, 2}, slope, f32));
        const Tensor now = descent.parameter();
        for (const float w : now.span<float>())
          BOOST_TEST(std::isfinite(w), to_string(o) << " from " << start << " by " << slope);
      }
  // A row and a column without gradient, like a pixel that is always black and a unit that is dead.
  Tensor corner = filled({3, 2}, 100, f32);
  for (const int i : {0, 1, 2, 4}) corner.data<float>()[i] = 0;
  for (const Optimizer& o : all_optimizers()) {
    test::Descent descent(o, filled({3, 2}, 0.5, f32));
    for (int t = 0; t < 3; ++t) descent.step(corner);
    const Tensor now = descent.parameter();
    for (const float w : now.span<float>()) BOOST_TEST(std::isfinite(w), to_string(o));
  }
  test::Descent ftrl(Ftrl{.initial_accumulator_value = 0}, filled({2}, 0.5, f64));
  ftrl.step(filled({2}, 0, f64));
  BOOST_TEST(ftrl.parameter().data<double>()[0] == 0.5);
}

BOOST_AUTO_TEST_CASE(a_first_step_starts_from_the_parameter_as_it_is) {
  // Not from its first value: here the parameter was set after the graph was built.
  test::Descent free(ScheduleFreeAdamW{.learning_rate = 0.25}, filled({2}, 3, f64));
  free.step(filled({2}, 1, f64));
  BOOST_TEST(std::abs(free.slot("z").data<double>()[0] - 2.75) < 1e-7);
  BOOST_TEST(free.slot("x").data<double>()[0] == free.slot("z").data<double>()[0]);
  test::Descent rprop(Rprop{.learning_rate = 0.125}, filled({2}, 3, f64));
  rprop.step(filled({2}, -7, f64));
  BOOST_TEST(rprop.parameter().data<double>()[0] == 3.125);
}

BOOST_AUTO_TEST_CASE(bias_correction_is_right_from_the_first_step_on) {
  Graph g;
  const Value count = input(g, "count", f64, {});
  const Program program =
      compile({bias_correction(0.999, count), bias_correction(0.9, count), bias_correction(0, count)});
  Store store(g);
  Session session(program, store);
  for (const double t : {1.0, 2.0, 10.0, 1e3, 1e5, 1e9}) {
    session.feed("count", Tensor::scalar(t));
    session.run();
    for (const auto& [i, beta] : {std::pair(0, 0.999), std::pair(1, 0.9)}) {
      const auto exact =
          static_cast<double>(-std::expm1(static_cast<long double>(t) * std::log(static_cast<long double>(beta))));
      BOOST_TEST(std::abs(session.fetch<double>(i)[0] - exact) <= 1e-15 * exact, "beta " << beta << ", step " << t);
    }
    BOOST_TEST(session.fetch<double>(2)[0] == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
