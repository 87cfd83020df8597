// How a graph would be compiled: what `oxbow dump` takes, and the stages on the way to a plan. Thread safety: values.
#pragma once

#include <oxbow/graph/mode.h>
#include <oxbow/graph/value.h>

#include <map>
#include <optional>

namespace oxbow::tools {

/// How a graph would be compiled.
struct Compiling {
  Mode mode = Mode::training;
  int threads = 0;                                 ///< 0: all cores
  std::map<std::string, Shape> sizes = {};         ///< shapes by input name; others keep their example sizes
  std::vector<std::string> disable = {};           ///< rewrites to leave out
  std::optional<std::int64_t> memory_budget = {};  ///< bytes: see `CompileOptions`
  std::vector<Value> fetches = {};                 ///< empty: see `fetches`
};

/// What running a graph once means: its outputs, then its updates; or, where it has neither, all values that nobody
/// reads.
std::vector<Value> fetches(const Graph& graph);

}  // namespace oxbow::tools
