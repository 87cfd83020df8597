// Optimizers by name, their fields and conventions, and values of these that are refused.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/ftrl.h>
#include <oxbow/optim/optimizers/muon.h>
#include <oxbow/optim/optimizers/rmsprop.h>
#include <oxbow/optim/optimizers/rprop.h>
#include <oxbow/optim/optimizers/sgd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/all_optimizers.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_optimizer_names)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::optim;
using oxbow::test::all_optimizers;
using oxbow::test::message;

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
  const std::string known = listed(oxbow::optim::optimizer_names());
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
      "beta_2, epsilon, weight_decay, amsgrad, convention\n  at HERE");
  BOOST_TEST(message([&] { Optimizer("adam").with("convention", std::string("jax")); }) ==
             "adam: convention: there is no convention \"jax\". Known are: keras, pytorch\n  at HERE");
  BOOST_TEST(message([&] { Optimizer("adam").with("convention", std::string("PyTroch")); }) ==
             "adam: convention: there is no convention \"pytroch\". Did you mean \"pytorch\"? Known are: keras, "
             "pytorch\n  at HERE");
  BOOST_TEST(message([&] { Optimizer("adam").with("amsgrad", 0.5); }) ==
             "adam: amsgrad: expected a bool, but there is a number\n  at HERE");
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

BOOST_AUTO_TEST_SUITE_END()
