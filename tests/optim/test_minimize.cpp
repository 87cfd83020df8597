// What minimize builds: state, updates, optimizers of one's own; and what it refuses.
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_minimize)

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;
using oxbow::test::names;

namespace {

// A user's own optimizer, outside the list.
struct SignDescent {
  static constexpr OptimizerInfo info{.name = "sign_descent"};
  static constexpr SlotName steps{"steps"};
  double learning_rate = 0.25;
  bool operator==(const SignDescent&) const = default;
  std::vector<Slot> slots(const ops::Variable&) const {
    return {{steps, {f32, {}}, {.kind = Init::Kind::constant, .a = 10}}};
  }
  Updated update(const Step& s) const { return {s.parameter - s.rate * sign(s.gradient), {{steps, s[steps] + 1.0}}}; }
};

// Two slots and a shared scalar, read and given by the names in the fields.
struct ByNames {
  static constexpr OptimizerInfo info{.name = "by_names"};
  static constexpr SlotName m{"m"}, v_max{"v_max"};
  double learning_rate = 0.25;
  std::vector<std::string> given{"m", "v_max"};
  std::string read = "m", shared_read = "half";
  bool operator==(const ByNames&) const = default;
  std::vector<Slot> slots(const ops::Variable& p) const { return {{m, p.type}, {v_max, {f64, {}}}}; }
  std::vector<SharedValue> shared(Value rate, Value) const { return {{{"half"}, rate * 0.5}}; }
  Updated update(const Step& s) const {
    Updated u{s.parameter - s[SharedName{shared_read}] * s[SlotName{read}], {}};
    for (const std::string& name : given) {
      const SlotName slot{name};
      u.slots.push_back({slot, name == "v_max" ? s[v_max] + 1.0 : s[m] + 2.0});
    }
    return u;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(slots_are_read_and_given_by_name_in_any_order) {
  const auto after = [](const ByNames& optimizer) {
    Graph g;
    const Value w = variable(g, "w", {f32, {2}});
    const Minimized m = minimize(sum(square(w)), optimizer);
    Store store(g);
    for (int step = 0; step < 3; ++step) compile(m.updates).run(store, {});
    const Tensor first = store.get("optimizer/by_names/w/m"), second = store.get("optimizer/by_names/w/v_max");
    return std::pair(first.data<float>()[1], second.item<double>());
  };
  const std::pair<float, double> want(6, 3);
  BOOST_TEST((after({}) == want));
  BOOST_TEST((after({.given = {"v_max", "m"}}) == want));

  const auto said = [](const ByNames& optimizer) {
    Graph g;
    const Value loss = sum(square(variable(g, "w", {f32, {2}})));
    return message([&] { minimize(loss, optimizer); });
  };
  BOOST_TEST(said({.given = {"m"}}) ==
             "by_names: update gives no value for the slot \"v_max\", which slots() declares\n  at HERE");
  BOOST_TEST(said({.given = {"m", "v_max", "m"}}) ==
             "by_names: update gives two values for the slot \"m\": leave one of them out\n  at HERE");
  BOOST_TEST(
      said({.given = {"m", "v_max", "vmax"}}) ==
      "by_names: update gives a value for the slot \"vmax\", which is not there. Did you mean \"v_max\"? slots() "
      "declares: m, v_max\n  at HERE");
  BOOST_TEST(
      said({.read = "v_mx"}) ==
      "by_names: update reads the slot \"v_mx\", which is not there. Did you mean \"v_max\"? slots() declares: m, "
      "v_max\n  at HERE");
  BOOST_TEST(said({.shared_read = "quarter"}) ==
             "by_names: update reads the shared scalar \"quarter\", which is not there. shared() declares: half\n  at "
             "HERE");
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
  const Value w = variable(g, "w", {f64, {}}, {.kind = Init::Kind::constant, .a = 1});
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
  const Value w = variable(g, "w", {f32, {2}}, {.kind = Init::Kind::constant, .a = 1});
  const Program program = compile(minimize(sum(square(w)), SignDescent{}).fetches());
  Store store(g);
  program.run(store, {});
  program.run(store, {});
  BOOST_TEST(store.get("w").data<float>()[1] == 0.5f);
  BOOST_TEST(store.get("optimizer/sign_descent/w/steps").item<float>() == 12.0f);
}

BOOST_AUTO_TEST_CASE(layers_updates_come_along_where_the_loss_depends_on_them) {
  Graph g;
  const Value w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 1});
  const Value used = variable(g, "used", {f32, {}}, {}, false), unused = variable(g, "unused", {f32, {}}, {}, false);
  g.add_update(assign(used, used + 1.0));
  g.add_update(assign(unused, unused + 1.0));
  const Program program = compile(minimize(square(w) + used, SGD{}).fetches());
  Store store(g);
  program.run(store, {});
  BOOST_TEST(store.get("used").item<float>() == 1.0f);
  BOOST_TEST(store.get("unused").item<float>() == 0.0f);
}

// A discriminator, say: one loss sees both calls, the other one the second call alone.
BOOST_AUTO_TEST_CASE(a_shared_batch_norm_is_updated_by_the_calls_of_the_loss) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 1}), y = input(g, "y", f64, {any(4), 1});
  const BatchNorm norm({.momentum = 0.5});
  const Value a = norm(x), b = norm(y);
  const Tensor ones = Tensor::of<double>({4, 1}, {1, 1, 1, 1}), threes = Tensor::of<double>({4, 1}, {3, 3, 3, 3});
  Model second = compile(mean(b * b), "sgd");
  second.fit({{"y", threes}}, {.epochs = 1, .batch_size = 4});
  BOOST_TEST(second.store().get("batch_norm/running_mean").item<double>() == 1.5);
  Model both = compile(mean(a * a + b), "sgd");
  both.fit({{"x", ones}, {"y", threes}}, {.epochs = 1, .batch_size = 4});
  BOOST_TEST(both.store().get("batch_norm/running_mean").item<double>() == 1.75);
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
             "parameter(g, ...)");
  BOOST_TEST(message([&] { minimize(mean(x * w), "sgd", {.parameters = {other}}); }) ==
             "minimize: the loss does not depend on other\n  at HERE\n  Leave it out of the parameters");
  BOOST_TEST(
      message([&] { minimize(mean(x * w), "sgd", {.parameters = {x}}); }) ==
      "minimize: a parameter is not a variable of the loss's graph\n  at HERE\n  Give what variable() or a layer "
      "returned");
  const BatchNorm norm;
  const Value y = mean(norm(x) + Dense(3, {.trainable = false})(x));
  BOOST_TEST(message([&] { minimize(y, "sgd", {.parameters = norm.variables()}); }) ==
             "minimize: the parameter batch_norm/running_mean is not trainable: it is frozen, or a layer's state\n  at "
             "HERE\n  Leave it out: layer.parameters() has those that are trained");
  BOOST_TEST(message([&] { minimize(y, "sgd", {.parameters = {g.find("dense/kernel")->output()}}); }) ==
             "minimize: the parameter dense/kernel is not trainable: it is frozen, or a layer's state\n  at HERE\n  "
             "Leave it out: layer.parameters() has those that are trained");
  BOOST_TEST(minimize(y, "sgd", {.parameters = norm.parameters()}).parameters.size() == 2u);
  BOOST_TEST(message([&] { minimize({}, "sgd"); }) ==
             "minimize: the loss is an empty Value\n  at HERE\n  Build it first");
}

BOOST_AUTO_TEST_SUITE_END()
