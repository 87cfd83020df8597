// Random graphs over the ops of the catalogue: well-typed, with broadcasts, reductions, products, shape ops, gradients
// of a random loss, and an update of a variable. The same seed gives the same graph anywhere.
#pragma once

#include <oxbow/graph/graph.h>

#include <map>
#include <memory>
#include <set>

namespace oxbow::test {

struct RandomGraph {
  std::shared_ptr<Graph> graph;
  std::vector<Value> fetches;           ///< a loss, gradients, intermediates, some twice, and an assign
  std::map<std::string, Tensor> feeds;  ///< by input name
  std::set<std::string> sampled;        ///< the ops that were drawn with their samples
};

RandomGraph random_graph(std::uint64_t seed);

/// The ops that are drawn with their samples: one of them is in most graphs.
std::vector<std::string> sampled_ops();

/// Random graphs from these ops alone, where ops are drawn by their samples: so that a new op changes none of them.
class RandomGraphs {
 public:
  explicit RandomGraphs(const std::set<std::string>& ops);
  ~RandomGraphs();
  RandomGraph operator()(std::uint64_t seed) const;

 private:
  struct Ops;
  std::unique_ptr<Ops> ops_;
};

}  // namespace oxbow::test
