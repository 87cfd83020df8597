// history.csv as it is written while a training goes on.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "history/plot.h"
#include "history/writer.h"
#include "support/hostile_history.h"
#include "support/message.h"
#include "support/message_within.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_history)

using namespace oxbow;
using test::message;
using test::message_within;
using tools::HistoryWriter;
using tools::Table;

BOOST_AUTO_TEST_CASE(rows_are_written_at_once_and_then_appended) {
  const test::TemporaryFolder folder;
  HistoryWriter history(folder / "history.csv");
  for (int i = 1; i <= 3; ++i) {
    history.add_row();
    history.set("step", i);
    history.set("loss", 1.0 / i);
  }
  BOOST_TEST(folder.file_count() == 0u);
  history.set("epoch_loss", 0.1);
  history.save();
  const std::string first = "step,loss,epoch_loss\n1,1,\n2,0.5,\n3,0.3333333333333333,0.1\n";
  BOOST_TEST(folder.read("history.csv") == first);
  history.save();
  BOOST_TEST(folder.read("history.csv") == first);
  history.add_row();
  history.set("step", 4);
  history.set("loss", std::nan(""));  // absent would be told apart from it
  history.save();
  BOOST_TEST(folder.read("history.csv") == first + "4,inf,\n");
  history.set("loss", 7);  // what was written stays
  history.add_row();
  history.set("step", 5);
  history.save();
  BOOST_TEST(folder.read("history.csv") == first + "4,inf,\n5,,\n");

  // A column that is new changes all lines.
  history.add_row();
  history.set("rate", 0.5);
  history.save();
  BOOST_TEST(folder.read("history.csv") ==
             "step,loss,epoch_loss,rate\n1,1,,\n2,0.5,,\n3,0.3333333333333333,0.1,\n4,7,,\n5,,,\n,,,0.5\n");
  BOOST_TEST(folder.file_count() == 1u);
}

// `: > out/history.csv`, logrotate's copytruncate, rm: while a training goes on, others may lay hands on the file.
BOOST_AUTO_TEST_CASE(a_file_that_others_changed_is_written_anew) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "history.csv";
  HistoryWriter history(path);
  std::string all = "step\n";
  const auto save = [&] {
    history.add_row();
    history.set("step", 7);
    history.save();
    all += "7\n";
  };
  save();
  const std::function<void()> changes[] = {
      [&] { std::filesystem::resize_file(path, 0); }, [&] { std::filesystem::resize_file(path, 3); },
      [&] { std::filesystem::remove(path); }, [&] { folder.write("history.csv", all + "8\n"); }};
  for (const auto& change : changes) {
    change();
    save();
    BOOST_TEST(folder.read("history.csv") == all);
    save();
    BOOST_TEST(folder.read("history.csv") == all);
  }
  std::filesystem::remove(path);
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  BOOST_TEST(message(save) == "cannot replace " + path + ": it is not a regular file");
}

BOOST_AUTO_TEST_CASE(a_run_that_is_resumed_goes_on_in_its_rows) {
  const test::TemporaryFolder folder;
  Table earlier;
  earlier.add("step", {1, 2});
  earlier.add("other", {5, 6});
  HistoryWriter history(folder.write("history.csv", "step,other\n1,5\n2,6\n3,7\n4,"), earlier);
  history.add_row();
  history.set("step", 3);
  history.set("loss", 0.5);
  history.save();
  BOOST_TEST(folder.read("history.csv") == "step,other,loss\n1,5,\n2,6,\n3,,0.5\n");
}

BOOST_AUTO_TEST_CASE(a_training_of_ones_own_is_logged_and_drawn) {
  const test::TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f64, {any(4)}), w = variable(g, "w", {f64, {}});
  const Value loss = mean(square(w - x));
  Model model = compile(loss, "sgd");
  const Dataset data{{"x", draw({10}, 0, 1, 1)}};
  const History history = model.fit(
      data,
      {.epochs = 3, .batch_size = 4, .validation = data, .callbacks = {tools::csv_logger(folder / "history.csv")}});
  const Table table = tools::read_table(folder / "history.csv");
  BOOST_TEST(*table.find("loss") == history.step_losses, boost::test_tools::per_element());
  BOOST_TEST(table.steps()->back() == 9);
  const tools::Plot curve = tools::training_curve("sgd", table);
  BOOST_TEST(curve.x_label == "epoch");
  BOOST_TEST(curve.panels[0].series[0].x.back() == 3);
  BOOST_TEST(curve.panels[0].series[2].y == history["val_loss"], boost::test_tools::per_element());
  BOOST_TEST(tools::training_curve("sgd", {{"step", "epoch", "loss"}, {{1, 2}, {1, 1}, {3, 2}}, {}}).x_label == "step");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_cut_short_does_not_count) {
  const test::TemporaryFolder folder;
  for (const char* cut : {"", "4", "4,", "4,0.", "4,0.5"}) {
    const Table t = tools::read_table(folder.write("a.csv", std::string("step,loss,epoch_loss\n1,3,\n2,2,\n") + cut));
    BOOST_TEST(t.values[0].size() == 2u, cut);
  }
  BOOST_TEST(tools::read_table(folder.write("a.csv", "step,loss\n1,3\n2,2")).values[0].size() == 2u);
  BOOST_TEST(message([&] { tools::read_table(folder.write("a.csv", "step,loss\n1\n2,2\n")); }) ==
             (folder / "a.csv") + ":2: expected 2 fields, found 1");
}

// What other programs write: each with its losses, and the steps where it has some.
BOOST_AUTO_TEST_CASE(histories_of_other_tools_are_read) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const test::TemporaryFolder folder;
  struct Case {
    const char *text, *column;
    std::vector<double> losses, steps;
  };
  const Case cases[] = {
      {"Wall time,Step,Value\n1,0,2\n2,9000,1\n", "", {2, 1}, {0, 9000}},     // TensorBoard
      {"epoch,loss,val_loss\n0,1.5,NA\n1,1.25,1.75\n", "", {1.5, 1.25}, {}},  // Keras
      {"epoch,loss,val_loss\n0,1.5,NA\n1,1.25,1.75\n", "val_loss", {1.75}, {}},
      {"note,loss\nwarm-up,1.5\nNA,1.25\n", "", {1.5, 1.25}, {}},
      {"epoch,step,train_loss_step,lr\n0,49,0.75,\n0,49,,0.1\n0,99,0.5,\n",
       "",
       {0.75, 0.5},
       {49, 49, 99}},  // Lightning
      {"step,note,loss\r\n1,\"a, \"\"b\"\"\nc\",0.5\r\n2,,0.25\r\n", "", {0.5, 0.25}, {1, 2}},
      {"\xef\xbb\xbf\"step\",\"loss\"\n1,\"0.5\"\n", "", {0.5}, {1}},
      {",loss\n0,0.5\n1,0.25\n", "", {0.5, 0.25}, {}},  // pandas' index
      {R"({"epoch":2,"log_history":[{"loss":2.5,"step":10},{"eval_loss":2.25,"step":10},{"loss":NaN,"step":20}]})",
       "",
       {2.5, infinite},
       {10, 10, 20}},  // Hugging Face
      {R"({"log_history":[{"loss":2.5,"step":10},{"eval_loss":2.25,"step":10}]})", "eval_loss", {2.25}, {10, 10}},
      {"{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.25,\"note\":\"x\"}\n{\"step\":3,", "", {0.5, 0.25}, {1, 2}},
      {"{\"step\":1,\"loss\":0.5}", "", {0.5}, {1}},
      {R"({"loss":[3,-Infinity,null,2],"tags":["a"]})", "", {3, -infinite, 2}, {}},
      {"[3, 2.5, null]", "", {3, 2.5}, {}},
      {"\"Step\",\"calm-sun-1 - loss\",\"calm-sun-1 - loss__MIN\",\"calm-sun-1 - loss__MAX\"\n"
       "\"0\",\"2.5\",\"2\",\"3\"\n\"10\",\"1.5\",\"1\",\"2\"\n",
       "",
       {2.5, 1.5},
       {0, 10}},  // a chart of Weights & Biases
      {"\"trainer/global_step\",\"a - loss\",\"a - loss__MIN\",\"a - loss__MAX\",\"b - loss\",\"b - loss__MIN\",\"b - "
       "loss__MAX\"\n0,2,2,2,3,3,3\n1,1,1,1,,,\n",
       "loss/b",
       {3},
       {0, 1}},  // of two runs
      {"{\"_step\": 0, \"_runtime\": 1.5, \"loss\": 2, \"val_loss\": null}\n{\"_step\": 5, \"loss\": 1}\n",
       "",
       {2, 1},
       {0, 5}}};  // its history, a row a line
  for (const auto& [text, column, losses, steps] : cases) {
    const std::string path = folder.write("history", text);
    const Table t = tools::read_table(path);
    BOOST_TEST(tools::losses(t, path, column) == losses, boost::test_tools::per_element());
    BOOST_TEST((t.steps() == nullptr) == steps.empty(), text);
    if (t.steps() != nullptr) BOOST_TEST(*t.steps() == steps, boost::test_tools::per_element());
  }
  const std::string two = folder.write("two.csv", "Step,a - loss,a - loss__MIN,b - loss,b - loss__MIN\n0,2,2,3,3\n");
  BOOST_TEST(message([&] { tools::losses(tools::read_table(two), two); }) ==
             two + ": there is no column \"loss\". There are: Step, loss/a, loss/b");
  const tools::Plot both = tools::plot({{"two", two, tools::read_table(two)}}, {});
  BOOST_REQUIRE(both.panels[0].series.size() == 2u);
  BOOST_TEST(both.panels[0].series[0].name == "a");
  BOOST_TEST(both.panels[0].series[1].name == "b");
  const std::string path = folder.write("log.csv", "step,loss\n1,0.5\n2,high\n");
  const Table t = tools::read_table(path);
  BOOST_TEST(message([&] { tools::losses(t, path, "loss"); }) ==
             path + ": column \"loss\" is not a column of numbers. " + path + ":3: \"high\" is not a number");
  BOOST_TEST(message([&] { tools::losses(t, path, "acc"); }) == path + ": there is no column \"acc\". There are: step");
  BOOST_TEST(message([&] { tools::read_table(folder.write("a.csv", "a,\"b\n1,2\n")); }) ==
             (folder / "a.csv") + ":1: a field in quotes has no end");
  BOOST_TEST(message([&] { tools::read_table(folder.write("deep", std::string(100'000, '['))); }) ==
             (folder / "deep") + ": it nests deeper than 32 levels");
}

// A small file may claim a large table. It is refused before that takes memory.
BOOST_AUTO_TEST_CASE(tables_beyond_a_limit_take_no_memory) {
  std::string late, wide, lists, many;
  for (int i = 0; i < 100'000; ++i) late += "{\"a\":1}\n";
  for (int i = 0; i < 1001; ++i) wide += (i > 0 ? ",\"k" : "{\"k") + std::to_string(i) + "\":1";
  for (int i = 0; i < 10'001; ++i) lists += (i > 0 ? ",\"k" : "{\"k") + std::to_string(i) + "\":[1]";
  for (int i = 0; i < 9'000; ++i) many += "{\"k" + std::to_string(1000 + i) + "\":1}\n";
  const std::string large(8 << 20, '\n');  // enough for all cells that may be
  const std::pair<std::string, std::string> cases[] = {
      {many, ": 1315 rows of 1315 columns are more than 1728000 cells"},
      {late + large + wide + "}\n", ": 100001 rows of 1000 columns are more than 100000000 cells"},
      {large + wide + "}\n" + late, ": 99801 rows of 1002 columns are more than 100000000 cells"},
      {std::string(16 << 20, ','), ": it has more than 10000 columns"},
      {"a,b\n1," + std::string(16 << 20, ',') + "\n", ":2: expected 2 fields, found 16777218"},
      {lists + "}", ": it has more than 10000 columns"}};
  for (const auto& [text, said] : cases)
    BOOST_TEST(message_within(128 << 20, [&, &t = text] { tools::parse_table(t, "FILE"); }) == "FILE" + said);
}

BOOST_AUTO_TEST_CASE(histories_that_a_fuzzer_found_are_read_or_refused) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source("tests/fuzz/corpus/history"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    BOOST_TEST(test::read_hostile_history(std::string(std::istreambuf_iterator<char>(file), {})) == "", entry.path());
    ++files;
  }
  BOOST_TEST(files >= 10);
}

BOOST_AUTO_TEST_CASE(numbers_beyond_a_doubles_range_are_nearest_to_what_they_say) {
  const test::TemporaryFolder folder;
  const Table t = tools::read_table(folder.write("history.csv", "loss\n1e-400\n-1e-400\n1e400\n-1e400\n4e-324\nnan\n"));
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> expected{0, -0.0, infinite, -infinite, std::numeric_limits<double>::denorm_min(), infinite};
  BOOST_TEST(t.values[0] == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_grow_keeps_its_rows) {
  const test::TemporaryFolder folder;
  HistoryWriter history(folder / "history.csv");
  const auto rows = [&](int count) {
    for (int i = 0; i < count; ++i) {
      history.add_row();
      history.set("loss", 0.25);
    }
  };
  rows(10);
  history.save();
  const std::string before = folder.read("history.csv");

  // A limit on the size of files stands for a disk that is full. Its signal ends nothing.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = before.size() + 17;
  setrlimit(RLIMIT_FSIZE, &small);
  rows(100);
  const std::string said = message([&] { history.save(); });
  setrlimit(RLIMIT_FSIZE, &old);
  BOOST_TEST(said ==
             "cannot write " + (folder / "history.csv") + ": File too large. What was written before is still there");
  BOOST_TEST(folder.read("history.csv") == before);
  history.save();
  BOOST_TEST(tools::read_table(folder / "history.csv").values[0].size() == 110u);
}

BOOST_AUTO_TEST_SUITE_END()
