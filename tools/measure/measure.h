// Real runs of a graph, written down: where `oxbow profile` and `oxbow dump --measure` have times from.
// Thread safety: a pure function, but for the time it takes.
#pragma once

#include <oxbow/optim/dataset.h>
#include <oxbow/runtime/store.h>
#include <oxbow/runtime/trace.h>

#include <optional>
#include <string>
#include <vector>

#include "dump/stages.h"

namespace oxbow::tools {

/// How often to run, and on what.
struct Measuring {
  int steps = 50;
  std::vector<std::string> feeds = {};   ///< as `read_feeds` takes them
  Dataset data = {};                     ///< its first samples; what is neither here nor there gets random numbers
  std::optional<Store> parameters = {};  ///< else the first values
};

/// Compiles the graph, warms up, and runs it: the traces of the quicker half of the runs, the quickest first, for other
/// programs on the machine make some runs slow. Throws `Error` as `compile` and `read_feeds` do.
std::vector<Trace> measure(const Graph& graph, const Compiling& how, const Measuring& measuring = {});

}  // namespace oxbow::tools
