#include <oxbow/graph/order/boost_view.h>
#include <oxbow/graph/order/graphviz.h>
#include <oxbow/graph/order/order.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dag_shortest_paths.hpp>
#include <boost/graph/dominator_tree.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/graph/transitive_reduction.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <boost/property_map/vector_property_map.hpp>
#include <sstream>

namespace oxbow::internal {
namespace {

template <class V>
auto by_vertex(V& values, const BoostView& g) {
  return boost::make_iterator_property_map(values.begin(), get(boost::vertex_index, g));
}

// The vertices that a search from `starts` meets.
template <class G>
std::vector<bool> reached(const G& g, std::span<const NodeId> starts) {
  const auto n = num_vertices(g);
  std::vector<boost::default_color_type> colors(n, boost::white_color);
  std::vector<BoostVertex> sources;
  for (NodeId s : starts) {
    if (static_cast<std::size_t>(s) >= n)  // a negative one is beyond all
      throw Error("there is no node " + std::to_string(s) + " in the graph");
    sources.push_back(vertex_of(s));
  }
  boost::queue<BoostVertex> queue;
  boost::breadth_first_visit(g, sources.begin(), sources.end(), queue, boost::bfs_visitor<>(),
                             boost::make_iterator_property_map(colors.begin(), get(boost::vertex_index, g)));
  std::vector<bool> met(n);
  std::transform(colors.begin(), colors.end(), met.begin(), [](auto color) { return color != boost::white_color; });
  return met;
}

}  // namespace

std::vector<NodeId> topological_order(const Graph& graph) {
  const BoostView g = boost_view(graph);
  std::vector<NodeId> order;
  order.reserve(num_vertices(g));
  boost::topological_sort(g, std::back_inserter(order));
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<bool> descendants(const Graph& graph, std::span<const NodeId> from) {
  return reached(boost_view(graph), from);
}

// Every compilation asks for this some times, so it goes through the nodes, whose readers come after them.
std::vector<bool> ancestors(const Graph& graph, Values of) {
  std::vector<bool> marked(static_cast<std::size_t>(graph.size()));
  for (const Value& v : of) marked[static_cast<std::size_t>(v.node_id())] = true;
  for (NodeId i = graph.size() - 1; i >= 0; --i) {
    if (!marked[static_cast<std::size_t>(i)]) continue;
    const Node n = graph.node(i);
    for (int k = 0; k < n.input_count(); ++k)
      if (n.input(k)) marked[static_cast<std::size_t>(n.input(k).node_id())] = true;
  }
  return marked;
}

Path critical_path(const Graph& graph, std::span<const double> weights) {
  if (static_cast<NodeId>(weights.size()) != graph.size())
    throw Error("critical_path: " + std::to_string(weights.size()) + " weights for " + std::to_string(graph.size()) +
                " nodes. Give one a node");
  if (graph.size() == 0) return {};
  // The longest path from the entry, a vertex's weight standing on its incoming edges: the shortest one by `greater`.
  const BoostView g = boost_view(graph, true);
  const BoostVertex entry = num_vertices(g) - 1;
  std::vector<double> length(num_vertices(g));
  std::vector<BoostVertex> before(num_vertices(g));
  std::vector<boost::default_color_type> colors(num_vertices(g));
  const auto weight =
      boost::make_function_property_map<BoostEdge, double>([&](const BoostEdge& e) { return weights[target(e, g)]; });
  constexpr double unreached = -1;
  const auto add = [](double a, double b) { return a == unreached ? a : a + b; };
  boost::dag_shortest_paths(g, entry, by_vertex(length, g), weight, by_vertex(colors, g), by_vertex(before, g),
                            boost::dijkstra_visitor<>(), std::greater<double>(), add, unreached, 0.0);
  Path path;
  BoostVertex v = static_cast<BoostVertex>(std::max_element(length.begin(), length.end() - 1) - length.begin());
  path.length = length[v];
  for (; v != entry; v = before[v]) path.nodes.push_back(node_of(v));
  std::reverse(path.nodes.begin(), path.nodes.end());
  return path;
}

std::vector<NodeId> dominators(const Graph& graph) {
  const BoostView g = boost_view(graph, true);
  const BoostVertex entry = num_vertices(g) - 1, none = boost::graph_traits<BoostView>::null_vertex();
  std::vector<BoostVertex> dominator(num_vertices(g), none);
  boost::lengauer_tarjan_dominator_tree(g, entry, by_vertex(dominator, g));
  std::vector<NodeId> ids(static_cast<std::size_t>(graph.size()));
  std::transform(dominator.begin(), dominator.end() - 1, ids.begin(),
                 [&](BoostVertex v) { return v == none || v == entry ? NodeId{-1} : node_of(v); });
  return ids;
}

std::vector<Edge> transitive_reduction(const Graph& graph) {
  if (graph.size() > largest_reduction)
    throw Error("a transitive reduction takes memory of the square of the nodes: at most " +
                std::to_string(largest_reduction) + " nodes, but the graph has " + std::to_string(graph.size()));
  if (graph.size() == 0) return {};
  const BoostView g = boost_view(graph);
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS> reduced;
  std::vector<std::size_t> place(num_vertices(g));  // of each node, its vertex in `reduced`
  boost::transitive_reduction(g, reduced, by_vertex(place, g), get(boost::vertex_index, g));
  std::vector<NodeId> node(place.size());
  for (std::size_t i = 0; i < place.size(); ++i) node[place[i]] = static_cast<NodeId>(i);
  std::vector<Edge> edges;
  for (auto [e, end] = boost::edges(reduced); e != end; ++e)
    edges.push_back({node[source(*e, reduced)], node[target(*e, reduced)]});
  std::sort(edges.begin(), edges.end());
  return edges;
}

std::string graphviz(std::size_t vertices, const std::vector<DotEdge>& edges,
                     const std::function<void(std::ostream&)>& heading,
                     const std::function<void(std::ostream&, std::size_t)>& vertex,
                     const std::function<void(std::ostream&, const DotEdge&)>& edge) {
  std::vector<std::pair<BoostVertex, BoostVertex>> ends;
  std::vector<InputEdge> inputs;
  for (const DotEdge& e : edges) {
    ends.emplace_back(e.from, e.to);
    inputs.push_back({e.input});
  }
  const BoostView view(boost::edges_are_unsorted_multi_pass, ends.begin(), ends.end(), inputs.begin(), vertices);
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // or what memory was too short for would be left out in silence
  boost::write_graphviz(
      out, view, vertex,
      [&](std::ostream& o, const BoostEdge& e) {
        edge(o, {source(e, view), target(e, view), view[e].input});
      },
      heading);
  return out.str();
}

}  // namespace oxbow::internal
