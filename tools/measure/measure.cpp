#include "measure/measure.h"

#include <oxbow/graph/leaves.h>

#include <algorithm>

#include "measure/feeds.h"

namespace oxbow::tools {
namespace {

// The user's tensors, MNIST's first rows where a folder of it was named, random numbers for the rest.
Feeds all_feeds(const Measuring& m, const Graph& graph, const Compiling& how, const Program& program) {
  Feeds feeds = read_feeds(graph, m.feeds);
  Dataset mnist;
  if (!m.data.empty()) mnist = load_mnist_for(graph, m.data).train;
  for (const ops::Input& in : program.inputs()) {
    if (feeds.contains(in.name)) continue;
    const auto sized = how.sizes.find(in.name);
    const Shape shape = sized == how.sizes.end() ? in.type.shape : sized->second;
    feeds[in.name] = mnist.contains(in.name) ? mnist.rows(0, shape[0])[in.name] : random_feed(graph, in.name, shape);
  }
  return feeds;
}

}  // namespace

std::vector<Trace> measure(const Graph& graph, const Compiling& how, const Measuring& measuring) {
  const std::vector<Value> wanted = how.fetches.empty() ? fetches(graph) : how.fetches;
  if (wanted.empty()) throw Error("the graph is empty: there is nothing to run");
  const Program program = compiled(wanted, how);
  Store store(graph);
  Session session(program, store);
  for (const auto& [name, tensor] : all_feeds(measuring, graph, how, program)) session.feed(name, tensor);
  const int warm = std::max(3, measuring.steps / 10);
  for (int step = 0; step < warm; ++step) session.run();
  std::vector<Trace> traces(static_cast<std::size_t>(measuring.steps));
  for (Trace& trace : traces) {
    session.run(trace);  // gets the memory
    session.run(trace);
  }
  std::stable_sort(traces.begin(), traces.end(), [](const Trace& a, const Trace& b) { return a.wall() < b.wall(); });
  traces.resize((traces.size() + 1) / 2);
  return traces;
}

}  // namespace oxbow::tools
