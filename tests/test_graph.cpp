// The graph: appending, names, scopes, origins, and what its errors say.
#include <oxbow/graph/leaves.h>

#include <boost/test/unit_test.hpp>

using namespace oxbow;

BOOST_AUTO_TEST_CASE(values_know_their_type_name_and_line) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 784});
  const int line = __LINE__ - 1;
  BOOST_TEST(to_string(x.type()) == "f32[32, 784]");
  BOOST_TEST(x.node().full_name() == "x");
  BOOST_TEST(x.node().origin().at.line == line);
  BOOST_TEST(x.node().op().as<Input>()->free_axes == std::vector<std::int64_t>{0}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(scopes_nest_and_names_are_unique) {
  Graph g;
  {
    Scope outer(g, "encoder");
    Scope inner(g, "layer1");
    const Value w = variable(g, "weight", {f32, {2, 3}});
    BOOST_TEST(w.node().full_name() == "encoder/layer1/weight");
    BOOST_CHECK_EXCEPTION(variable(g, "weight", {f32, {}}), Error, [](const Error& e) {
      return std::string(e.what()).find("the name \"encoder/layer1/weight\" is taken at tests/test_graph.cpp:") == 0;
    });
  }
  BOOST_TEST(g.origin().scope.empty());
  BOOST_TEST(g.find("encoder/layer1/weight").has_value());
}

BOOST_AUTO_TEST_CASE(values_of_two_graphs_do_not_mix) {
  Graph a, b;
  const Value v = variable(a, "v", {f32, {2}});
  const Value x = input(b, "x", f32, {2});
  BOOST_CHECK_EXCEPTION(assign(v, x), Error, [](const Error& e) {
    return std::string(e.what()).find("assign: input 1 belongs to another graph") == 0 &&
           std::string(e.what()).find("tests/test_graph.cpp:") != std::string::npos;
  });
}
