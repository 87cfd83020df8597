// How a graph would be compiled: what `oxbow dump` takes, and the stages on the way to a plan. Thread safety: values.
#pragma once

#include <oxbow/runtime/program.h>

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
  std::optional<DType> activations = {};           ///< see ops/store_activations.h
  std::vector<Value> fetches = {};                 ///< empty: see `fetches`
};

/// What running a graph once means: its outputs, then its updates; or, where it has neither, all values that nobody
/// reads.
std::vector<Value> fetches(const Graph& graph);

/// What computes `wanted`, values of one graph, compiled so. The other options are `more`'s.
Program compiled(Values wanted, const Compiling& how, CompileOptions more = {});

}  // namespace oxbow::tools
