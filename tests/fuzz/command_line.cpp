// libFuzzer over what the command line's options say. A line each: an optimizer's name, then fields
// for --set ("set momentum=0.9"), sizes for --size ("size x=32,10") and numbers for the checks of options. Nothing is
// run, and no file is opened.
#include <oxbow/graph/error.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/limits.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "commands/cli.h"

namespace {

using namespace oxbow;

// An `Error` is an answer, if it is no longer than messages are.
template <class F>
void answered(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    if (std::string(e.what()).size() > internal::limits::message) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::string optimizer, line;
  std::getline(lines, optimizer);
  std::vector<std::string> fields;
  tools::CompilingOptions compiling;
  while (std::getline(lines, line)) {
    if (line.starts_with("set ")) fields.push_back(line.substr(4));
    if (line.starts_with("size ")) compiling.sizes.push_back(line.substr(5));
    tools::positive(line);
    tools::seed(line);
    tools::below_one(line);
    tools::picture_file(line);
  }
  answered([&] { tools::read_optimizer(optimizer, fields); });
  Graph g;
  input(g, "x", f32, {any(4), any(3), 2});
  input(g, "y", i64, {any(4)});
  answered([&] { compiling.read(g); });
  return 0;
}
