// The tools' libraries as installed: a dump and a plan of a model, and its training as TensorBoard reads it, as a
// table, judged and drawn.
#include <oxbow/oxbow.h>
#include <oxbow/tools/dump/dump.h>
#include <oxbow/tools/history/plot.h>
#include <oxbow/tools/history/tensorboard.h>
#include <oxbow/tools/history/writer.h>

#include <filesystem>
#include <iostream>

using namespace oxbow;

int main() {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = binary_cross_entropy(dense(x, 1), y);
  Model model = compile(loss, "adam");
  std::filesystem::remove_all("events");
  model.fit(
      {{"x", Tensor({f32, {8, 3}})}, {"y", Tensor({f32, {8, 1}})}},
      {.epochs = 30, .batch_size = 4, .callbacks = {tools::tensorboard("events"), tools::csv_logger("history.csv")}});
  const tools::Table history = tools::read_table("history.csv");
  std::cout << to_string(optim::judge(tools::losses(history, "history.csv")))
            << tools::svg(tools::training_curve("adam", history)).substr(0, 4) << '\n';
  std::cout << tools::dump(model.graph(), {.format = "dot"}) << tools::dump(compile(model.fetches()))
            << std::distance(std::filesystem::directory_iterator("events"), {}) << " event file\n";
}
