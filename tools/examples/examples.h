// The examples, in one list. Each is a program of its own (tools/examples/NAME.cpp) and shows its graph's builder here,
// so that `oxbow dump NAME` and the tests build the same graph.
#pragma once

#include <oxbow/oxbow.h>

#include <span>
#include <string_view>

namespace oxbow::examples {

struct Example {
  std::string_view name, what;
  void (*build)(Graph& g);  ///< the whole training step; what it is for are the graph's outputs
};
std::span<const Example> examples();

/// A classifier to be trained: inputs "x" and "label" as `load_mnist` names them.
struct Classifier {
  Value loss, accuracy, logits;
};
Classifier mnist_mlp(Graph& g);
Classifier mnist_cnn(Graph& g);

void linear_regression(Graph& g);
void xor_by_hand(Graph& g);
void custom_op(Graph& g);

}  // namespace oxbow::examples
