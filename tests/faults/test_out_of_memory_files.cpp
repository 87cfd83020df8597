// Memory runs out while files are written and read: states, parameters, variables, histories, data. Every allocation
// fails in turn, alone and with all that come after it. There is an `Error`; variables and files are as before; the
// next try gives the right bits.
// Labels: long.
#include <oxbow/optim/idx.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <optional>

#include "faults/out_of_memory.h"
#include "history/writer.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_out_of_memory_files)

using namespace oxbow;
using namespace oxbow::test;

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
  const std::string path = folder.write("a.idx", bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}));
  const auto numbers = [](const Tensor& t) {
    return std::string(reinterpret_cast<const char*>(t.bytes()), static_cast<std::size_t>(t.type().bytes()));
  };
  const std::string gzipped = source("tools/data/mnist10k/t10k-labels-idx1-ubyte.gz");
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

BOOST_AUTO_TEST_CASE(so_many_failed) { count_failures("files", "saving, loading, sharing and resetting"); }

BOOST_AUTO_TEST_SUITE_END()
