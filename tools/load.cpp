#include "load.h"

#include <fmt/format.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "examples/examples.h"

namespace oxbow::tools {

std::shared_ptr<Graph> load_graph(const std::string& name) {
  for (const examples::Example& e : examples::examples()) {
    if (e.name != name) continue;
    auto g = std::make_shared<Graph>();
    e.build(*g);
    return g;
  }
  std::ifstream file(name, std::ios::binary);
  if (!file || std::filesystem::is_directory(name)) {
    std::string names;
    for (const examples::Example& e : examples::examples()) names += fmt::format("\n  {:<18} {}", e.name, e.what);
    throw Error("\"" + name + "\" is neither a file that can be read nor an example. There are:" + names);
  }
  return parse(std::string(std::istreambuf_iterator<char>(file), {}), catalog(), name);
}

std::string example_names() {
  std::string names;
  for (const examples::Example& e : examples::examples()) names += (names.empty() ? "" : ", ") + std::string(e.name);
  return names;
}

}  // namespace oxbow::tools
