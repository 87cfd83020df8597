// Graphs that the program's commands take: an example's by its name, or a user's own from a file that `print` wrote,
// from such a file's folder where it is called graph.txt, as training and the hunt for NaN call it, from an ONNX file,
// or from a model that `Model::export_model` wrote.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/runtime/store.h>

#include <memory>
#include <string>

#include "dump/stages.h"

namespace oxbow::tools {

/// A graph, and what the file holds with it.
struct Loaded {
  std::shared_ptr<Graph> graph;
  std::optional<Ledger> plan = {};
  std::optional<Store> store = {};  ///< the parameters' values, where the file holds them: ONNX, an exported model
};
/// There is neither such an example nor such a file; the message lists the examples.
class UnknownGraph : public Error {
 public:
  explicit UnknownGraph(const std::string& name);
};
/// Throws `UnknownGraph`, and as `parse` does.
Loaded load(const std::string& name);
/// Whether it is a file as `Model::export_model` writes: safetensors, which no graph's text can be taken for.
bool is_model_file(const std::string& path);
/// The graph alone: a plan's is as good as any.
std::shared_ptr<Graph> load_graph(const std::string& name);

/// A training step of one of the nets that `oxbow bench` compares, or the outputs and updates of an example or a file.
struct Net {
  std::shared_ptr<Graph> graph;
  std::vector<Value> fetches;
};
/// Throws `Error` for an unknown name, and as `load` does.
Net load_net(const std::string& name);

/// What `load_graph` gives without a training step that it came with: what its named outputs need.
std::shared_ptr<Graph> load_training(const std::string& name);

/// "linear_regression, xor, ...".
std::string example_names();

}  // namespace oxbow::tools
