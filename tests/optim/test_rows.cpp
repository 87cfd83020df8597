// Rows that are made when they are asked for, and batches of them that are made ahead: the same bits for any number of
// workers, in any part, and after a resumed training.
// Labels: memory, threads.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/checkpoint.h>
#include <oxbow/optim/idx.h>
#include <oxbow/optim/loader.h>
#include <oxbow/optim/mapped.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/npy.h>
#include <oxbow/optim/optimizers.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "support/message.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_rows)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Row r of `n` is 10 r, 10 r + 1.
Rows tens(std::int64_t n) {
  return Rows({f32, {2}}, n, [](std::int64_t row, std::int64_t, std::byte* to) {
    const float two[] = {10.0f * static_cast<float>(row), 10.0f * static_cast<float>(row) + 1};
    std::memcpy(to, two, sizeof two);
  });
}

Tensor noisy(const Tensor& row, Draws& draws) {
  Tensor out = row.clone();
  for (float& v : out.span<float>()) v += static_cast<float>(draws.uniform());
  return out;
}

// A line through noise, both columns made.
Dataset line() {
  Dataset data{{"y", Tensor::of<float>({24, 1}, std::vector<float>(24, 0.5f))}};
  data.add("x", Rows(draw({24, 3}, -1, 1, 3, f32)));
  return data.map("x", noisy, 7);
}

Model small() {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const Value h = Dense(1)(x);
  return compile(mean_squared_error(h, y), "adam", {.predictions = h});
}

std::vector<float> values(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.count()}; }

}  // namespace

BOOST_AUTO_TEST_CASE(rows_are_made_when_asked_for) {
  const Rows rows = tens(5);
  BOOST_TEST(to_string(rows.type()) == "f32[5, 2]");
  const std::int64_t chosen[] = {4, 0, 4};
  const struct {
    Rows rows;
    std::vector<float> all;
  } cases[] = {
      {rows.rows(1, 3), {10, 11, 20, 21}},
      {rows.take(chosen), {40, 41, 0, 1, 40, 41}},
      {rows.take(chosen).rows(1, 3), {0, 1, 40, 41}},
      {rows.rows(1, 5).take(std::span(chosen).subspan(1, 1)), {10, 11}},
      {rows.rows(2, 5).rows(1, 2), {30, 31}},
      {rows.rows(2, 2), {}},
      {Rows(Tensor::of<float>({2, 1}, {7, 8})).rows(1, 2), {8}},
      {rows.rows(1, 2).map([](const Tensor& row, Draws&) { return Tensor::scalar(row.data<float>()[1]); }), {11}},
  };
  for (const auto& [part, all] : cases) BOOST_TEST(values(part.tensor()) == all, boost::test_tools::per_element());
  BOOST_TEST(rows[3].data<float>()[1] == 31);
  says([&] { rows[5]; }, "row 5 was asked for, but the data have 5");
  says([&] { rows.rows(3, 6); }, "rows 3 to 6 were asked for, but the data have 5");
  const std::int64_t bad[] = {-1};
  says([&] { rows.take(bad); }, "row -1 was asked for");
  says([&] { Rows(Tensor::scalar(1.0f)); }, "Rows: a scalar has none");
  says([&] { Rows({f32, {}}, -1, {}); }, "Rows: there are -1 rows");
  const Rows ragged = rows.map([](const Tensor& row, Draws&) {
    return row.data<float>()[0] > 20 ? Tensor({f32, {3}}) : row;
  });
  says([&] { ragged.tensor(); }, "map: row 3 became f32[3], but row 0 f32[2]. Make all of one type");
}

BOOST_AUTO_TEST_CASE(draws_follow_from_seed_epoch_and_row_alone) {
  const auto five = [](std::uint64_t seed, std::int64_t epoch, std::int64_t row) {
    Draws draws(seed, epoch, row);
    std::vector<double> all;
    for (int i = 0; i < 5; ++i) all.push_back(draws.uniform());
    return all;
  };
  const std::vector<double> first = five(1, 2, 3);
  BOOST_TEST(first == five(1, 2, 3), boost::test_tools::per_element());
  for (const auto& other : {five(2, 2, 3), five(1, 3, 3), five(1, 2, 4)})
    for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(first[i] != other[i]);
  Draws draws(0, 0, 0);
  int counts[3] = {};
  for (int i = 0; i < 3000; ++i) ++counts[draws.below(3)];
  for (const int count : counts) BOOST_TEST(std::abs(count - 1000) < 100);
  says([&] { draws.below(0); }, "there is no number below 0 to draw");
}

BOOST_AUTO_TEST_CASE(a_data_set_has_such_columns_beside_tensors) {
  Dataset data{{"label", Tensor::of<std::int64_t>({6}, {0, 0, 0, 1, 1, 1})}};
  data.add("x", tens(6));
  BOOST_TEST(data.names() == (std::vector<std::string>{"label", "x"}), boost::test_tools::per_element());
  BOOST_TEST(to_string(data.type("x")) == "f32[6, 2]");
  BOOST_TEST(to_string(data.type("label")) == "i64[6]");
  says([&] { data["x"]; }, "column \"x\" is made row by row, so there is no tensor of it. data.load() makes one");
  says([&] { data.add("x", Tensor({f32, {6}})); }, "the data have two columns \"x\"");
  says([&] { data.add("z", tens(5)); }, "column \"z\" is f32[5, 2], but \"label\" is i64[6]");
  BOOST_TEST(values(data.take({5, 1}).load()["x"]) == (std::vector<float>{50, 51, 10, 11}),
             boost::test_tools::per_element());
  const auto [train, test] = data.split(0.34, {.stratify = "label"});
  BOOST_TEST(test.size() == 2);
  BOOST_TEST((test["label"].data<std::int64_t>()[0] != test["label"].data<std::int64_t>()[1]));
  // Each row stays with its label.
  for (std::int64_t i = 0; i < train.size(); ++i)
    BOOST_TEST((train.load()["x"].data<float>()[2 * i] >= 30) == (train["label"].data<std::int64_t>()[i] == 1));
  const auto twice = [](const Tensor& row, Draws&) {
    Tensor out = row.clone();
    for (float& v : out.span<float>()) v *= 2;
    return out;
  };
  BOOST_TEST(values(data.map("x", twice).map("x", twice).rows(1, 2).load()["x"]) == (std::vector<float>{40, 44}),
             boost::test_tools::per_element());
  const Dataset tensors{{"a", Tensor::of<float>({2, 1}, {1, 2})}};
  BOOST_TEST(values(tensors.map("a", twice).load()["a"]) == (std::vector<float>{2, 4}),
             boost::test_tools::per_element());
  says([&] { tensors.map("b", twice); }, "the data have no column \"b\"");
}

BOOST_AUTO_TEST_CASE(batches_are_the_same_for_any_number_of_workers) {
  const Dataset data = line();
  const auto all = [&](const LoaderOptions& o) {
    std::string bytes;
    Loader loader(data, {"x", "y"}, o);
    for (const std::int64_t epoch : {1, 2}) {
      loader.start(epoch, epoch == 2 ? 7 : 0);
      while (const Batch* batch = loader.next())
        for (std::size_t c = 0; c < 2; ++c)
          bytes.append(reinterpret_cast<const char*>(batch->bytes(c)),
                       static_cast<std::size_t>(batch->type(c).bytes()));
      BOOST_TEST(loader.next() == nullptr);
    }
    return bytes;
  };
  const std::string alone = all({.batch_size = 5, .workers = 0});
  BOOST_TEST(alone.size() == (24 + 17) * 4 * sizeof(float));
  for (const int workers : {1, 2, 4})
    for (const int prefetch : {1, 3})
      BOOST_TEST((all({.batch_size = 5, .workers = workers, .prefetch = prefetch}) == alone));
  BOOST_TEST((all({.batch_size = 5, .seed = 1}) != alone));
  says([&] { Loader(data, {"x"}, {.batch_size = 0}); }, "Loader: the batch size is 0");
  says([&] { Loader(data, {"z"}); }, "the data have no column \"z\"");
}

BOOST_AUTO_TEST_CASE(no_more_is_made_ahead_than_was_asked_for) {
  std::atomic<int> made{0};
  Dataset data;
  data.add("x", Rows({f32, {}}, 100, [&](std::int64_t, std::int64_t, std::byte*) { ++made; }));
  Loader loader(data, {"x"}, {.batch_size = 1, .workers = 3, .prefetch = 4});
  loader.start(1);
  for (int taken = 1; taken <= 10; ++taken) {
    loader.next();
    BOOST_TEST(made <= taken + 4);
  }
}

BOOST_AUTO_TEST_CASE(what_making_a_row_throws_arrives_with_its_batch) {
  Dataset data;
  data.add("x", Rows({f32, {}}, 20, [](std::int64_t row, std::int64_t, std::byte*) {
             if (row >= 11) throw Error("row " + std::to_string(row) + " is bad");
           }));
  for (const int workers : {0, 3}) {
    Loader loader(data, {"x"}, {.batch_size = 4, .shuffle = false, .workers = workers});
    for (int again = 0; again < 2; ++again) {
      loader.start(1);
      loader.next();
      loader.next();
      says([&] { loader.next(); }, "row 11 is bad");
    }
  }
}

BOOST_AUTO_TEST_CASE(training_on_rows_made_ahead_goes_on_with_the_same_bits) {
  const TemporaryFolder folder;
  const Dataset data = line();
  const auto trained = [&](int workers) {
    Model model = small();
    const History h =
        model.fit(data, {.epochs = 3, .batch_size = 5, .workers = workers, .validation = data.rows(0, 9)});
    return std::pair{h.step_losses, to_string(h.epochs.back().results)};
  };
  const auto [losses, results] = trained(0);
  BOOST_TEST(trained(3).first == losses, boost::test_tools::per_element());
  BOOST_TEST(trained(3).second == results);

  Model cut = small();
  const auto stop = [](Progress& p) { p.stop = p.epoch == 2 && p.step == 3; };
  cut.fit(data, {.epochs = 3, .batch_size = 5, .callbacks = {{.on_step = stop}}});
  cut.save(folder / "state", Saved::training);
  Model again = small();
  again.load(folder / "state");
  const History rest = again.fit(data, {.epochs = 3, .batch_size = 5, .resume = true});
  BOOST_TEST(rest.step_losses == std::vector<double>(losses.end() - std::ssize(rest.step_losses), losses.end()),
             boost::test_tools::per_element());
  BOOST_TEST(rest.step_losses.size() == losses.size() - 8);
  // Predictions are of rows as they are outside of training.
  BOOST_TEST(same_bits(again.predict(data), again.predict(data.load())));
  BOOST_TEST((again.evaluate(data) == again.evaluate(data.load())));
}

BOOST_AUTO_TEST_CASE(batches_come_from_a_function_too) {
  const Dataset data = line().load();
  const auto part = [&](std::int64_t step, int epoch) {
    return epoch == 1 ? data.rows(6 * step, 6 * step + 6) : data.rows(18 - 6 * step, 24 - 6 * step);
  };
  Model model = small();
  const History h = model.fit(Batches{.steps = 4, .make = part}, {.epochs = 2, .batch_size = 6, .validation = data});
  BOOST_TEST(h.step_losses.size() == 8U);
  Model same = small();
  const History first = same.fit(data, {.batch_size = 6, .shuffle = false});
  BOOST_TEST(std::vector<double>(h.step_losses.begin(), h.step_losses.begin() + 4) == first.step_losses,
             boost::test_tools::per_element());
  BOOST_TEST(h.epochs[0].results["loss"] == first.epochs[0].results["loss"]);
  says([&] { model.fit(Batches{.steps = 4, .make = part}, {.batch_size = 5}); },
       "fit: batch 0 of epoch 1 has 6 samples, but .batch_size is 5");
  says([&] { model.fit(Batches{.steps = 0, .make = part}, {.batch_size = 6}); }, "fit: there are 0 batches an epoch");
  says([&] { model.fit(Batches{.steps = 1}, {}); }, "and no function makes them");
}

BOOST_AUTO_TEST_CASE(files_are_mapped_row_by_row) {
  const TemporaryFolder folder;
  const Tensor x = draw({20, 3}, -1, 1, 3, f32), yes({boolean, {20}});
  save_npy(folder / "x.npy", x);
  const Rows rows = map_npy(folder / "x.npy");
  BOOST_TEST(same_bits(rows.tensor(), x));
  BOOST_TEST(same_bits(rows.rows(4, 9).tensor(), Dataset({{"x", x}}).rows(4, 9)["x"].clone()));
  std::string file = folder.read("x.npy");
  file.replace(file.find("<f4"), 3, ">f4");
  for (std::size_t i = 128; i < file.size(); i += 4) std::reverse(file.begin() + i, file.begin() + i + 4);
  BOOST_TEST(same_bits(map_npy(folder.write("swapped.npy", file)).tensor(), x));
  file.replace(file.find("False"), 5, "True ");
  says([&] { map_npy(folder.write("columns.npy", file)); }, "has its first axis fastest");
  says([&] { map_npy(folder.write("cut.npy", file.substr(0, 200))); },
       "is not a valid npy file: f32[20, 3] takes 240 bytes");
  save_npy(folder / "one.npy", Tensor::scalar(1.0f));
  says([&] { map_npy(folder / "one.npy"); }, "one.npy holds a scalar, which has no rows");

  for (const auto& [head, elements] : {std::pair{bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2}), bytes({1, 2, 3, 4})},
                                       {bytes({0, 0, 9, 1, 0, 0, 0, 2}), bytes({255, 3})},
                                       {bytes({0, 0, 11, 1, 0, 0, 0, 2}), bytes({255, 0, 1, 2})},
                                       {bytes({0, 0, 13, 1, 0, 0, 0, 1}), bytes({63, 128, 0, 0})}}) {
    const std::string idx = folder.write("a.idx", head + elements);
    BOOST_TEST(same_bits(map_idx(idx).tensor(), load_idx(idx)));
    says([&] { map_idx(folder.write("b.idx", head + elements + "x")); }, " follow");
  }
  says([&] { map_idx(folder.write("b.idx", "")); }, "b.idx is not a valid IDX file: it has only 0 bytes");
  says([&] { map_idx(folder.write("b.idx", "\x1f\x8b")); }, "b.idx is gzipped, so that no row has a place");

  save_safetensors(folder / "data", {{{"x", x}, {"yes", yes}}, {}});
  const Dataset data = map_safetensors(folder / "data");
  BOOST_TEST(same_bits(data.load()["x"], x));
  BOOST_TEST(same_bits(data.load()["yes"], yes));
  Model model = small(), same = small();
  const Tensor y({f32, {20, 1}});
  save_safetensors(folder / "both", {{{"x", x}, {"y", y}}, {}});
  const History h = model.fit(map_safetensors(folder / "both").split(0.2).first, {.epochs = 2, .batch_size = 6});
  BOOST_TEST(h.step_losses ==
                 same.fit(Dataset{{"x", x}, {"y", y}}.split(0.2).first, {.epochs = 2, .batch_size = 6}).step_losses,
             boost::test_tools::per_element());
  std::string bad = folder.read("data");
  bad.back() = 7;
  const Dataset damaged = map_safetensors(folder.write("bad", bad));
  says([&] { damaged.load(); }, "bad, tensor \"yes\": row 19 is of bool, but has bytes other than 0 and 1");
}

BOOST_AUTO_TEST_CASE(progress_and_the_best_epoch) {
  const TemporaryFolder folder;
  const Dataset data = line().load();
  std::ostringstream out;
  Model model = small();
  std::vector<std::string> kept;
  const Callback best = save_best(folder / "best", {.monitor = "loss"});
  int epoch = 0;
  const auto results = [&](double loss) {
    History h;
    for (const double v : {0.5, 0.5, loss}) {
      Results r;
      r.add("loss", v);
      h.epochs.push_back({.number = ++epoch, .results = r});
    }
    return h;
  };
  const std::vector<std::string> names{"loss"};
  for (const auto& [loss, saved] :
       {std::pair{0.4, true}, std::pair{0.5, false}, std::pair{0.6, false}, std::pair{std::nan(""), false}}) {
    std::filesystem::remove(folder / "best");
    const History h = results(loss);
    Progress p{
        .model = model, .history = h, .epoch = 3, .epochs = 3, .step = 1, .steps = 1, .loss = loss, .names = names};
    best.on_epoch(p);
    BOOST_TEST(std::filesystem::exists(folder / "best") == saved, loss);
  }
  model.fit(data, {.epochs = 2,
                   .batch_size = 6,
                   .callbacks = {print_progress(out, 0), save_best(folder / "best", {.monitor = "loss"})}});
  const std::string text = out.str();
  BOOST_TEST(has(text, "epoch 1/2 2/4, 1 s left: loss "), text);
  BOOST_TEST(has(text, "epoch 2/2 3/4, 1 s left: loss "), text);
  BOOST_TEST(has(text, "epoch 2/2, "), text);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2 * 2 + 2);
  BOOST_TEST(std::filesystem::exists(folder / "best"));
  says([&] { model.fit(data, {.callbacks = {save_best(folder / "best")}}); }, "there is no result \"val_loss\"");
}

// A short training says nothing; a long one a line each ten seconds, unless a callback prints or it is told not to.
BOOST_AUTO_TEST_CASE(a_training_shows_itself_unless_it_is_short) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4)}), w = variable(g, "w", {f64, {}});
  Model model = compile(mean(square(w - x)), "sgd");
  const Dataset data{{"x", draw({20}, 0, 1, 1)}};
  const auto shown = [&](const FitOptions& options) {
    std::ostringstream text;
    std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
    model.fit(data, options);
    std::cerr.rdbuf(before);
    return text.str();
  };
  BOOST_TEST(shown({.epochs = 3, .batch_size = 4}) == "");
  std::ostringstream own;
  model.fit(data, {.epochs = 2, .batch_size = 4, .callbacks = {print_progress(own)}});
  BOOST_TEST(has(own.str(), "epoch 2/2, "), own.str());
}

BOOST_AUTO_TEST_SUITE_END()
