// Memory runs out while a model is built, trained, asked and watched: every allocation fails in turn, alone and with
// all that come after it. There is an `Error`; variables and files are as before; the next try gives the right bits.
// Labels: long.
#include <oxbow/optim/checkpoint.h>
#include <oxbow/optim/lr_find.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <optional>

#include "faults/out_of_memory.h"
#include "history/tensorboard.h"

BOOST_AUTO_TEST_SUITE(test_out_of_memory_training)

using namespace oxbow;
using namespace oxbow::test;

// What stands in `compile(loss, "adam")` beside it, and is asked for before it begins. The shared pool is made once in
// a process, so this comes before all that compiles.
BOOST_AUTO_TEST_CASE(optimizers_and_pools_are_asked_for) {
  with_failing_allocations([] { static_cast<void>(Pool::shared()); }, [](bool) {});
  with_failing_allocations([] { static_cast<void>(Pool(2)); }, [](bool) {});
  with_failing_allocations([] { static_cast<void>(optim::Optimizer("adam")); }, [](bool) {});
}

BOOST_AUTO_TEST_CASE(a_model_is_built_and_used) {
  const Net net;
  Model first = net.model();
  const std::string fresh = state_of(first);
  first.fit(train, options(2));
  const std::string trained = state_of(first);
  const Results results = first.evaluate(held_out);
  const Tensor predicted = first.predict(held_out["x"]);

  std::optional<Model> model;
  ModelOptions options = net.options();
  with_failing_allocations([&] { model.emplace(compile(net.loss, net.optimizer, std::move(options))); },
                           [&](bool error) {
                             if (!error) BOOST_REQUIRE(state_of(*model) == fresh);
                             options = net.options();
                           },
                           compiling);
  const TemporaryFolder folder;
  const std::string path = folder / "state";
  first.save(path, Saved::training);
  Tensor got = predicted;
  double loss = results["loss"];
  model.emplace(net.model());
  model->load(path);
  with_failing_allocations(
      [&] {
        got = model->predict(held_out);
        loss = model->evaluate(held_out)["loss"];
      },
      [&](bool error) {
        BOOST_REQUIRE(same_bits(got, predicted));
        BOOST_REQUIRE(loss == results["loss"]);
        BOOST_REQUIRE(state_of(*model) == trained);
        if (!error) return;
        model.emplace(net.model());  // which compiles its programs anew
        model->load(path);
      },
      compiling);
}

BOOST_AUTO_TEST_CASE(a_training_goes_on_after_it_failed) {
  const Net net;
  Model whole = net.model();
  whole.fit(train, options(3));
  const std::string expected = state_of(whole);
  for (const int before : {0, 1}) {
    const FitOptions first = options(before), how = options(3);
    std::optional<Model> model;
    const auto renew = [&] {
      model.emplace(net.model());
      model->fit(train, first);
    };
    renew();
    with_failing_allocations([&] { model->fit(train, how); },
                             [&](bool error) {
                               if (error) model->fit(train, how);
                               BOOST_REQUIRE(state_of(*model) == expected);
                               renew();
                             },
                             before == 0 ? compiling : 1);
  }
}

BOOST_AUTO_TEST_CASE(a_rate_is_found) {
  const Net net;
  Model model = compile(net.loss, optim::SGD{.learning_rate = 0.1});
  model.fit(train, options(1));
  const std::string before = state_of(model);
  const optim::RateRangeOptions how{.steps = 24, .batch_size = 4};
  const std::vector<double> expected = optim::find_rate(model, train, how).losses;
  with_failing_allocations([&] { optim::find_rate(model, train, how); },
                           [&](bool error) {
                             BOOST_REQUIRE(state_of(model) == before);
                             if (error) BOOST_REQUIRE(optim::find_rate(model, train, how).losses == expected);
                           });
}

BOOST_AUTO_TEST_CASE(feeds_and_fetches) {
  const Net net;
  const Program program = compile({net.hidden}, {.mode = Mode::inference});
  Store store(net.g);
  const Tensor three = held_out["x"].clone(), expected = program.run(store, {{"x", three}})[0];
  const std::map<std::string, Tensor> feeds{{"x", three}};
  Session session(program, store);
  Tensor got = expected;
  with_failing_allocations(
      [&] {
        session.feed("x", three);
        session.run();
        got = session.fetch_tensor(0);
        session.feed<float>("x", three.span<float>());
        session.run();
        got = program.run(store, feeds)[0];
      },
      [&](bool) { BOOST_REQUIRE(same_bits(got, expected)); });
  const std::vector<float> wrong(2);
  with_failing_allocations([&] { session.feed<float>("x", wrong); }, [&](bool error) { BOOST_REQUIRE(error); });
  with_failing_allocations([&] { session.feed<float>("z", wrong); }, [&](bool error) { BOOST_REQUIRE(error); });
  session.run();
  BOOST_TEST(same_bits(session.fetch_tensor(0), expected));
}

BOOST_AUTO_TEST_CASE(a_run_gives_its_results_or_writes_nothing) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)}), w = variable(g, "w", {f32, {}});
  const Program program = compile({x * w, assign(w, w + sum(x))});
  Store store(g);
  const Tensor before = store.get("w");
  const std::map<std::string, Tensor> feeds{{"x", Tensor::of<float>({3}, {1, 2, 4})}};
  program.run(store, feeds);
  const Tensor after = store.get("w");
  store.set("w", before);
  with_failing_allocations([&] { program.run(store, feeds); },
                           [&](bool error) {
                             BOOST_REQUIRE(same_bits(store.get("w"), error ? before : after));
                             store.set("w", before);
                           });
}

BOOST_AUTO_TEST_CASE(event_files_and_checkpoints) {
  const TemporaryFolder folder;
  const std::string runs = folder / "runs";
  const tools::EventFile::Scalars scalars = {{"loss", 0.5}, {"a longer name of a scalar", 1}};
  std::optional<tools::EventFile> file;
  with_failing_allocations(
      [&] {
        file.emplace(runs);
        for (int step = 1; step < 4; ++step) file->add(step, scalars);
        file->flush();
      },
      [&](bool error) {
        if (!error) BOOST_REQUIRE(std::filesystem::file_size(file->path()) > 100u);
        file.reset();
        std::filesystem::remove_all(runs);
      });

  // A state that was saved while training went on is one to go on from.
  const Net net;
  const std::string path = folder / "state";
  Model whole = net.model();
  whole.fit(train, options(2));
  const std::string expected = state_of(whole);
  std::optional<Model> model = net.model();
  model->fit(train, options(1));
  FitOptions how = options(2);
  how.callbacks = {checkpoint(path, 1)};
  with_failing_allocations([&] { model->fit(train, how); },
                           [&](bool) {
                             Model resumed = net.model();
                             if (std::filesystem::exists(path)) resumed.load(path);
                             resumed.fit(train, options(2));
                             BOOST_REQUIRE(state_of(resumed) == expected);
                             std::filesystem::remove(path);
                             model.emplace(net.model());
                             model->fit(train, options(1));
                           },
                           7);
}

BOOST_AUTO_TEST_CASE(so_many_failed) {
  count_failures("trainings", "compiling, training, finding rates, running and watching");
}

BOOST_AUTO_TEST_SUITE_END()
