// What surrounds an optimizer: groups, clipping, accumulation, averages, loss scaling, and gradients with NaN and Inf.
#include <oxbow/graph/sample.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/adam.h>
#include <oxbow/optim/adamw.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/schedule_free.h>
#include <oxbow/optim/schedules.h>
#include <oxbow/optim/sgd.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/message.h"
#include "support/temporary_folder.h"

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// loss = sum(slope a) + sum(slope b): the gradient of both is what is fed.
struct Slopes {
  Graph g;
  Value a, b, slope, loss;
  Slopes() {
    slope = input(g, "slope", f64, {2, 3});
    {
      const Scope scope(g, "first");
      a = variable(g, "weight", {f64, {2, 3}}, {.kind = "constant", .a = 1});
    }
    const Scope scope(g, "second");
    b = variable(g, "bias", {f64, {2, 3}}, {.kind = "constant", .a = 2});
    loss = sum(slope * a) + sum(slope * b);
  }
};

// One graph with its step, run on slopes.
struct Run1 {
  Slopes net;
  Minimized step;
  Store store;
  Session session;
  Run1(const Optimizer& optimizer, MinimizeOptions options)
      : step(minimize(net.loss, optimizer, std::move(options))),
        store(net.g),
        session(oxbow::compile(step.fetches()), store) {}
  void run(std::initializer_list<double> slopes) {
    session.feed("slope", Tensor::of<double>({2, 3}, slopes));
    session.run();
  }
  std::vector<double> values(const std::string& name) const {
    const Tensor t = store.get(name);
    return {t.data<double>(), t.data<double>() + t.count()};
  }
  double value(const std::string& name) const { return store.get(name).item<double>(); }
};

// loss = mean((w - x)^2)
struct Mean {
  Graph g;
  Value x = input(g, "x", f64, {any(4)});
  Value w = variable(g, "w", {f64, {}});
  Value loss = mean(square(w - x));
};

Dataset numbers(std::int64_t n) { return {{"x", draw({n}, -1, 3, 1, f64)}}; }

std::string refuse(const Optimizer& optimizer, MinimizeOptions options) {
  const Slopes net;
  return message([&] { minimize(net.loss, optimizer, std::move(options), At::current()); });
}

void close(const std::vector<double>& got, const std::vector<double>& want, double tolerance = 1e-14) {
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(std::abs(got[i] - want[i]) <= tolerance, i << ": " << got[i] << ", not " << want[i]);
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

// A step over k minibatches is one over all their samples; the last ones of an epoch are a step as well.
BOOST_AUTO_TEST_CASE(accumulated_minibatches_are_one_large_one) {
  for (const auto& [samples, size, k] : {std::tuple{24, 4, 3}, {23, 4, 3}, {26, 5, 2}, {7, 2, 10}}) {
    const Mean net;
    const Optimizer optimizer = SGD{.learning_rate = 0.125, .momentum = 0.5};
    Model small = compile(net.loss, optimizer, {.minimize = {.accumulate = k}}), large = compile(net.loss, optimizer);
    const Dataset data = numbers(samples);
    small.fit(data, {.epochs = 3, .batch_size = size});
    large.fit(data, {.epochs = 3, .batch_size = size * k});
    BOOST_TEST(small.steps() == large.steps());
    const double a = small.store().get("w").item<double>(), b = large.store().get("w").item<double>();
    BOOST_TEST(std::abs(a - b) < 1e-14, samples << " samples by " << size << ", " << k << ": " << a << " and " << b);
  }
}

BOOST_AUTO_TEST_CASE(a_fit_that_is_not_resumed_forgets_what_was_gathered) {
  const Mean net;
  const Dataset data = numbers(32);
  const auto train = [&](bool interrupted) {
    Model model = compile(net.loss, "sgd", {.minimize = {.accumulate = 4}});
    if (interrupted) {
      const auto stop = [](Progress& p) { p.stop = p.step == 2; };  // amid the first step
      model.fit(data, {.batch_size = 4, .callbacks = {{.on_step = stop}}});
      BOOST_TEST(model.steps() == 0);
    }
    model.fit(data, {.batch_size = 4});
    return model.store().get("w");
  };
  BOOST_TEST(same_bits(train(true), train(false)));
}

BOOST_AUTO_TEST_CASE(averages_follow_the_weights) {
  for (const Average& average : {Average(EMA{.decay = 0.75}), Average(SWA{.start = 3, .every = 2}), Average(SWA{})}) {
    Run1 r(SGD{.learning_rate = 0.1}, {.average = average});
    double w = 1, a = 1, sum = 0;
    int taken = 0;
    for (int t = 1; t <= 12; ++t) {
      const double slope = 0.3 * t - 1;
      r.run({slope, 0, 0, 0, 0, 0});
      w -= 0.1 * slope;
      if (const auto* swa = std::get_if<SWA>(&average)) {
        const bool now = t > swa->start && (t - swa->start) % swa->every == 0;
        if (now) {
          sum += w;
          ++taken;
        }
        a = taken == 0 ? w : sum / taken;
      } else {
        a = 0.75 * a + 0.25 * w;
      }
      BOOST_TEST(std::abs(r.values("first/weight")[0] - w) < 1e-14);
      BOOST_TEST(std::abs(r.values("optimizer/average/first/weight")[0] - a) < 1e-14, "step " << t);
    }
  }
}

BOOST_AUTO_TEST_CASE(evaluation_and_prediction_take_the_averages) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4)}), y = input(g, "y", f64, {any(4)});
  const Value w = variable(g, "w", {f64, {}}, {.kind = "constant", .a = 4});
  const Value predicted = w * x, loss = mean(square(predicted - y));
  const Tensor xs = draw({16}, 1, 2, 1, f64), ys = draw({16}, 1, 2, 2, f64), one = Tensor::of<double>({1}, {1.0});
  const Dataset data{{"x", xs}, {"y", ys}};
  const test::TemporaryFolder folder;
  for (const bool schedule_free : {false, true}) {
    const Optimizer optimizer =
        schedule_free ? Optimizer(ScheduleFreeAdamW{.learning_rate = 0.1}) : SGD{.learning_rate = 0.1};
    ModelOptions options{.predictions = predicted};
    if (!schedule_free) options.minimize.average = EMA{.decay = 0.5};
    Model model = compile(loss, optimizer, options);
    BOOST_TEST(model.predict(one).item<double>() == 4);  // before the first step
    model.save(folder / "none.safetensors", Saved::averages);
    BOOST_TEST(load_safetensors(folder / "none.safetensors").tensors[0].second.item<double>() == 4);
    model.fit(data, {.batch_size = 4});
    const std::string name = schedule_free ? "optimizer/schedule_free_adamw/w/x" : "optimizer/average/w";
    const double average = model.store().get(name).item<double>(), last = model.store().get("w").item<double>();
    BOOST_TEST(average != last);
    BOOST_TEST(model.predict(one).item<double>() == average);
    double expected = 0;
    for (std::int64_t i = 0; i < 16; ++i)
      expected += std::pow(average * xs.data<double>()[i] - ys.data<double>()[i], 2) / 16;
    BOOST_TEST(std::abs(model.evaluate(data)["loss"] - expected) < 1e-13);

    model.save(folder / "w.safetensors", Saved::averages);
    Model plain = compile(loss, "sgd", {.predictions = predicted});
    plain.load(folder / "w.safetensors");
    BOOST_TEST(plain.predict(one).item<double>() == average);
    model.save(folder / "w.safetensors");
    plain.load(folder / "w.safetensors");
    BOOST_TEST(plain.predict(one).item<double>() == last);
  }
}

BOOST_AUTO_TEST_CASE(a_scaled_loss_gives_the_same_steps) {
  Run1 plain("adam", {}), scaled("adam", {.loss_scale = LossScale{.dynamic = false}}),
      dynamic("adam", {.loss_scale = LossScale{}});
  for (int t = 0; t < 5; ++t)
    for (Run1* r : {&plain, &scaled, &dynamic}) r->run({1e-3, 2, -3, 0.1 * t, 5, 6});
  for (const Run1* r : {&scaled, &dynamic}) close(r->values("first/weight"), plain.values("first/weight"), 0);
  BOOST_TEST(scaled.value("optimizer/loss_scale") == 65536);
}

BOOST_AUTO_TEST_CASE(a_dynamic_scale_shrinks_on_overflow_and_grows_again) {
  Run1 r(SGD{.learning_rate = 1, .momentum = 0.5}, {.loss_scale = LossScale{.initial = 8, .interval = 3}});
  double scale = 8;
  int good = 0, steps = 0, skipped = 0;
  for (const double slope : {1.0, infinity, 1.0, 1.0, 1.0, 1.0, std::nan(""), 1.0, 1.0, 1.0}) {
    const std::vector<double> before = r.values("first/weight");
    r.run({slope, 0, 0, 0, 0, 0});
    if (std::isfinite(slope)) {
      ++steps;
      if (++good == 3) {
        scale *= 2;
        good = 0;
      }
      BOOST_TEST(r.values("first/weight") != before);
    } else {
      ++skipped;
      scale /= 2;
      good = 0;
      close(r.values("first/weight"), before, 0);
    }
    BOOST_TEST(r.value("optimizer/loss_scale") == scale);
    BOOST_TEST(r.store.get("optimizer/step").item<std::int64_t>() == steps);
    BOOST_TEST(r.store.get("optimizer/skipped").item<std::int64_t>() == skipped);
  }
}

BOOST_AUTO_TEST_CASE(gradients_that_are_not_finite) {
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    Run1 keep("adam", {});
    keep.run({1, bad, 1, 1, 1, 1});
    BOOST_TEST(std::isnan(keep.values("first/weight")[1]));
    BOOST_TEST(std::isfinite(keep.values("first/weight")[0]));

    Run1 skip("adam", {.clip = {.global_norm = 1}, .average = EMA{}, .nonfinite = Nonfinite::skip});
    skip.run({1, 2, 3, 4, 5, 6});
    const Store before = skip.store.snapshot();
    skip.run({1, bad, 1, 1, 1, 1});
    for (const std::string& name : skip.store.names())
      if (name != "optimizer/skipped") BOOST_TEST(same_bits(skip.store.get(name), before.get(name)), name);
    BOOST_TEST(skip.store.get("optimizer/skipped").item<std::int64_t>() == 1);
    skip.run({1, 2, 3, 4, 5, 6});
    BOOST_TEST(skip.store.get("optimizer/step").item<std::int64_t>() == 2);

    Run1 fail("adam", {.nonfinite = Nonfinite::fail});
    fail.run({1, 2, 3, 4, 5, 6});
    const Store good = fail.store.snapshot();
    const std::string said = message([&] { fail.run({1, bad, 1, 1, 1, 1}); });
    BOOST_TEST(said.find("the gradient of first/weight has a NaN or Inf") != std::string::npos, said);
    BOOST_TEST(said.find("Variables are as before this step") != std::string::npos, said);
    for (const std::string& name : fail.store.names())
      BOOST_TEST(same_bits(fail.store.get(name), good.get(name)), name);
    fail.run({1, 2, 3, 4, 5, 6});
    BOOST_TEST(fail.store.get("optimizer/step").item<std::int64_t>() == 2);
  }
}

BOOST_AUTO_TEST_CASE(a_scheduled_rate_is_not_set_by_hand) {
  const Mean net;
  Model model = compile(net.loss, SGD{.learning_rate = Cosine{.initial = 0.1, .steps = 10}});
  BOOST_TEST(message([&] { model.set_learning_rate(0.5); }) ==
             "set_learning_rate: the rate follows the schedule cosine(initial=0.1, steps=10, final=0). Compile with a "
             "number, .learning_rate = 1e-3, to set it by hand");
  BOOST_TEST(model.learning_rate() == 0.1);
  model.fit(numbers(12), {.batch_size = 4});
  BOOST_TEST(model.learning_rate() == Rate(Cosine{.initial = 0.1, .steps = 10}).at(2));
}

BOOST_AUTO_TEST_CASE(fit_tells_a_plateau_its_results) {
  const Mean net;
  const auto compiled = [&](std::string monitor) {
    return compile(net.loss,
                   SGD{.learning_rate = Plateau{.initial = 0, .factor = 0.5, .patience = 1, .monitor = monitor}});
  };
  const Dataset data = numbers(12);
  Model model = compiled("");  // at a rate of 0 the loss stays as it is
  model.fit(data, {.epochs = 5, .batch_size = 12});
  BOOST_TEST(model.store().get("optimizer/plateau/scale").item<double>() == 0.25);
  Model validated = compiled("val_loss");
  validated.fit(data, {.epochs = 3, .batch_size = 12, .validation = data});
  BOOST_TEST(validated.store().get("optimizer/plateau/scale").item<double>() == 0.5);
  BOOST_TEST(message([&] { validated.fit(data, {}); }) ==
             "fit: the learning rate's schedule monitors \"val_loss\", but the results are \"loss\". Those that begin "
             "with val_ need validation data");
}

BOOST_AUTO_TEST_CASE(no_epochs_and_batches_beyond_the_data) {
  const Mean net;
  const Dataset data = numbers(5);
  Model model = compile(net.loss, SGD{.learning_rate = 0.25});
  const History none = model.fit(data, {.epochs = 0});
  BOOST_TEST(none.epochs.empty());
  BOOST_TEST(none.step_losses.empty());
  BOOST_TEST(model.steps() == 0);
  model.fit(data, {.batch_size = 1000});  // one minibatch of all samples
  BOOST_TEST(model.steps() == 1);
  double mean_x = 0;
  for (const double v : data["x"].span<double>()) mean_x += v / 5;
  BOOST_TEST(std::abs(model.store().get("w").item<double>() - 0.5 * mean_x) < 1e-15);
  BOOST_TEST(message([&] { model.fit(data, {.batch_size = 0}); }) == "fit: the batch size is 0. Give at least 1");
  BOOST_TEST(message([&] { model.set_learning_rate(-1); }) ==
             "set_learning_rate: the rate is -1, but must be a number that is not negative");
}

BOOST_AUTO_TEST_CASE(a_fit_resumes_amid_an_epoch) {
  const Mean net;
  const Dataset data = numbers(40);
  const Optimizer optimizer = Adam{.learning_rate = 0.1};
  Model whole = compile(net.loss, optimizer), parts = compile(net.loss, optimizer);
  whole.fit(data, {.epochs = 4, .batch_size = 4, .seed = 3});
  int left = 0;
  const auto stop = [&](Progress& p) { p.stop = --left == 0; };
  for (const int steps : {3, 7, 1, 15, 100}) {
    left = steps;
    parts.fit(data, {.epochs = 4, .batch_size = 4, .seed = 3, .callbacks = {{.on_step = stop}}, .resume = true});
  }
  BOOST_TEST(parts.steps() == 40);
  BOOST_TEST(same_bits(parts.store().get("w"), whole.store().get("w")));
  parts.fit(data, {.epochs = 4, .batch_size = 4, .seed = 3, .resume = true});  // done already
  BOOST_TEST(parts.steps() == 40);
  BOOST_TEST(message([&] { parts.fit(data, {.epochs = 5, .seed = 4, .resume = true}); }) ==
             "fit: the training that is to be resumed drew its samples with seed 3, not 4. Give .seed = 3");

  left = 3;
  parts.fit(data, {.epochs = 5, .batch_size = 4, .seed = 3, .callbacks = {{.on_step = stop}}, .resume = true});
  BOOST_TEST(message([&] { parts.fit(numbers(8), {.epochs = 5, .seed = 3, .resume = true}); }) ==
             "fit: the training that is to be resumed is 12 samples into an epoch, but the data have 8. Give the data "
             "it had");
}
