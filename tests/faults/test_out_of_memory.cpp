// Memory runs out while a model is built, trained, saved and loaded, and while graphs, plans, histories and data are
// written, read and compared: every allocation fails in turn, alone and with all that come after it. There is an
// `Error`; variables and files are as before; the next try gives the right bits.
// Labels: long.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/optim/checkpoint.h>
#include <oxbow/optim/idx.h>
#include <oxbow/optim/lr_find.h>
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <optional>

#include "diff/diff.h"
#include "dump/dump.h"
#include "dump/explain.h"
#include "history/tensorboard.h"
#include "history/writer.h"
#include "measure/profile_report.h"
#include "runtime/allocations.h"
#include "support/figures.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_out_of_memory)

using namespace oxbow;
using namespace oxbow::internal;
using test::TemporaryFolder;
using test::with_failing_allocations;

namespace {

Dataset samples(std::uint64_t seed) {
  return {{"x", draw({11, 3}, -1, 1, seed, f32)}, {"y", draw({11, 1}, -1, 1, seed + 1, f32)}};
}
const Dataset train = samples(1), held_out = samples(3);

// A loss whose model has all that a state can hold: averages, gathered gradients, a schedule that looks at results,
// batch statistics, random numbers.
struct Net {
  Graph g;
  Value x, hidden, loss;
  Net() {
    x = input(g, "x", f32, {any(4), 3});
    const Value y = input(g, "y", f32, {any(4), 1});
    hidden = dense(dropout(batch_norm(dense(x, 5)), 0.2), 4, {.activation = tanh}).named("hidden");
    loss = mean(square(dense(hidden, 1) - y)).named("loss");
  }
  const optim::Optimizer optimizer =
      optim::SGD{.learning_rate = optim::Plateau{.initial = 0.1, .patience = 0}, .momentum = 0.9};
  const Pool pool = Pool(2);
  ModelOptions options() const {
    return {.metrics = {{"same", loss}},
            .minimize = {.accumulate = 2, .average = optim::EMA{.decay = 0.9}},
            .predictions = hidden,
            .pool = pool};
  }
  Model model() const { return compile(loss, optimizer, options()); }
};

// Tries of what compiles are long: not each allocation of those.
constexpr std::int64_t compiling = 101;

FitOptions options(int epochs) {
  return {.epochs = epochs,
          .batch_size = 4,
          .validation = held_out,
          .early_stopping = EarlyStopping{.patience = 9},
          .resume = true};
}

// All that a training's state holds, as the bytes of its file.
std::string state_of(const Model& model) {
  const TemporaryFolder folder;
  model.save(folder / "state", Saved::training);
  return folder.read("state");
}

// Every allocation of a pure function fails: afterwards it gives what it gave before. `show` makes what it gives
// comparable.
template <class F, class Show = std::identity>
void check_pure(std::string_view what, const F& f, const Show& show = {}) {
  const auto expected = show(f());
  auto got = f();
  BOOST_TEST_CONTEXT(what) {
    with_failing_allocations([&] { got = f(); },
                             [&](bool) {
                               BOOST_REQUIRE(show(got) == expected);
                               BOOST_REQUIRE(show(f()) == expected);
                             });
  }
}

}  // namespace

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

// Wherever it fails, the training goes on from there, and ends as one that never failed: one whose programs are
// compiled in the first epoch, and one where they are there.
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

BOOST_AUTO_TEST_CASE(states_and_parameters) {
  const Net net;
  Model model = net.model(), other = net.model();
  model.fit(train, options(1));
  other.fit(train, options(2));
  for (const Saved what : {Saved::training, Saved::parameters, Saved::averages}) {
    const TemporaryFolder folder;
    const std::string path = folder / "w.safetensors";
    model.save(path, what);
    const std::string whole = folder.read("w.safetensors");
    folder.write("w.safetensors", "old");
    with_failing_allocations([&] { model.save(path, what); },
                             [&](bool error) {
                               BOOST_REQUIRE(folder.read("w.safetensors") == (error ? "old" : whole));
                               BOOST_REQUIRE(folder.file_count() == 1u);
                               folder.write("w.safetensors", "old");
                             });
    other.save(folder / "other", Saved::training);
    const std::string before = folder.read("other");
    model.save(path, what);
    other.load(path);
    const std::string after = state_of(other);
    other.load(folder / "other");
    with_failing_allocations([&] { other.load(path); },
                             [&](bool error) {
                               BOOST_REQUIRE(state_of(other) == (error ? before : after));
                               other.load(path);
                               BOOST_REQUIRE(state_of(other) == after);
                               other.load(folder / "other");
                             });
  }
}

BOOST_AUTO_TEST_CASE(stores) {
  const Net net;
  const TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  Store store(net.g), other(net.g);
  const std::string name = store.names()[1];
  store.set(name, draw(store.get(name).shape(), -1, 1, 7, f32));
  const auto value = [&](const Store& s) { return s.get(name); };
  const Tensor changed = value(store), first = value(other);
  BOOST_REQUIRE(!same_bits(changed, first));
  store.save(path);
  const std::string whole = folder.read("w.safetensors");

  folder.write("w.safetensors", "old");
  with_failing_allocations([&] { store.save(path); },
                           [&](bool error) {
                             BOOST_REQUIRE(folder.read("w.safetensors") == (error ? "old" : whole));
                             folder.write("w.safetensors", "old");
                           });
  store.save(path);
  with_failing_allocations([&] { other.load(path); },
                           [&](bool error) {
                             BOOST_REQUIRE(same_bits(value(other), error ? first : changed));
                             other.load(path);
                             BOOST_REQUIRE(same_bits(value(other), changed));
                             other.reset(net.g);
                           });
  other.load(path);
  with_failing_allocations([&] { other.reset(net.g); },
                           [&](bool error) {
                             BOOST_REQUIRE(same_bits(value(other), error ? changed : first));
                             other.load(path);
                           });
  // What is shared is one variable in both stores; where sharing failed, it is two as before.
  std::optional<Store> sharer = Store();
  with_failing_allocations([&] { store.share(name, *sharer); },
                           [&](bool error) {
                             BOOST_REQUIRE(sharer->contains(name) == !error);
                             store.share(name, *sharer);
                             BOOST_REQUIRE(same_bits(value(*sharer), changed));
                             sharer.emplace();
                           });
  // Messages are allocated, too.
  with_failing_allocations([&] { store.set("w", changed); }, [&](bool error) { BOOST_REQUIRE(error); });
  with_failing_allocations([&] { store.freeze("w"); }, [&](bool error) { BOOST_REQUIRE(error); });
  BOOST_REQUIRE(same_bits(value(store), changed));
}

BOOST_AUTO_TEST_CASE(feeds_and_fetches) {
  const Net net;
  const Program program = compile({net.hidden}, {.mode = Mode::inference});
  Store store(net.g);
  const Tensor three = held_out["x"].clone(), expected = program.run(store, {{"x", three}})[0];
  Session session(program, store);
  Tensor got = expected;
  with_failing_allocations(
      [&] {
        session.feed("x", three);
        session.run();
        got = session.fetch_tensor(0);
        session.feed<float>("x", three.span<float>());
        session.run();
        got = program.run(store, {{"x", three}})[0];
      },
      [&](bool) { BOOST_REQUIRE(same_bits(got, expected)); });
  const std::vector<float> wrong(2);
  with_failing_allocations([&] { session.feed<float>("x", wrong); }, [&](bool error) { BOOST_REQUIRE(error); });
  with_failing_allocations([&] { session.feed<float>("z", wrong); }, [&](bool error) { BOOST_REQUIRE(error); });
  session.run();
  BOOST_TEST(same_bits(session.fetch_tensor(0), expected));
}

BOOST_AUTO_TEST_CASE(texts_of_graphs_and_plans) {
  const Net net;
  const Model model = net.model();
  const std::string text = print(model.graph());
  check_pure("printing", [&] { return print(model.graph()); });
  const auto printed = [](const auto& graph) { return print(*graph); };
  check_pure(
      "parsing", [&] { return parse(text, catalog()); }, printed);
  const Ledger plan = ledger(compile(model.fetches()));
  const std::string planned = print(plan);
  check_pure("printing a plan", [&] { return print(plan); });
  const std::shared_ptr<const Graph> graph = parse(planned, catalog());
  check_pure(
      "parsing a plan", [&] { return parse_ledger(planned, graph); }, printed);
}

BOOST_AUTO_TEST_CASE(dumps) {
  const Net net;
  const Program program = compile({net.loss}, {.pool = Pool(2)});
  for (const tools::Format& format : tools::formats()) {
    if (format.name == "svg" || format.name == "png") continue;  // DOT, which Graphviz makes a picture of
    for (const bool plan : {false, true}) {
      const tools::DumpOptions options{.format = std::string(format.name), .plan = plan, .compiling = {.threads = 2}};
      if (!plan) {
        check_pure(format.name, [&] { return tools::dump(net.g, options); });
        continue;
      }
      // A plan that is made while memory is short may be another one; the next is not.
      const std::string expected = tools::dump(net.g, options);
      with_failing_allocations([&] { tools::dump(net.g, options); },
                               [&](bool) { BOOST_REQUIRE(tools::dump(net.g, options) == expected); });
    }
  }
  check_pure("folded", [&] { return tools::dump(net.g, {.format = "dot", .reduced = true, .fold = true}); });
  check_pure("a program", [&] { return tools::dump(program); });
  check_pure(
      "all stages", [&] { return tools::dump_all(net.g, {.compiling = {.threads = 1}}); },
      [](const std::vector<tools::DumpedStage>& stages) {
        std::string all;
        for (const tools::DumpedStage& s : stages) all += s.name + s.what + s.content;
        return all;
      });
  check_pure("explain", [&] { return tools::explain(net.g, "loss", {.threads = 1}); });
}

BOOST_AUTO_TEST_CASE(pictures) {
  Graph g;
  const Value y = relu(input(g, "x", f32, {2}));
  g.add_output("y", y);
  check_pure("svg", [&] { return tools::dump(g, {.format = "svg"}); });
}

BOOST_AUTO_TEST_CASE(differences) {
  const Net net;
  Graph other;
  const Value x = input(other, "x", f32, {any(4), 3});
  other.add_output("y", dense(dense(x, 5, {.activation = relu}), 2).named("hidden"));
  check_pure("as text", [&] { return tools::diff_text(tools::diff(net.g, other), net.g, other); });
  check_pure("as DOT", [&] { return tools::diff_dot(tools::diff(net.g, other), net.g, other); });
  const Ledger a = ledger(compile({net.loss})), b = ledger(compile({net.hidden}));
  check_pure("of plans", [&] { return tools::diff_text(tools::diff(a, b), *a.graph, *b.graph); });
}

BOOST_AUTO_TEST_CASE(timelines) {
  const Net net;
  const Program program = compile({net.hidden});
  Session session(program, Store(net.g));
  session.feed("x", held_out["x"].clone());
  Trace trace;
  session.run(trace);
  check_pure("a timeline", [&] { return tools::chrome_trace(trace, "net"); });
}

BOOST_AUTO_TEST_CASE(histories) {
  const TemporaryFolder folder;
  const std::pair<const char*, const char*> files[] = {
      {"csv", "step,loss,name\n1,0.5,a\n2,0.25,b\n3,,\"c,d\"\n"},
      {"list", "[1, 0.5, NaN, null, \"0.25\", 1e9]"},
      {"lists", "{\"loss\": [1, 0.5], \"val_loss\": [2, 1.5, 1], \"name\": \"net\", \"nested\": {\"a\": [1]}}"},
      {"objects",
       "[{\"loss\": 1, \"step\": 1}, {\"step\": 2, \"loss\": 0.5, \"text\": \"a long text, not a number\"}]"},
      {"trainer", "{\"epoch\": 1, \"log_history\": [{\"loss\": 1, \"step\": 1}, {\"loss\": 0.5, \"step\": 2}]}"},
      {"lines", "{\"loss\": 1}\n{\"loss\": 0.5, \"step\": 2}\n{\"lo"}};
  for (const auto& [name, text] : files) {
    const std::string path = folder.write(name, text);
    check_pure(
        name, [&] { return tools::read_table(path); }, tools::csv);
  }

  const std::string path = folder / "history.csv";
  const std::string whole = "loss,rate\n0,\n1,7\n2,7\n3,7\n4,7\n";
  std::optional<tools::HistoryWriter> history(path);
  int saved = 0;  // rows, of those that were begun
  const auto write = [&](int until) {
    for (; saved < until; ++saved) {
      try {
        history->add_row();
        history->set("loss", saved);
        if (saved > 0) history->set("rate", 7);
      } catch (const std::bad_alloc&) {  // as an op's own: whoever calls `fit` is told
        throw Error("out of memory");
      }
      history->save();
    }
  };
  with_failing_allocations([&] { write(5); },
                           [&](bool error) {
                             if (!error) BOOST_REQUIRE(folder.read("history.csv") == whole);
                             std::size_t lines = 0;
                             for (const char c : folder.read("history.csv")) lines += c == '\n';
                             BOOST_REQUIRE((saved == 0 || lines == static_cast<std::size_t>(saved) + 1));
                             for (const auto& column : history->table().values)
                               BOOST_REQUIRE(column.size() == history->table().values[0].size());
                             std::filesystem::remove(path);
                             saved = 0;
                             history.emplace(path);
                           });
}

BOOST_AUTO_TEST_CASE(data) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.idx", test::bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}));
  const auto numbers = [](const Tensor& t) {
    return std::string(reinterpret_cast<const char*>(t.bytes()), static_cast<std::size_t>(t.type().bytes()));
  };
  const std::string gzipped = test::source("tools/data/mnist10k/t10k-labels-idx1-ubyte.gz");
  check_pure(
      "idx", [&] { return load_idx(path); }, numbers);
  check_pure(
      "gzipped idx", [&] { return load_idx(gzipped); }, numbers);
  const std::string weights = folder / "w.safetensors";
  save_safetensors(weights, {{{"w", draw({300}, -1, 1, 1, f32)}, {"n", draw({}, 0, 9, 1, i64)}}, {{"key", "value"}}});
  check_pure(
      "safetensors", [&] { return load_safetensors(weights); },
      [&](const Safetensors& read) {
        return numbers(read.tensors[0].second) + numbers(read.tensors[1].second) + read.metadata.at("key");
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
  test::figure("allocations in files", test::counted(test::failed_allocations()) +
                                           " tries of training, saving, loading, reading, dumping and comparing with " +
                                           "failing allocations: 0 aborts, 0 lost values");
}

BOOST_AUTO_TEST_SUITE_END()
