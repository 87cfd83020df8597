// What makes no sense around training is refused in words that say what to do; where it is allowed, it does what the
// headers state.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/lr_find.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/adamw.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/optim/schedules.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_training_input)

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;

namespace {

constexpr double nan_ = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

// loss = mean((x w + v)^2) over samples of two numbers; all weights begin at 1.
struct Net {
  Graph g;
  Value x = input(g, "x", f64, {any(4), 2});
  Value w = variable(g, "w", {f64, {2}}, {.kind = Init::Kind::constant, .a = 1});
  Value v = variable(g, "v", {f64, {2}}, {.kind = Init::Kind::constant, .a = 1});
  Value loss = mean(square(x * w + v));

  std::string refuses(const Optimizer& optimizer, const MinimizeOptions& options = {}) const {
    return message([&] { compile(loss, optimizer, {.minimize = options}, At::current()); });
  }
};

// Eight samples, of which the second one has `special` in its second place.
Dataset data(double special = 0.5) {
  Tensor x({f64, {8, 2}});
  for (int i = 0; i < 16; ++i) x.data<double>()[i] = 0.1 * i;
  x.data<double>()[3] = special;
  return {{"x", x}};
}

std::vector<double> values(Model& model, const std::string& name) {
  const Tensor t = model.store().get(name);
  return {t.data<double>(), t.data<double>() + t.count()};
}

bool begins(const std::string& text, const std::string& begin) { return text.compare(0, begin.size(), begin) == 0; }

}  // namespace

BOOST_AUTO_TEST_CASE(rates_that_are_no_rates) {
  const Net net;
  const std::string must = ", but must be a number that is not negative";
  for (const auto& [rate, text] : {std::pair{-1.0, "-1"}, std::pair{nan_, "nan"}, std::pair{infinity, "inf"}}) {
    BOOST_TEST(begins(net.refuses(SGD{.learning_rate = rate}), std::string("sgd: learning_rate is ") + text + must));
    BOOST_TEST(begins(net.refuses(SGD{}, {.groups = {{.pattern = "w", .rate = rate}}}),
                      std::string("minimize: parameter group \"w\": rate is ") + text + must));
    BOOST_TEST(begins(net.refuses(AdamW{}, {.groups = {{.pattern = "w", .weight_decay = rate}}}),
                      std::string("minimize: parameter group \"w\": weight_decay is ") + text + must));
    BOOST_TEST(begins(net.refuses(SGD{}, {.groups = {{.pattern = "w", .optimizer = SGD{.learning_rate = rate}}}}),
                      std::string("minimize: sgd: learning_rate is ") + text + must));
    BOOST_TEST(begins(net.refuses(SGD{}, {.clip = {.global_norm = rate}}),
                      std::string("clip: global_norm is ") + text + must));
    BOOST_TEST(begins(net.refuses(SGD{.learning_rate = Warmup{.steps = 5, .then = rate}}),
                      std::string("warmup: then is ") + text + must));
    Model model = compile(net.loss, SGD{});
    BOOST_TEST(message([&, r = rate] { model.set_learning_rate(r); }) ==
               std::string("set_learning_rate: the rate is ") + text + must);
    BOOST_TEST(begins(message([&, r = rate] { find_rate(model, data(), {.lowest = r}); }), "find_rate: the rates go"));
  }
  Model still = compile(net.loss, SGD{.learning_rate = 0});  // stated: nothing moves
  still.fit(data());
  BOOST_TEST(values(still, "w") == (std::vector<double>{1, 1}), boost::test_tools::per_element());
  BOOST_TEST(still.steps() == 1);
}

BOOST_AUTO_TEST_CASE(no_steps) {
  const Net net;
  BOOST_TEST(begins(net.refuses(SGD{}, {.accumulate = 0}), "minimize: accumulate is 0\n"));
  BOOST_TEST(begins(net.refuses(SGD{.learning_rate = Cosine{.initial = 0.1, .steps = 0}}),
                    "cosine: steps is 0, but must be at least 1"));
  BOOST_TEST(begins(net.refuses(SGD{}, {.average = SWA{.every = 0}}), "SWA: start is 0 and every is 0, but must be"));
  Model model = compile(net.loss, SGD{});
  const std::string least = ". Give at least 0 and 1";
  BOOST_TEST(message([&] { model.fit(data(), {.epochs = -1}); }) == "fit: epochs is -1 and first_epoch is 1" + least);
  BOOST_TEST(message([&] { model.fit(data(), {.first_epoch = 0}); }) ==
             "fit: epochs is 1 and first_epoch is 0" + least);
  BOOST_TEST(message([&] { model.fit(data(), {.epochs = std::numeric_limits<int>::max(), .first_epoch = 2}); }) ==
             "fit: 2147483647 epochs from epoch 2 on are more than can be counted. Give fewer");
  BOOST_TEST(message([&] { model.fit(data(), {.batch_size = -3}); }) == "fit: the batch size is -3. Give at least 1");
  BOOST_TEST(message([&] { model.evaluate(data(), 0); }) == "evaluate: the batch size is 0. Give at least 1");
  BOOST_TEST(message([&] { model.fit({{"x", Tensor({f64, {0, 2}})}}); }) == "fit: the data have no samples");
  BOOST_TEST(model.steps() == 0);
}

BOOST_AUTO_TEST_CASE(groups_and_parameters) {
  const Net net;
  BOOST_TEST(begins(net.refuses("adam", {.groups = {{.pattern = "dense/*"}}}),
                    "minimize: parameter group \"dense/*\" matches no parameter. There are: w, v\n"));
  BOOST_TEST(begins(net.refuses("adam", {.groups = {{.pattern = ""}}}), "minimize: parameter group \"\" matches no"));
  BOOST_TEST(begins(net.refuses("adam", {.groups = {{.pattern = "*"}, {.pattern = "w"}}}),
                    "minimize: parameter group \"w\" is empty: what it matches belongs to the group \"*\", which comes "
                    "first. Put the narrower pattern before the wider one\n"));
  BOOST_TEST(begins(net.refuses("adam", {.groups = {{.pattern = "*", .frozen = true}}}),
                    "minimize: all parameters are frozen by their groups\n"));
  for (const char* optimizer : {"sgd", "adam"})  // without slots and with some
    BOOST_TEST(begins(net.refuses(optimizer, {.parameters = {net.w, net.v, net.w}}),
                      "minimize: the parameter w is given twice. Give each one once\n"));
}

BOOST_AUTO_TEST_CASE(early_stopping) {
  const Net net;
  Model model = compile(net.loss, SGD{.learning_rate = 0.1});
  const auto stops = [&](EarlyStopping e) {
    e.monitor = "loss";
    return message([&] { model.fit(data(), {.epochs = 3, .early_stopping = e}); });
  };
  BOOST_TEST(stops({.patience = -1}) ==
             "fit: early stopping: patience is -1, but must be a number that is not negative");
  BOOST_TEST(stops({.min_delta = nan_}) ==
             "fit: early stopping: min_delta is nan, but must be a number that is not negative");
  BOOST_TEST(model.steps() == 0);
  // Stated: a NaN is no better result. So training ends, with the weights that it came to.
  const History h =
      model.fit(data(nan_), {.epochs = 9, .early_stopping = EarlyStopping{.monitor = "loss", .patience = 1}});
  BOOST_TEST(h.epochs.size() == 2u);
  BOOST_TEST(h.best_epoch == 0);
  BOOST_TEST(h.stopped);
}

// By default a NaN or Inf in a gradient goes into the weights; clipping changes where to, as clip.h states.
BOOST_AUTO_TEST_CASE(clipped_gradients_that_are_not_finite) {
  const Net net;
  const auto trained = [&](const Clip& clip, double special) {
    Model model = compile(net.loss, SGD{.learning_rate = 0.1}, {.minimize = {.clip = clip}});
    model.fit(data(special));
    std::vector<double> all = values(model, "w");
    for (const double v : values(model, "v")) all.push_back(v);
    return all;
  };
  const auto bad = [](const std::vector<double>& v) {
    std::string text;
    for (const double x : v) text += std::isnan(x) ? "n" : std::isfinite(x) ? "." : "i";
    return text;
  };
  BOOST_TEST(bad(trained({}, nan_)) == ".n.n");
  BOOST_TEST(bad(trained({.value = 1}, nan_)) == ".n.n");
  for (const Clip& clip : {Clip{.norm = 1}, Clip{.global_norm = 1}, Clip{.adaptive = 1}}) {
    BOOST_TEST(bad(trained(clip, nan_)) == "nnnn");
    const std::vector<double> infinite = trained(clip, infinity);
    BOOST_TEST(bad(infinite) == ".n.n");
    BOOST_TEST(infinite[0] == 1);  // where it was: its gradient became 0
  }
  const std::vector<double> within = trained({.value = 1}, infinity);
  BOOST_TEST(std::abs(within[1] - 0.9) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite) {
  const Net net;
  Model model = compile(net.loss, SGD{});
  BOOST_TEST(
      message([&] { find_rate(model, data(nan_), {}); }) ==
      "find_rate: the loss is not finite before any step. Look for bad data, or for a net that begins with too large "
      "weights");
  BOOST_TEST(values(model, "w") == (std::vector<double>{1, 1}), boost::test_tools::per_element());

  Model plateau = compile(net.loss, SGD{.learning_rate = Plateau{.initial = 0.1, .factor = 0.5, .patience = 0}});
  plateau.fit(data(nan_), {.epochs = 3});  // stated: no better results
  BOOST_TEST(plateau.store().get("optimizer/plateau/scale").item<double>() == 0.125);
}

BOOST_AUTO_TEST_SUITE_END()
