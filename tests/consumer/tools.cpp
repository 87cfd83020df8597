// The tools' libraries as installed: a dump and a plan of a model, and its training as TensorBoard reads it.
#include <oxbow/oxbow.h>
#include <oxbow/tools/dump/dump.h>
#include <oxbow/tools/history/tensorboard.h>

#include <filesystem>
#include <iostream>

using namespace oxbow;

int main() {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = binary_cross_entropy(dense(x, 1), y);
  Model model = compile(loss, "adam");
  std::filesystem::remove_all("events");
  model.fit({{"x", Tensor({f32, {8, 3}})}, {"y", Tensor({f32, {8, 1}})}},
            {.callbacks = {tools::tensorboard("events")}});
  std::cout << tools::dump(model.graph(), {.format = "dot"}) << tools::dump(compile(model.fetches()))
            << std::distance(std::filesystem::directory_iterator("events"), {}) << " event file\n";
}
