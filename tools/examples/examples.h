// The examples, in one list, which tools/CMakeLists.txt makes from the files of this folder: each is a program of its
// own and has a function `build(Graph&)` for what it trains, so that `oxbow dump NAME` and the tests build the same
// graph. Its first words say what it is.
#pragma once

#include <oxbow/oxbow.h>

#include <memory>
#include <span>
#include <string_view>

namespace oxbow::examples {

struct Example {
  std::string_view name, what;
  std::shared_ptr<Graph> (*build)();  ///< the whole training step; what it is for are the graph's outputs
};
std::span<const Example> examples();
/// One of them.
std::shared_ptr<Graph> build(std::string_view name);

/// A classifier to be trained: inputs "x" and "label" as `load_mnist` names them.
struct Classifier {
  Value loss, accuracy, logits;
};

}  // namespace oxbow::examples
