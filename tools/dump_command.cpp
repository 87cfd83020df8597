#include "commands.h"
#include "dump.h"
#include "examples/examples.h"

#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/runtime/atomic_file.h>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace oxbow::tools {
namespace {

std::unique_ptr<Graph> load(const std::string& name) {
  for (const examples::Example& e : examples::examples()) {
    if (e.name != name) continue;
    auto g = std::make_unique<Graph>();
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

}  // namespace

int dump(const DumpCommand& o) {
  const auto graph = load(o.graph);
  const std::string text = dump(*graph, *parse_format(o.format), {.locations = o.locations});
  if (!o.out.empty())
    write_file(o.out, text);
  else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error("cannot write to standard output");
  return 0;
}

}  // namespace oxbow::tools
