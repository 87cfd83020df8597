// Order, reachability, paths, dominators and reduction, against plain definitions on random graphs.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/order/order.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

BOOST_AUTO_TEST_SUITE(test_order)

using namespace oxbow;
using namespace oxbow::internal;

namespace {

// Any number of inputs, a scalar out.
struct Join {
  static constexpr OpInfo info{.name = "join", .inputs = {"x..."}};
  Type infer(Types) const { return {}; }
  void run(const Run&) const {}
  bool operator==(const Join&) const = default;
};

NodeId join(Graph& g, std::initializer_list<NodeId> inputs) {
  std::vector<Value> values;
  for (NodeId i : inputs) values.emplace_back(g, i);
  return g.append(Join{}, values, {}).id();
}

void random_graph(Graph& g, int nodes, std::mt19937& random) {
  for (int i = 0; i < nodes; ++i) {
    std::vector<Value> inputs;
    if (i > 0)
      for (unsigned k = random() % 4; k > 0; --k)
        inputs.emplace_back(g, static_cast<NodeId>(random() % static_cast<unsigned>(i)));
    g.append(Join{}, inputs, {});
  }
}

// reach[a][b]: b is a or depends on a; by the definition, with node `without` taken out.
std::vector<std::vector<bool>> reach(const Graph& g, NodeId without = -1) {
  const auto n = static_cast<std::size_t>(g.size());
  std::vector<std::vector<bool>> r(n, std::vector<bool>(n));
  for (NodeId b = 0; b < g.size(); ++b) {
    if (b == without) continue;
    r[static_cast<std::size_t>(b)][static_cast<std::size_t>(b)] = true;
    for (const Value& v : g.node(b).inputs())
      for (auto& from : r)
        if (from[static_cast<std::size_t>(v.node_id())]) from[static_cast<std::size_t>(b)] = true;
  }
  return r;
}

// 0 -> 1 -> 3, 0 -> 2 -> 3, 3 -> 4, and the shortcuts 0 -> 3 and 3 -> 4 twice.
void diamond(Graph& g) {
  join(g, {});
  join(g, {0});
  join(g, {0});
  join(g, {1, 2, 0});
  join(g, {3, 3});
}

const auto each = boost::test_tools::per_element();

}  // namespace

BOOST_AUTO_TEST_CASE(a_diamond) {
  Graph g;
  diamond(g);
  const std::vector<double> weights{1, 2, 5, 1, 1};
  const Path path = critical_path(g, weights);
  BOOST_TEST(path.nodes == (std::vector<NodeId>{0, 2, 3, 4}), each);
  BOOST_TEST(path.length == 8);
  BOOST_TEST(dominators(g) == (std::vector<NodeId>{-1, 0, 0, 0, 3}), each);
  const std::vector<Edge> edges = transitive_reduction(g);
  BOOST_TEST((edges == std::vector<Edge>{{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 4}}));
  const NodeId two[] = {2};
  BOOST_TEST(descendants(g, two) == (std::vector<bool>{false, false, true, true, true}), each);
  BOOST_TEST(ancestors(g, {g.node(2).output()}) == (std::vector<bool>{true, false, true, false, false}), each);
}

BOOST_AUTO_TEST_CASE(nothing_and_one_node) {
  Graph g;
  BOOST_TEST(topological_order(g).empty());
  BOOST_TEST(critical_path(g, {}).nodes.empty());
  BOOST_TEST(dominators(g).empty());
  BOOST_TEST(transitive_reduction(g).empty());
  join(g, {});
  const double zero[] = {0};
  BOOST_TEST(critical_path(g, zero).nodes == std::vector<NodeId>{0}, each);
  BOOST_TEST(dominators(g) == std::vector<NodeId>{-1}, each);
  BOOST_TEST(topological_order(g) == std::vector<NodeId>{0}, each);
}

BOOST_AUTO_TEST_CASE(random_graphs_agree_with_the_definitions) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Graph g;
    random_graph(g, 1 + static_cast<int>(random() % 40), random);
    const auto n = static_cast<std::size_t>(g.size());
    const auto all = reach(g);

    const std::vector<NodeId> order = topological_order(g);
    std::vector<std::size_t> place(n);
    for (std::size_t i = 0; i < n; ++i) place[static_cast<std::size_t>(order[i])] = i;
    for (NodeId b = 0; b < g.size(); ++b)
      for (const Value& v : g.node(b).inputs())
        BOOST_REQUIRE(place[static_cast<std::size_t>(v.node_id())] < place[static_cast<std::size_t>(b)]);

    const auto some = static_cast<NodeId>(random() % n);
    BOOST_TEST(descendants(g, {&some, 1}) == all[static_cast<std::size_t>(some)], each);
    const std::vector<bool> up = ancestors(g, {g.node(some).output()});
    for (std::size_t a = 0; a < n; ++a) BOOST_REQUIRE(up[a] == all[a][static_cast<std::size_t>(some)]);

    std::vector<double> weights(n), longest(n);
    for (std::size_t b = 0; b < n; ++b) {
      weights[b] = static_cast<double>(random() % 8);
      for (const Value& v : g.node(static_cast<NodeId>(b)).inputs())
        longest[b] = std::max(longest[b], longest[static_cast<std::size_t>(v.node_id())]);
      longest[b] += weights[b];
    }
    const Path path = critical_path(g, weights);
    double sum = 0;
    for (std::size_t i = 0; i < path.nodes.size(); ++i) {
      sum += weights[static_cast<std::size_t>(path.nodes[i])];
      if (i == 0) continue;
      const auto inputs = g.node(path.nodes[i]).inputs();
      BOOST_TEST(
          std::any_of(inputs.begin(), inputs.end(), [&](const Value& v) { return v.node_id() == path.nodes[i - 1]; }));
    }
    BOOST_TEST(sum == path.length);
    BOOST_TEST(path.length == *std::max_element(longest.begin(), longest.end()));

    // d dominates b where no path from a node without inputs reaches b once d is taken out; the nearest is the largest.
    std::vector<NodeId> expected(n, -1);
    for (NodeId d = 0; d < g.size(); ++d) {
      const auto rest = reach(g, d);
      for (NodeId b = d + 1; b < g.size(); ++b) {
        bool passes = true;
        for (NodeId s = 0; s < g.size(); ++s)
          if (g.node(s).input_count() == 0 && rest[static_cast<std::size_t>(s)][static_cast<std::size_t>(b)])
            passes = false;
        if (passes) expected[static_cast<std::size_t>(b)] = d;
      }
    }
    BOOST_TEST(dominators(g) == expected, each);

    // An edge stays where no other path leads from its one end to its other.
    std::vector<Edge> kept;
    for (NodeId b = 0; b < g.size(); ++b)
      for (const Value& v : g.node(b).inputs()) {
        const NodeId a = v.node_id();
        bool around = false;
        for (const Value& w : g.node(b).inputs())
          around =
              around || (w.node_id() != a && all[static_cast<std::size_t>(a)][static_cast<std::size_t>(w.node_id())]);
        if (!around) kept.push_back({a, b});
      }
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    BOOST_TEST((transitive_reduction(g) == kept));
  }
}

// A chain and back: each node of the way back also reads its partner of the way there, as backward passes do.
BOOST_AUTO_TEST_CASE(long_graphs_are_linear_and_need_no_stack) {
  Graph g;
  constexpr NodeId half = 50'000;
  join(g, {});
  for (NodeId i = 1; i < half; ++i) join(g, {i - 1});
  for (NodeId i = half; i < 2 * half; ++i) join(g, {i - 1, 2 * half - 1 - i});
  BOOST_TEST(topological_order(g).size() == 2 * half);
  const std::vector<double> weights(2 * half, 1.0);
  BOOST_TEST(critical_path(g, weights).length == 2 * half);
  BOOST_TEST(dominators(g)[2 * half - 1] == 0);
  const NodeId first[] = {0};
  for (const auto& met : {descendants(g, first), ancestors(g, {g.node(2 * half - 1).output()})})
    BOOST_TEST(static_cast<std::size_t>(std::count(met.begin(), met.end(), true)) == met.size());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_told) {
  Graph g;
  diamond(g);
  const double two[] = {1, 2};
  BOOST_CHECK_EXCEPTION(critical_path(g, two), Error, [](const Error& e) {
    return std::string(e.what()) == "critical_path: 2 weights for 5 nodes. Give one a node";
  });
  const NodeId seven[] = {7};
  BOOST_CHECK_EXCEPTION(descendants(g, seven), Error,
                        [](const Error& e) { return std::string(e.what()) == "there is no node 7 in the graph"; });
  while (g.size() <= largest_reduction) join(g, {});
  BOOST_CHECK_EXCEPTION(transitive_reduction(g), Error, [](const Error& e) {
    return std::string(e.what()) ==
           "a transitive reduction takes memory of the square of the nodes: at most 4096 nodes, but the graph has 4097";
  });
}

BOOST_AUTO_TEST_SUITE_END()
