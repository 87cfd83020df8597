// What a builder of random numbers draws, in a graph of its own.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/random.h>
#include <oxbow/runtime/program.h>

#include <functional>

namespace oxbow::test {

using Build = std::function<Value(Graph&)>;

struct How {
  int threads = 2;
  Mode mode = Mode::training;
  std::uint64_t seed = 42;
  std::int64_t step = 0;
};

inline Tensor drawn(const Build& build, const How& how = {}) {
  Graph g;
  g.set_seed(how.seed);
  const Value y = build(g);
  Store store(g);
  if (store.contains("random/state"))
    store.set("random/state", Tensor::of<std::int64_t>({2}, {static_cast<std::int64_t>(how.seed), how.step}));
  return compile({y}, {.mode = how.mode, .pool = Pool(how.threads)}).run(store, {})[0];
}

}  // namespace oxbow::test
