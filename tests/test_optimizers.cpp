// Optimizers: each against its recurrence in plain double, names, slots, checks; and what `minimize` builds.
#include <oxbow/graph/near_names.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/adam.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/rmsprop.h>
#include <oxbow/optim/sgd.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/message.h"

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;

namespace {

// w, step number, gradient -> the next w; keeps its own state.
using Recurrence = std::function<double(double w, int t, double g)>;

struct Case {
  std::string what;
  Optimizer optimizer;
  std::function<Recurrence()> recurrence;
};

std::vector<Case> cases() {
  return {
      {"sgd", SGD{.learning_rate = 0.1}, [] { return [](double w, int, double g) { return w - 0.1 * g; }; }},
      {"momentum", SGD{.learning_rate = 0.01, .momentum = 0.9},
       [] {
         return [v = 0.0](double w, int, double g) mutable {
           v = 0.9 * v - 0.01 * g;
           return w + v;
         };
       }},
      {"nesterov", SGD{.learning_rate = 0.01, .momentum = 0.8, .nesterov = true},
       [] {
         return [v = 0.0](double w, int, double g) mutable {
           v = 0.8 * v - 0.01 * g;
           return w + 0.8 * v - 0.01 * g;
         };
       }},
      {"rmsprop", RMSprop{},
       [] {
         return [s = 0.0](double w, int, double g) mutable {
           s = 0.9 * s + 0.1 * g * g;
           return w - 1e-3 * g / std::sqrt(s + 1e-7);
         };
       }},
      {"rmsprop, centered, momentum", RMSprop{.learning_rate = 0.01, .rho = 0.95, .momentum = 0.5, .centered = true},
       [] {
         return [s = 0.0, a = 0.0, v = 0.0](double w, int, double g) mutable {
           s = 0.95 * s + 0.05 * g * g;
           a = 0.95 * a + 0.05 * g;
           v = 0.5 * v + 0.01 * g / std::sqrt(std::max(s - a * a, 0.0) + 1e-7);
           return w - v;
         };
       }},
      {"adam", Adam{.learning_rate = 0.01},
       [] {
         return [m = 0.0, v = 0.0](double w, int t, double g) mutable {
           m = 0.9 * m + 0.1 * g;
           v = 0.999 * v + 0.001 * g * g;
           const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
           return w - rate * m / (std::sqrt(v) + 1e-7);
         };
       }},
      {"adam without memory", Adam{.learning_rate = 0.01, .beta_1 = 0, .beta_2 = 0},
       [] { return [](double w, int, double g) { return w - 0.01 * g / (std::abs(g) + 1e-7); }; }}};
}

// The largest |w - recurrence| / max(1, |recurrence|) over `steps` steps on random gradients of several sizes, as fed
// through the loss sum(w g).
double largest_error(const Case& c, DType dtype, int steps) {
  constexpr std::int64_t n = 37;
  Graph g;
  const Value w = variable(g, "w", {dtype, {n}}, {.kind = "constant", .a = 0.5});
  const Value slope = input(g, "slope", dtype, {n});
  const Program program = compile(minimize(sum(w * slope), c.optimizer).fetches());
  Store store(g);
  Session session(program, store);
  std::vector<double> expected(n, 0.5);
  std::vector<Recurrence> recurrences;
  for (std::int64_t i = 0; i < n; ++i) recurrences.push_back(c.recurrence());
  double worst = 0;
  for (int t = 1; t <= steps; ++t) {
    Tensor slopes = draw({n}, -2, 3, static_cast<std::uint64_t>(t), dtype);
    dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      for (std::size_t i = 0; i < n; ++i) {
        T& slope_i = slopes.data<T>()[i];
        slope_i = static_cast<T>(slope_i * std::pow(10.0, static_cast<double>(i % 5) - 3));
        expected[i] = recurrences[i](expected[i], t, static_cast<double>(slope_i));
      }
      session.feed("slope", slopes);
      session.run();
      const Tensor now = store.get("w");
      for (std::size_t i = 0; i < n; ++i)
        worst = std::max(worst, std::abs(now.data<T>()[i] - expected[i]) / std::max(1.0, std::abs(expected[i])));
    });
  }
  return worst;
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

BOOST_AUTO_TEST_CASE(each_optimizer_follows_its_recurrence) {
  for (const Case& c : cases()) {
    BOOST_TEST(largest_error(c, f64, 1000) < 1e-12, c.what);
    BOOST_TEST(largest_error(c, f32, 100) < 3e-5, c.what);
  }
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
