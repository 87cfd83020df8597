// What fit does beyond plain steps: accumulation, averages, schedules that it drives, and going on later.
#include <oxbow/graph/tensor.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/schedule_free.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/optim/schedules.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <tuple>

#include "support/mean.h"
#include "support/message.h"
#include "support/slopes.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_training)

using namespace oxbow;
using namespace oxbow::optim;
using namespace oxbow::test;

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
  const Value w = variable(g, "w", {f64, {}}, {.kind = Init::Kind::constant, .a = 4});
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

BOOST_AUTO_TEST_SUITE_END()
