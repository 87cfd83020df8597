// Model: fit, its history and callbacks, saving and loading, the same bits.
// Labels: memory, threads.
#include <oxbow/optim/optimizers/sgd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <sstream>

#include "support/mean.h"
#include "support/message.h"
#include "support/points.h"
#include "support/temporary_folder.h"

namespace {

std::atomic<std::int64_t> allocations{0};  // by the operators below

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

BOOST_AUTO_TEST_SUITE(test_model)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_line_is_written_after_each_epoch) {
  const Net net;
  Model model = net.compiled();
  std::ostringstream out;
  const History history = model.fit(points(20, 1), {.epochs = 2, .callbacks = {print_epochs(out)}});
  BOOST_TEST(out.str() == "epoch 1: " + to_string(history.epochs[0].results) +
                              "\nepoch 2: " + to_string(history.epochs[1].results) + "\n");
}

BOOST_AUTO_TEST_CASE(fit_learns_and_keeps_a_history) {
  const Net net;
  Model model = net.compiled();
  const Dataset train = points(300, 1), test = points(100, 2);
  const History history = model.fit(train, {.epochs = 40, .batch_size = 32, .validation = test});
  BOOST_TEST(history.epochs.size() == 40u);
  BOOST_TEST(history.step_losses.size() == 40u * 10);
  BOOST_TEST(history["loss"].back() < 0.2);
  BOOST_TEST(history["accuracy"].back() > 0.93);
  BOOST_TEST(history["val_accuracy"].back() > 0.9);
  BOOST_TEST(history.epochs[4].number == 5);
  BOOST_TEST(history.epochs[4].seconds > 0);
  BOOST_TEST(!history.stopped);
  BOOST_TEST(model.steps() == 400);
  BOOST_TEST((model.evaluate(test, 32).entries() ==
              std::vector<std::pair<std::string, double>>{{"loss", history["val_loss"].back()},
                                                          {"accuracy", history["val_accuracy"].back()}}));
  BOOST_TEST(message([&] { history["acuracy"]; }) ==
             "there is no result \"acuracy\". There are \"loss\", \"accuracy\", \"val_loss\", \"val_accuracy\"");
}

BOOST_AUTO_TEST_CASE(results_are_printed) {
  Results results;
  BOOST_TEST(to_string(results) == "");
  results.add("loss", 0.25);
  results.add("val_accuracy", 0.975);
  std::ostringstream out;
  out << results;
  BOOST_TEST(out.str() == "loss 0.25, val_accuracy 0.975");
}

BOOST_AUTO_TEST_CASE(a_partial_batch_counts_by_its_samples) {
  const Net net;
  Model model = net.compiled();
  const Dataset data = points(37, 3);
  const Results whole = model.evaluate(data, 37);
  for (const std::int64_t batch : {1, 2, 5, 36, 64})
    for (const char* name : {"loss", "accuracy"})
      BOOST_TEST(std::abs(model.evaluate(data, batch)[name] - whole[name]) < 1e-6, name << " in batches of " << batch);

  const Mean mean;
  Model m = compile(mean.loss, optim::SGD{.learning_rate = 0.25});
  const Dataset five{{"x", Tensor::of<double>({5}, {1, 2, 3, 4, 5})}};
  const History history = m.fit(five, {.batch_size = 4, .shuffle = false});
  // From 0: w = 0.5 * 2.5 after the first four, then half the way to 5.
  BOOST_TEST(m.store().get("w").item<double>() == 1.25 + 0.5 * 3.75);
  BOOST_TEST(history["loss"][0] == (4 * 7.5 + 3.75 * 3.75) / 5);
  BOOST_TEST(history.step_losses == (std::vector<double>{7.5, 3.75 * 3.75}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(shuffling_is_seeded_and_pinned) {
  std::vector<std::int64_t> order, again, other, later;
  shuffle(order, 1000, 7, 1);
  shuffle(again, 1000, 7, 1);
  shuffle(other, 1000, 8, 1);
  shuffle(later, 1000, 7, 2);
  BOOST_TEST((order == again && order != other && order != later));
  BOOST_TEST(std::set<std::int64_t>(order.begin(), order.end()).size() == 1000u);
  shuffle(order, 10, 0, 1);
  BOOST_TEST(order == (std::vector<std::int64_t>{6, 3, 8, 7, 9, 1, 0, 5, 2, 4}), boost::test_tools::per_element());

  const auto losses = [](std::uint64_t seed) {
    const Net net;
    Model model = net.compiled();
    return model.fit(points(100, 1), {.epochs = 2, .batch_size = 32, .seed = seed}).step_losses;
  };
  BOOST_TEST((losses(1) == losses(1)));
  BOOST_TEST((losses(1) != losses(2)));
}

BOOST_AUTO_TEST_CASE(two_fits_in_a_row_are_one_long_fit) {
  const Net net;
  Model once = net.compiled(), twice = net.compiled();
  const Dataset data = points(100, 1);
  once.fit(data, {.epochs = 4, .batch_size = 32});
  twice.fit(data, {.epochs = 2, .batch_size = 32});
  twice.fit(data, {.epochs = 2, .batch_size = 32, .first_epoch = 3});
  for (const std::string& name : once.store().names())
    BOOST_TEST(same_bits(once.store().get(name), twice.store().get(name)), name);
}

BOOST_AUTO_TEST_CASE(a_warm_step_of_fit_allocates_nothing) {
  const Net net;
  Model model = net.compiled();
  std::vector<std::int64_t> after_step;
  after_step.reserve(100);
  const Callback count{.on_step = [&](Progress&) { after_step.push_back(allocations); }};
  model.fit(points(320, 1), {.epochs = 3, .batch_size = 32, .callbacks = {count}});
  for (std::size_t i = 11; i < after_step.size(); ++i)
    if (i % 10 != 0) BOOST_TEST(after_step[i] == after_step[i - 1], "step " << i);
}

BOOST_AUTO_TEST_CASE(callbacks_see_each_step_and_may_stop) {
  const Mean mean;
  Model model = compile(mean.loss, "sgd");
  const Dataset data{{"x", draw({10}, 0, 1, 1)}};
  std::vector<std::string> seen;
  const auto note = [&](const char* what) {
    return [&seen, what](Progress& p) {
      seen.push_back(std::string(what) + " " + std::to_string(p.epoch) + "/" + std::to_string(p.epochs) + " " +
                     std::to_string(p.step) + "/" + std::to_string(p.steps));
      if (p.epoch == 2 && p.step == 2) p.stop = true;
    };
  };
  const History history =
      model.fit(data, {.epochs = 3,
                       .batch_size = 4,
                       .callbacks = {{.on_step = note("step"), .on_epoch = note("epoch"), .on_end = note("end")}}});
  BOOST_TEST(seen == (std::vector<std::string>{"step 1/3 1/3", "step 1/3 2/3", "step 1/3 3/3", "epoch 1/3 3/3",
                                               "step 2/3 1/3", "step 2/3 2/3", "end 2/3 2/3"}),
             boost::test_tools::per_element());
  BOOST_TEST(history.stopped);
  BOOST_TEST(history.epochs.size() == 1u);
  BOOST_TEST(history.step_losses.size() == 5u);

  std::stop_source stop;
  stop.request_stop();
  const std::int64_t steps = model.steps();
  BOOST_TEST(model.fit(data, {.stop = stop.get_token()}).stopped);
  BOOST_TEST(model.steps() == steps);
}

BOOST_AUTO_TEST_CASE(early_stopping_goes_back_to_the_best_epoch) {
  const Mean mean;
  // The data pull w from 0 to 10; validation is best at 4.
  Model model = compile(mean.loss, optim::SGD{.learning_rate = 0.05});
  const Dataset data{{"x", Tensor::of<double>({1}, {10})}}, validation{{"x", Tensor::of<double>({1}, {4})}};
  std::vector<double> w;
  const Callback note{.on_epoch = [&](Progress& p) { w.push_back(p.model.store().get("w").item<double>()); }};
  const FitOptions options{
      .epochs = 50, .validation = validation, .callbacks = {note}, .early_stopping = EarlyStopping{.patience = 2}};
  const History history = model.fit(data, options);
  const std::vector<double> losses = history["val_loss"];
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  BOOST_TEST(history.best_epoch == best + 1);
  BOOST_TEST(history.epochs.size() == static_cast<std::size_t>(best) + 4);  // two borne, the third ends it
  BOOST_TEST(history.stopped);
  BOOST_TEST(model.store().get("w").item<double>() == w[static_cast<std::size_t>(best)]);
  BOOST_TEST(model.steps() == best + 1);
  BOOST_TEST(message([&] { model.fit(data, {.early_stopping = EarlyStopping{}}); }) ==
             "fit: early stopping monitors \"val_loss\", but the results are \"loss\". Those that begin with val_ need "
             "validation data");
}

// What it has seen is part of a training's state: killed after any epoch and resumed, it ends as it would have.
BOOST_AUTO_TEST_CASE(early_stopping_goes_on_when_it_is_resumed) {
  const TemporaryFolder folder;
  const Mean mean;
  const Dataset data{{"x", Tensor::of<double>({1}, {10})}}, validation{{"x", Tensor::of<double>({1}, {4})}};
  const FitOptions options{
      .epochs = 50, .validation = validation, .early_stopping = EarlyStopping{.patience = 2}, .resume = true};
  const auto compiled = [&] { return compile(mean.loss, optim::SGD{.learning_rate = 0.05}); };
  Model whole = compiled();
  FitOptions saving = options;
  saving.callbacks = {
      {.on_epoch = [&](Progress& p) { p.model.save(folder / std::to_string(p.epoch), Saved::training); }}};
  const History history = whole.fit(data, saving);
  whole.save(folder / "whole", Saved::training);
  for (std::size_t epoch = 1; epoch <= history.epochs.size(); ++epoch) {
    Model resumed = compiled();
    resumed.load(folder / std::to_string(epoch));
    const History rest = resumed.fit(data, options);
    BOOST_TEST(rest.best_epoch == history.best_epoch, epoch);
    BOOST_TEST(rest.stopped);
    BOOST_TEST(rest.epochs.size() == history.epochs.size() - epoch);
    resumed.save(folder / "resumed", Saved::training);
    BOOST_TEST((folder.read("resumed") == folder.read("whole")), epoch);
  }
  // Variables and position are those of the best epoch: who goes on trains the epochs after it.
  Model more = compiled();
  more.load(folder / "whole");
  BOOST_TEST(more.steps() == history.best_epoch);
  const History rest = more.fit(data, {.epochs = 50, .validation = validation, .resume = true});
  BOOST_TEST(rest.epochs.front().number == history.best_epoch + 1);
  BOOST_TEST(rest.best_epoch == 0);
}

BOOST_AUTO_TEST_CASE(a_saved_model_goes_on_bit_for_bit) {
  const TemporaryFolder folder;
  const Net net;
  const Dataset data = points(100, 1);
  Model model = net.compiled(), copy = net.compiled(), fresh = net.compiled();
  model.fit(data, {.epochs = 2, .batch_size = 32});
  model.save(folder / "parameters");
  model.save(folder / "training", Saved::training);
  fresh.load(folder / "parameters");
  BOOST_TEST(same_bits(fresh.predict(data), model.predict(data)));
  BOOST_TEST(fresh.steps() == 0);

  copy.load(folder / "training");
  BOOST_TEST(copy.steps() == 8);
  for (Model* m : {&model, &copy}) m->fit(data, {.epochs = 2, .batch_size = 32, .first_epoch = 3});
  for (const std::string& name : model.store().names())
    BOOST_TEST(same_bits(model.store().get(name), copy.store().get(name)), name);
}

BOOST_AUTO_TEST_CASE(a_graph_can_be_compiled_again_and_stays_as_it_was) {
  const Net net;
  const NodeId before = net.g.size();
  Model adam = net.compiled("adam"), sgd = net.compiled("sgd");
  const Dataset data = points(64, 1);
  adam.fit(data);
  sgd.fit(data);
  BOOST_TEST(net.g.size() == before);
  BOOST_TEST(adam.graph().size() > before);
  BOOST_TEST(adam.graph().find("optimizer/adam/dense/kernel/m").has_value());
  adam.set_learning_rate(0.5);
  BOOST_TEST(adam.learning_rate() == 0.5);
  BOOST_TEST(sgd.learning_rate() == 0.01);
}

BOOST_AUTO_TEST_CASE(any_number_of_threads_learns_the_same_bits) {
  const Net net;
  const Dataset data = points(300, 1);
  std::vector<Model> models;
  for (const int threads : {1, 2, 8}) {
    models.push_back(compile(net.loss, "adam", {.pool = Pool(threads)}));
    models.back().fit(data, {.epochs = 3, .batch_size = 64});
  }
  for (const std::string& name : models[0].store().names())
    for (std::size_t i = 1; i < models.size(); ++i)
      BOOST_TEST(same_bits(models[0].store().get(name), models[i].store().get(name)), name);
}

BOOST_AUTO_TEST_CASE(layers_know_training_from_inference) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 2}), y = input(g, "y", f32, {any(8), 1});
  const Value h = dropout(batch_norm(x, {.momentum = 0.5}), 0.5), p = dense(h, 1);
  const Value loss = mean_squared_error(p, y);
  Model model = compile(loss, "sgd", {.predictions = p}), loaded = compile(loss, "sgd", {.predictions = p});
  const Dataset data{{"x", draw({64, 2}, 3, 5, 1, f32)}, {"y", draw({64, 1}, 0, 1, 2, f32)}};
  model.fit(data, {.epochs = 2, .batch_size = 8});
  const Tensor mean_now = model.store().get("batch_norm/running_mean");
  BOOST_TEST(std::abs(mean_now.data<float>()[0] - 4) < 0.5);  // 16 updates from 0 towards 4
  BOOST_TEST(same_bits(model.predict(data["x"]), model.predict(data["x"])));
  BOOST_TEST(same_bits(model.store().get("batch_norm/running_mean"), mean_now));
  model.save(folder / "model");
  loaded.load(folder / "model");
  BOOST_TEST(same_bits(loaded.predict(data["x"]), model.predict(data["x"])));
}

BOOST_AUTO_TEST_SUITE_END()
