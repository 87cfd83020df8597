// Optimizers: each against its recurrence in plain double, names, slots, checks; and what `minimize` builds.
#include <oxbow/graph/near_names.h>
#include <oxbow/graph/passes.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/adam.h>
#include <oxbow/optim/ftrl.h>
#include <oxbow/optim/lamb.h>
#include <oxbow/optim/lars.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/muon.h>
#include <oxbow/optim/rmsprop.h>
#include <oxbow/optim/rprop.h>
#include <oxbow/optim/schedule_free.h>
#include <oxbow/optim/sgd.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "support/descent.h"
#include "support/message.h"

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;

namespace {

// All named optimizers, and those with a convention under PyTorch's as well.
std::vector<Optimizer> all_optimizers() {
  std::vector<Optimizer> all;
  for (const Named& o : optimizers()) {
    all.push_back(o.optimizer);
    for (const auto& [field, value] : o.optimizer.attributes())
      if (field == "convention") all.push_back(o.optimizer.with("convention", std::string("pytorch")));
  }
  return all;
}

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
  const Rewritten r = rewrite(g, std::array{std::string("epilogue")});
  int passes = 0;
  for (NodeId i = 0; i < r.graph->size(); ++i) {
    const Node n = r.graph->node(i);
    const bool reads_arrays = std::ranges::any_of(n.inputs(), [](Value v) { return v.type().count() == 64 * 64; });
    passes += reads_arrays && !n.op().is<Assign>() && n.origin().phase == Phase::update ? 1 : 0;
  }
  return passes / 3.0;
}

// A user's own optimizer, outside the list.
struct SignDescent {
  static constexpr OptimizerInfo info{.name = "sign_descent"};
  double learning_rate = 0.25;
  bool operator==(const SignDescent&) const = default;
  std::vector<Slot> slots(const Variable&) const { return {{"steps", {f32, {}}, {.kind = "constant", .a = 10}}}; }
  Updated update(const Step& s) const { return {s.parameter - s.rate * sign(s.gradient), {s.slots[0] + 1.0}}; }
};

std::vector<std::string> names(const std::vector<Value>& values) {
  std::vector<std::string> list;
  for (const Value& v : values) list.push_back(v.node().full_name());
  return list;
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

BOOST_AUTO_TEST_CASE(optimizers_by_name_in_any_case) {
  for (const char* name : {"Adam", "adam", "ADAM"}) BOOST_TEST((*Optimizer(name).as<Adam>() == Adam{}));
  BOOST_TEST(Optimizer("SGD").as<SGD>() != nullptr);
  BOOST_TEST(Optimizer(std::string("RMSprop")).as<RMSprop>() != nullptr);
  BOOST_TEST(Optimizer("adam").as<SGD>() == nullptr);
  BOOST_TEST(to_string(Optimizer(Adam{.learning_rate = 1e-4})) ==
             "adam(learning_rate=0.0001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, weight_decay=0, amsgrad=false, "
             "convention=keras)");
  BOOST_TEST(to_string(Optimizer("sgd")) ==
             "sgd(learning_rate=0.01, momentum=0, dampening=0, nesterov=false, weight_decay=0, convention=keras)");
  const std::string known =
      "sgd, rmsprop, adam, amsgrad, adamw, adagrad, adadelta, adamax, nadam, radam, lion, lamb, lars, adafactor, ftrl, "
      "rprop, asgd, muon, schedule_free_adamw";
  BOOST_TEST(message([] { Optimizer("Adma"); }) ==
             "there is no optimizer \"Adma\". Did you mean \"adam\" or \"adamax\"? Known are: " + known +
                 "\n  at HERE");
  BOOST_TEST(message([] { Optimizer("newton"); }) ==
             "there is no optimizer \"newton\". Known are: " + known + "\n  at HERE");
}

BOOST_AUTO_TEST_CASE(a_convention_chooses_formula_and_defaults) {
  constexpr Convention pytorch = Convention::pytorch;
  BOOST_TEST(to_string(RMSprop{.momentum = 0.5, .convention = pytorch}) ==
             "rmsprop(learning_rate=0.01, rho=0.99, momentum=0.5, epsilon=1e-08, centered=false, weight_decay=0, "
             "convention=pytorch)");
  BOOST_TEST(Optimizer(SGD{.convention = pytorch}).learning_rate().at(0) == 1e-3);
  BOOST_TEST(Optimizer(SGD{.learning_rate = 0.5, .convention = pytorch}).learning_rate().at(0) == 0.5);
  BOOST_TEST(to_string(Optimizer("adamw").with("convention", std::string("PyTorch"))) ==
             "adamw(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.01, amsgrad=false, "
             "convention=pytorch)");
  BOOST_TEST(Optimizer("amsgrad").as<Adam>()->amsgrad);
  for (const char* name : {"ScheduleFreeAdamW", "schedule-free adamw", "SCHEDULE_FREE_ADAMW"})
    BOOST_TEST(Optimizer(name).average() == "x");
}

BOOST_AUTO_TEST_CASE(fields_are_set_by_name) {
  const Optimizer o = Optimizer("adam").with("beta_1", 0.8).with("epsilon", 1e-5).with("amsgrad", true);
  BOOST_TEST((*o.as<Adam>() == Adam{.beta_1 = 0.8, .epsilon = 1e-5, .amsgrad = true}));
  BOOST_TEST(
      message([&] { Optimizer("adam").with("beta1", 0.8); }) ==
      "adam has no field \"beta1\". Did you mean \"beta_1\" or \"beta_2\"? Its fields are: learning_rate, beta_1, "
      "beta_2, epsilon, weight_decay, amsgrad, convention");
  BOOST_TEST(message([&] { Optimizer("adam").with("convention", std::string("jax")); }) ==
             "there is no convention \"jax\": it is \"keras\" or \"pytorch\"");
  BOOST_TEST(message([&] { Optimizer("adam").with("amsgrad", 0.5); }) == "expected a bool, but there is a number");
}

BOOST_AUTO_TEST_CASE(near_names_are_those_that_one_may_have_meant) {
  BOOST_TEST(edit_distance("", "abc") == 3);
  BOOST_TEST(edit_distance("kitten", "Sitting") == 3);
  BOOST_TEST(edit_distance("adma", "adam") == 1);
  const std::vector<std::string> known{"adam", "adamw", "adagrad", "sgd", "rmsprop"};
  BOOST_TEST(near_names("ada", known) == (std::vector<std::string>{"adam", "adamw", "adagrad"}),
             boost::test_tools::per_element());
  BOOST_TEST(did_you_mean("rms", known) == " Did you mean \"rmsprop\"?");
  BOOST_TEST(did_you_mean("xyz", known) == "");
}

BOOST_AUTO_TEST_CASE(fields_that_make_no_sense_are_refused) {
  Graph g;
  const Value w = variable(g, "w", {f32, {}});
  const auto refuse = [&](const Optimizer& o) {
    const std::string text = message([&] { minimize(square(w), o); });
    return text.substr(0, text.find('\n'));
  };
  BOOST_TEST(refuse(Adam{.learning_rate = -1}) ==
             "adam: learning_rate is -1, but must be a number that is not negative");
  BOOST_TEST(refuse(Adam{.beta_2 = 1}) == "adam: beta_2 is 1, but must be at least 0 and less than 1");
  BOOST_TEST(refuse(RMSprop{.rho = 1.5}) == "rmsprop: rho is 1.5, but must be at least 0 and less than 1");
  BOOST_TEST(refuse(SGD{.momentum = NAN}) == "sgd: momentum is nan, but must be at least 0 and less than 1");
  BOOST_TEST(refuse(Adam{.epsilon = 0}) ==
             "adam: epsilon is 0, but must be a number above 0: a gradient of 0 would give 0 / 0");
  BOOST_TEST(refuse(SGD{.momentum = 0.9, .dampening = 0.5}) ==
             "sgd: dampening is PyTorch's: set convention to Convention::pytorch, or dampening to 0");
  BOOST_TEST(refuse(Rprop{.eta_plus = 0.9}) == "rprop: eta_minus must lie between 0 and 1, and eta_plus above 1");
  BOOST_TEST(refuse(Rprop{.step_min = 1, .step_max = 0.5}) == "rprop: step_min must not be above step_max");
  BOOST_TEST(refuse(Ftrl{.learning_rate_power = 0.5}) ==
             "ftrl: learning_rate_power must be a number that is not above 0, -0.5 for instance");
  BOOST_TEST(refuse(Muon{.newton_schulz_steps = 0}) == "muon: newton_schulz_steps is 0, but must be from 1 to 100");
  // Every number of every optimizer: NaN and infinity are refused, and what is below 0, but for two exponents.
  for (const Optimizer& o : all_optimizers())
    for (const auto& [field, value] : o.attributes()) {
      if (!std::holds_alternative<double>(value)) continue;
      const bool exponent = field == "beta_2_decay" || field == "learning_rate_power";
      for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), exponent ? 1.0 : -1.0}) {
        const std::string text = refuse(o.with(field, bad));
        BOOST_TEST(text.starts_with(std::string(o.name()) + ": "), to_string(o) << ", " << field << " " << bad << text);
        BOOST_TEST(text.find(field) != std::string::npos, text);
      }
    }
  BOOST_TEST(refuse(SGD{.nesterov = true}) == "sgd: nesterov needs a momentum above 0, 0.9 for instance");
}

BOOST_AUTO_TEST_CASE(state_is_named_variables_and_its_nodes_are_of_the_update) {
  Graph g;
  Value w, b;
  {
    const Scope scope(g, "dense");
    w = variable(g, "w", {f32, {2, 3}});
    b = variable(g, "b", {f32, {3}});
  }
  const Value loss = sum(square(w)) + sum(square(b));
  const NodeId before = g.size();
  const Minimized m = minimize(loss, "adam");
  const int line = __LINE__ - 1;
  const std::vector<std::string> state{"optimizer/step",           "optimizer/learning_rate",
                                       "optimizer/adam/dense/w/m", "optimizer/adam/dense/w/v",
                                       "optimizer/adam/dense/b/m", "optimizer/adam/dense/b/v"};
  BOOST_TEST(names(m.state) == state, boost::test_tools::per_element());
  BOOST_TEST(names(m.parameters) == (std::vector<std::string>{"dense/w", "dense/b"}), boost::test_tools::per_element());
  BOOST_TEST(m.updates.size() == 7u);  // the step, two parameters, four slots
  BOOST_TEST(variables(g).size() == 2u);
  int corrections = 0;  // one for each beta, whatever the number of parameters
  for (NodeId i = before; i < g.size(); ++i) corrections += g.node(i).op().name() == "tanh" ? 1 : 0;
  BOOST_TEST(corrections == 2);
  for (NodeId i = before; i < g.size(); ++i) {
    const Origin& origin = g.node(i).origin();
    BOOST_TEST((origin.phase == Phase::backward || origin.phase == Phase::update), g.node(i).full_name());
    if (origin.phase == Phase::update) BOOST_TEST(origin.at.line == line, g.node(i).full_name());
  }
}

BOOST_AUTO_TEST_CASE(step_and_learning_rate_are_variables) {
  Graph g;
  const Value w = variable(g, "w", {f64, {}}, {.kind = "constant", .a = 1});
  const Program program = compile(minimize(3.0 * w, SGD{.learning_rate = 0.5}).fetches());
  Store store(g);
  program.run(store, {});
  BOOST_TEST(store.get("w").item<double>() == 1 - 0.5 * 3);
  store.set("optimizer/learning_rate", Tensor::scalar(2.0));
  program.run(store, {});
  BOOST_TEST(store.get("w").item<double>() == 1 - 0.5 * 3 - 2.0 * 3);
  BOOST_TEST(store.get("optimizer/step").item<std::int64_t>() == 2);
}

BOOST_AUTO_TEST_CASE(an_optimizer_of_ones_own_has_slots_of_any_type) {
  Graph g;
  const Value w = variable(g, "w", {f32, {2}}, {.kind = "constant", .a = 1});
  const Program program = compile(minimize(sum(square(w)), SignDescent{}).fetches());
  Store store(g);
  program.run(store, {});
  program.run(store, {});
  BOOST_TEST(store.get("w").data<float>()[1] == 0.5f);
  BOOST_TEST(store.get("optimizer/sign_descent/w/steps").item<float>() == 12.0f);
}

BOOST_AUTO_TEST_CASE(layers_updates_come_along_where_the_loss_depends_on_them) {
  Graph g;
  const Value w = variable(g, "w", {f32, {}}, {.kind = "constant", .a = 1});
  const Value used = variable(g, "used", {f32, {}}, {}, false), unused = variable(g, "unused", {f32, {}}, {}, false);
  g.add_update(assign(used, used + 1.0));
  g.add_update(assign(unused, unused + 1.0));
  const Program program = compile(minimize(square(w) + used, SGD{}).fetches());
  Store store(g);
  program.run(store, {});
  BOOST_TEST(store.get("used").item<float>() == 1.0f);
  BOOST_TEST(store.get("unused").item<float>() == 0.0f);
}

BOOST_AUTO_TEST_CASE(minimize_says_what_it_cannot_minimize) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Value w = variable(g, "w", {f32, {3}}), other = variable(g, "other", {f32, {}});
  BOOST_TEST(
      message([&] { minimize((x * w).named("product"), "sgd"); }) ==
      "minimize: the loss product is f32[4, 3], not a floating-point scalar\n  at HERE\n  Take its mean: mean(loss)");
  BOOST_TEST(message([&] { minimize(mean(x).named("loss"), "sgd"); }) ==
             "minimize: the loss loss depends on no trainable variable\n  at HERE\n  Build it from layers, or from "
             "variable(g, ...)");
  BOOST_TEST(message([&] { minimize(mean(x * w), "sgd", {.parameters = {other}}); }) ==
             "minimize: the loss does not depend on other\n  at HERE\n  Leave it out of the parameters");
  BOOST_TEST(message([&] { minimize(mean(x * w), "sgd", {.parameters = {x}}); }) ==
             "minimize: a parameter is no variable of the loss's graph\n  at HERE\n  Give what variable() or a layer "
             "returned");
  BOOST_TEST(message([&] { minimize({}, "sgd"); }) ==
             "minimize: the loss is an empty Value\n  at HERE\n  Build it first");
}
