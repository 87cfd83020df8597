// Parameter groups and gradient clipping: what they do, and what is refused.
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/adamw.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/optim/schedules.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/message.h"
#include "support/slopes.h"

BOOST_AUTO_TEST_SUITE(test_groups)

using namespace oxbow;
using namespace oxbow::optim;
using namespace oxbow::test;

namespace {

std::string refuse(const Optimizer& optimizer, MinimizeOptions options) {
  const Slopes net;
  return message([&] { minimize(net.loss, optimizer, std::move(options), At::current()); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(patterns) {
  BOOST_TEST(matches("*/bias", "encoder/layer1/bias"));
  BOOST_TEST(!matches("*/bias", "encoder/layer1/bias2"));
  BOOST_TEST(!matches("*/bias", "bias"));
  BOOST_TEST(matches("*bias", "bias"));
  BOOST_TEST(matches("encoder/*", "encoder/layer1/weight"));
  BOOST_TEST(matches("layer?/weight", "layer1/weight"));
  BOOST_TEST(!matches("layer?/weight", "layer12/weight"));
  BOOST_TEST(matches("*a*b*c", "xxaxbxbxc"));
  BOOST_TEST(!matches("*a*b*c", "xxaxbxbxcx"));
  BOOST_TEST(matches("**", ""));
  BOOST_TEST(!matches("", "a"));
  BOOST_TEST(!matches("?", ""));
}

BOOST_AUTO_TEST_CASE(groups_have_rates_decays_and_optimizers_of_their_own) {
  Run1 rates(SGD{.learning_rate = 0.5}, {.groups = {{.pattern = "*/bias", .rate = 0.1}}});
  rates.run({1, 2, 3, 4, 5, 6});
  close(rates.values("first/weight"), {0.5, 0, -0.5, -1, -1.5, -2});
  close(rates.values("second/bias"), {1.95, 1.9, 1.85, 1.8, 1.75, 1.7});

  Run1 decays(AdamW{.learning_rate = 0.5, .weight_decay = 0.1},
              {.groups = {{.pattern = "*/bias", .weight_decay = 0.0}}});
  decays.run({0, 0, 0, 0, 0, 0});
  close(decays.values("first/weight"), std::vector<double>(6, 0.95));
  close(decays.values("second/bias"), std::vector<double>(6, 2));

  Run1 own(SGD{.learning_rate = 0.5}, {.groups = {{.pattern = "first/*", .optimizer = Adam{.learning_rate = 0.25}}}});
  own.run({1, 1, 1, 1, 1, -1});
  close(own.values("first/weight"), {0.75, 0.75, 0.75, 0.75, 0.75, 1.25}, 1e-6);
  close(own.values("second/bias"), {1.5, 1.5, 1.5, 1.5, 1.5, 2.5});
  BOOST_TEST(own.value("optimizer/group_1/learning_rate") == 0.25);
  own.store.set("optimizer/group_1/learning_rate", Tensor::scalar(0.0));
  own.run({1, 1, 1, 1, 1, -1});
  close(own.values("first/weight"), {0.75, 0.75, 0.75, 0.75, 0.75, 1.25}, 1e-6);

  Run1 frozen("adam", {.groups = {{.pattern = "first/*", .frozen = true}}});
  frozen.run({1, 2, 3, 4, 5, 6});
  close(frozen.values("first/weight"), std::vector<double>(6, 1));
  BOOST_TEST(frozen.step.parameters.size() == 1u);
  BOOST_TEST(!frozen.store.contains("optimizer/adam/first/weight/m"));

  // The first group that matches wins.
  Run1 both(SGD{.learning_rate = 1},
            {.groups = {{.pattern = "first/weight", .rate = 0.5}, {.pattern = "*", .rate = 0}}});
  both.run({1, 1, 1, 1, 1, 1});
  close(both.values("first/weight"), std::vector<double>(6, 0.5));
  close(both.values("second/bias"), std::vector<double>(6, 2));
}

BOOST_AUTO_TEST_CASE(a_group_with_a_schedule_shows_its_own_rate) {
  Run1 r(SGD{.learning_rate = Linear{.initial = 1, .steps = 10}},
         {.groups = {{.pattern = "*/bias", .optimizer = SGD{.learning_rate = Linear{.initial = 0.5, .steps = 5}}}}});
  r.run({0, 0, 0, 0, 0, 0});
  r.run({0, 0, 0, 0, 0, 0});
  BOOST_TEST(r.value("optimizer/learning_rate") == 0.9);
  BOOST_TEST(r.value("optimizer/group_1/learning_rate") == 0.4);
}

BOOST_AUTO_TEST_CASE(groups_that_make_no_sense_are_refused) {
  const std::string end = "\n  at ";
  const auto begins = [](const std::string& text, const std::string& with) {
    BOOST_TEST(text.substr(0, with.size()) == with);
  };
  begins(refuse("adam", {.groups = {{.pattern = "second/bais"}}}),
         "minimize: parameter group \"second/bais\" matches no parameter. Did you mean \"second/bias\"? There are: "
         "first/weight, second/bias" +
             end);
  begins(refuse("adam", {.groups = {{.pattern = ""}}}),
         "minimize: parameter group \"\" matches no parameter. There are: first/weight, second/bias" + end);
  begins(
      refuse("adam", {.groups = {{.pattern = "*"}, {.pattern = "*/bias"}}}),
      "minimize: parameter group \"*/bias\" is empty: what it matches belongs to the group \"*\", which comes first. "
      "Put the narrower pattern before the wider one" +
          end);
  begins(refuse("adam", {.groups = {{.pattern = "*", .frozen = true}}}),
         "minimize: all parameters are frozen by their groups" + end);
  begins(refuse("adam", {.groups = {{.pattern = "*", .rate = -1}}}),
         "minimize: parameter group \"*\": rate is -1, but must be a number that is not negative" + end);
  begins(refuse("rprop", {.groups = {{.pattern = "*", .weight_decay = 0.1}}}),
         "minimize: parameter group \"*\": rprop has no field \"weight_decay\"");
  begins(refuse("adam", {.clip = {.norm = -1}}), "clip: norm is -1, but must be a number that is not negative" + end);
  begins(refuse("adam", {.accumulate = 0}), "minimize: accumulate is 0" + end);
  begins(refuse("adam", {.average = EMA{.decay = 1}}), "EMA: decay is 1, but must be at least 0 and less than 1" + end);
  begins(refuse("adam", {.average = SWA{.every = 0}}),
         "SWA: start is 0 and every is 0, but must be at least 0 and 1" + end);
  begins(refuse("adam", {.loss_scale = LossScale{.initial = 0}}), "loss_scale: initial is 0, but must be ");
  begins(refuse("adam", {.loss_scale = LossScale{.growth = 1}}),
         "loss_scale: growth must be above 1, and shrink lie between 0 and 1" + end);
}

BOOST_AUTO_TEST_CASE(gradients_are_clipped) {
  const auto moved = [](Clip clip, std::initializer_list<double> slopes) {
    Run1 r(SGD{.learning_rate = 1}, {.clip = clip});
    r.run(slopes);
    std::vector<double> all = r.values("first/weight"), b = r.values("second/bias");
    for (double& v : all) v = 1 - v;
    for (const double v : b) all.push_back(2 - v);
    return all;
  };
  close(moved({.value = 2}, {-5, -1, 0, 1, 2, 5}), {-2, -1, 0, 1, 2, 2, -2, -1, 0, 1, 2, 2});
  close(moved({.norm = 1}, {3, 4, 0, 0, 0, 0}), {0.6, 0.8, 0, 0, 0, 0, 0.6, 0.8, 0, 0, 0, 0});
  close(moved({.norm = 6}, {3, 4, 0, 0, 0, 0}), {3, 4, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0});
  const double s = std::sqrt(50.0);
  close(moved({.global_norm = 1}, {3, 4, 0, 0, 0, 0}), {3 / s, 4 / s, 0, 0, 0, 0, 3 / s, 4 / s, 0, 0, 0, 0});
  close(moved({.global_norm = 8}, {3, 4, 0, 0, 0, 0}), {3, 4, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0});
  close(moved({.global_norm = 1}, {0, 0, 0, 0, 0, 0}), std::vector<double>(12, 0));
  // Units are columns: |w| is sqrt 2 and 2 sqrt 2 in each of them.
  const double w = 0.5 * std::sqrt(2.0);
  close(moved({.adaptive = 0.5}, {3, 0, 0.1, 4, 0, 0.2}),
        {0.6 * w, 0, 0.1, 0.8 * w, 0, 0.2, 1.2 * w, 0, 0.1, 1.6 * w, 0, 0.2});
}

BOOST_AUTO_TEST_CASE(the_norm_of_gradients_can_be_read) {
  Slopes net;
  const Minimized m = minimize(net.loss, "sgd", {.clip = {.global_norm = 1}});
  Store store(net.g);
  Session session(oxbow::compile({m.gradient_norm}), store);
  session.feed("slope", Tensor::of<double>({2, 3}, {1, 2, 3, 4, 5, 6}));
  session.run();
  BOOST_TEST(std::abs(session.fetch<double>(0)[0] - std::sqrt(182.0)) < 1e-13);
  BOOST_TEST(!minimize(Slopes().loss, "sgd").gradient_norm);
}

BOOST_AUTO_TEST_SUITE_END()
