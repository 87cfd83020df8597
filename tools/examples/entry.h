// From what an example's `build` returns to the graph that its name stands for. A file made of entry.cpp.in includes
// the example, without its `main`, and this.
#pragma once

#include <oxbow/graph/passes/rewriter.h>

#include <type_traits>
#include <utility>

#include "examples/examples.h"

namespace oxbow::examples {

void finish(Graph& g, Value loss, const std::vector<Value>& updates);
void finish(Graph& g, const Classifier& net);
void finish(Graph& g, const std::pair<optim::Minimized, optim::Minimized>& steps);

template <class Build>
std::shared_ptr<Graph> graph_of(Build build) {
  auto g = std::make_shared<Graph>();
  if constexpr (std::is_void_v<decltype(build(*g))>) {
    build(*g);  // it says by itself what it is for
  } else {
    const auto built = build(*g);
    if constexpr (std::is_same_v<decltype(built), const Model>)
      return internal::copy_of(built.graph()).graph;
    else if constexpr (requires { built.updates; })
      finish(*g, built.loss, built.updates);
    else
      finish(*g, built);
  }
  return g;
}

}  // namespace oxbow::examples
