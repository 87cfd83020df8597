// tools/docs/training.md: its code is the code below, and its picture is made here.
#include <oxbow/oxbow.h>
#include <oxbow/runtime/atomic_file.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "history/plot.h"
#include "history/tensorboard.h"
#include "history/writer.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_training_page)

using namespace oxbow;

namespace {

std::string file(const std::string& path) {
  std::ifstream in(test::source(path));
  return {std::istreambuf_iterator<char>(in), {}};
}

// Lines without what they are indented by, in one text.
std::string flat(const std::string& text) {
  std::istringstream lines(text);
  std::string all;
  for (std::string line; std::getline(lines, line);)
    if (const auto first = line.find_first_not_of(' '); first != std::string::npos) all += line.substr(first) + "\n";
  return all;
}

// What the page's picture shows.
std::string picture() {
  using namespace optim;
  const std::pair<std::string, Rate> shown[] = {
      {"Cosine", Cosine{.initial = 1, .steps = 1000}},
      {"Warmup, Linear", Warmup{.steps = 150, .then = Linear{.initial = 1, .steps = 850}}},
      {"CosineRestarts", CosineRestarts{.initial = 1, .steps = 143, .growth = 2, .shrink = 0.8}},
      {"OneCycle", OneCycle{.peak = 1, .steps = 1000}},
      {"StepDecay", StepDecay{.initial = 1, .steps = 250, .factor = 0.5}},
      {"Exponential", Exponential{.initial = 1, .steps = 250, .factor = 0.5}}};
  std::vector<std::int64_t> steps;
  for (std::int64_t t = 0; t < 1000; t += 3) steps.push_back(t);
  const std::vector<double> x(steps.begin(), steps.end());
  std::vector<tools::Panel> panels;
  for (std::size_t i = 0; i < std::size(shown); ++i) {
    if (i % 2 == 0) panels.push_back({.y_label = "rate", .series = {}});
    panels.back().series.push_back({.name = shown[i].first, .x = x, .y = shown[i].second.at(steps)});
  }
  return tools::svg({.title = "Schedules: the rate over a thousand steps", .x_label = "step", .panels = panels});
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_code_on_the_page_trains_and_resumes) {
  const std::string source = flat(file("tests/tools/test_training_page.cpp")), page = file("tools/docs/training.md");
  int snippets = 0;
  for (std::size_t begin = page.find("```cpp\n"); begin != std::string::npos; begin = page.find("```cpp\n", begin)) {
    begin += 7;
    const std::string code = page.substr(begin, page.find("```", begin) - begin);
    BOOST_TEST(source.find(flat(code)) != std::string::npos, "this code is not in the test:\n" << code);
    ++snippets;
  }
  BOOST_TEST(snippets == 7);

  // clang-format off
  optim::Adam a{.learning_rate = 1e-3};
  optim::Adam b{.learning_rate = optim::Cosine{.initial = 1e-3, .steps = 10000}};
  optim::Adam c{.learning_rate = optim::Warmup{.steps = 500, .then = optim::Cosine{.initial = 1e-3, .steps = 9500}}};
  optim::Adam d{.learning_rate = optim::Sequence{.rates = {0.1, 0.01, 0.001}, .at = {3000, 6000}}};
  // clang-format on
  for (const optim::Adam& adam : {a, b, c, d}) optim::Optimizer(adam).check();
  BOOST_TEST(c.learning_rate.at(500) == 1e-3);

  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = mean(square(dense(dense(x, 4), 1) - y));
  // clang-format off
  Model model = compile(loss, optim::AdamW{},
                        {.minimize = {.groups = {{.pattern = "*/bias", .weight_decay = 0.0},
                                                 {.pattern = "dense/*", .rate = 0.1}},
                                      .clip = {.global_norm = 1},
                                      .accumulate = 4,
                                      .average = optim::EMA{.decay = 0.999}}});
  // clang-format on
  const Dataset data{{"x", draw({20, 3}, -1, 1, 1, f32)}, {"y", draw({20, 1}, -1, 1, 2, f32)}};
  const test::TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder / ".");
  model.fit(data, {.epochs = 10, .callbacks = {checkpoint("training.safetensors")}});
  model.load("training.safetensors");
  model.fit(data, {.epochs = 10, .resume = true});
  // clang-format off
  model.fit(data, {.epochs = 20, .callbacks = {tools::csv_logger("history.csv")}});
  const tools::Table table = tools::read_table("history.csv");
  std::cout << to_string(optim::judge(tools::losses(table, "history.csv")));
  write_file("loss.svg", tools::svg(tools::training_curve("adam", table)));
  // clang-format on
  const Tensor samples = draw({8, 5, 5}, 0, 1, 3, f32);
  // clang-format off
  tools::TensorBoard board("runs/adam", {.histograms = 1});
  const Callback pictures{.on_epoch = [&](Progress&) { board.image("drawn", samples, {.columns = 4}); }};
  model.fit(data, {.epochs = 10, .callbacks = {board.callback(), pictures}});
  // clang-format on
  std::filesystem::current_path(before);
  // clang-format off
  Model recorded = compile(loss, "adam", {.minimize = {.norms = true}});
  const History history = recorded.fit(data, {.epochs = 10});
  const std::vector<double>& lengths = history.steps("gradient_norm");
  // clang-format on
  BOOST_TEST(lengths.size() == 10u);
  BOOST_TEST(model.steps() == 40);
}

// How pictures are drawn may change, so it is not compared byte by byte. The picture that is drawn now is left in the
// folder where the test runs: copy it to tools/docs/rates.svg after a change to it.
BOOST_AUTO_TEST_CASE(the_picture_on_the_page_shows_the_schedules) {
  std::ofstream("rates.svg") << picture();
  BOOST_TEST(file("tools/docs/training.md").find("](rates.svg)") != std::string::npos);
  const std::string shown = file("tools/docs/rates.svg");
  for (const char* name : {"Cosine", "Warmup, Linear", "CosineRestarts", "OneCycle", "StepDecay", "Exponential"}) {
    BOOST_TEST(shown.find(name) != std::string::npos, name);
    BOOST_TEST(picture().find(name) != std::string::npos, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
