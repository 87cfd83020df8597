#include "commands/load.h"

#include <fmt/format.h>
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/passes/dead_code.h>
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/text.h>
#include <oxbow/onnx.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/runtime/files/input_file.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/plan/copies.h>

#include <filesystem>

#include "bench/nets.h"
#include "examples/examples.h"
#include "text_file.h"

namespace oxbow::tools {
using namespace internal;

namespace {

// The catalogue and the planner's own op, which plans hold.
const Catalog& planned_ops() {
  static const Catalog all = [] {
    Catalog c = catalog();
    c.add<Copy>();
    return c;
  }();
  return all;
}

std::vector<std::string> names_of_examples() {
  std::vector<std::string> names;
  for (const examples::Example& e : examples::examples()) names.emplace_back(e.name);
  return names;
}

std::string unknown(const std::string& name) {
  std::string list;
  for (const examples::Example& e : examples::examples()) list += fmt::format("\n  {:<18} {}", e.name, e.what);
  return in_quotes(name) + " is neither a file that can be read nor an example." +
         did_you_mean(name, names_of_examples()) + " There are:" + list;
}

}  // namespace

UnknownGraph::UnknownGraph(const std::string& name) : Error(unknown(name)) {}

bool is_model_file(const std::string& path) {
  std::error_code wrong;
  if (!std::filesystem::is_regular_file(path, wrong) || std::filesystem::file_size(path, wrong) < 9) return false;
  char begin[9];  // the header's length, and where it begins
  InputFile(path).read(0, begin, sizeof begin);
  return begin[8] == '{' && begin[7] == 0;
}

Loaded load(const std::string& name) {
  for (const examples::Example& e : examples::examples()) {
    if (e.name != name) continue;
    return {e.build()};
  }
  std::error_code wrong;
  std::string file = name;
  if (std::filesystem::is_directory(name, wrong)) file = (std::filesystem::path(name) / "graph.txt").string();
  if (!something_at(file) || std::filesystem::is_directory(file, wrong)) throw UnknownGraph(name);
  if (is_onnx_file(file)) {
    Loaded loaded{std::make_shared<Graph>()};
    const OnnxModel net = import_onnx(*loaded.graph, file);
    for (const auto& [output, value] : net.outputs) loaded.graph->add_output(output, value);
    loaded.store = net.store;
    return loaded;
  }
  if (is_model_file(file)) {
    const SavedModel model = load_model(file);
    return {.graph = copy_of(model.graph()).graph, .store = model.store()};
  }
  const std::string text = read_text(file);
  Loaded loaded{parse(text, planned_ops(), file)};
  loaded.plan = parse_ledger(text, loaded.graph, file);
  return loaded;
}

std::shared_ptr<Graph> load_graph(const std::string& name) { return load(name).graph; }

Net load_net(const std::string& name) {
  for (const BenchNet& net : bench_net_list()) {
    if (net.name != name) continue;
    auto graph = std::make_shared<Graph>();
    auto wanted = net.build(*graph);
    return {std::move(graph), std::move(wanted)};
  }
  std::shared_ptr<Graph> graph;
  try {
    graph = load_graph(name);
  } catch (const UnknownGraph& e) {
    std::string nets;
    for (const BenchNet& net : bench_net_list()) nets += fmt::format("\n  {:<18} {}", net.name, net.what);
    throw Error(e.what() + ("\nOr these nets of bench:" + nets));
  }
  auto wanted = fetches(*graph);
  return {std::move(graph), std::move(wanted)};
}

std::shared_ptr<Graph> load_training(const std::string& name) {
  auto graph = load_graph(name);
  if (auto less = dead_code(*graph)) return less->graph;
  return graph;
}

std::string example_names() { return listed(names_of_examples()); }

}  // namespace oxbow::tools
