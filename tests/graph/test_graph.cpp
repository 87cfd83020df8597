// The graph: appending, names, scopes, origins, and what its errors say.
// Labels: memory.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/verify.h>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(test_graph)

using namespace oxbow;

BOOST_AUTO_TEST_CASE(values_know_their_type_name_and_line) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 784});
  const int line = __LINE__ - 1;
  BOOST_TEST(to_string(x.type()) == "f32[32, 784]");
  BOOST_TEST(x.node().full_name() == "x");
  BOOST_TEST(x.node().origin().at.line == line);
  BOOST_TEST(x.node().op().as<ops::Input>()->free_axes == std::vector<std::int64_t>{0},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(scopes_nest_and_names_are_unique) {
  Graph g;
  {
    Scope outer(g, "encoder");
    Scope inner(g, "layer1");
    const Value w = variable(g, "weight", {f32, {2, 3}});
    BOOST_TEST(w.node().full_name() == "encoder/layer1/weight");
    BOOST_CHECK_EXCEPTION(variable(g, "weight", {f32, {}}), Error, [](const Error& e) {
      return std::string(e.what()).find("the name \"encoder/layer1/weight\" is taken at tests/graph/test_graph.cpp:") ==
             0;
    });
  }
  BOOST_TEST(g.origin().scope.empty());
  BOOST_TEST(g.find("encoder/layer1/weight").has_value());
}

BOOST_AUTO_TEST_CASE(a_node_that_is_renamed_leaves_its_old_name_to_others) {
  Graph g;
  const Value a = constant(g, 1.0).named("first").named("second"), b = constant(g, 2.0).named("first");
  BOOST_TEST(g.find("second")->id() == a.node_id());
  BOOST_TEST(g.find("first")->id() == b.node_id());
}

BOOST_AUTO_TEST_CASE(a_leaf_whose_name_is_refused_is_not_there) {
  Graph g;
  input(g, "x", f32, {2});
  variable(g, "w", {f32, {2}});
  for (const char* name : {"x", "w", "a/b", ""}) {
    BOOST_CHECK_THROW(input(g, name, f32, {2}), Error);
    BOOST_CHECK_THROW(variable(g, name, {f32, {2}}), Error);
  }
  BOOST_TEST(g.size() == 2);
  BOOST_TEST(!first_violation(g).has_value());
}

// It is fed, or stored, under that one still.
BOOST_AUTO_TEST_CASE(a_leaf_that_is_renamed_keeps_its_first_name_from_others) {
  Graph g;
  const Value w = variable(g, "w", {f32, {2}}).named("weight");
  BOOST_CHECK_THROW(variable(g, "w", {f32, {2}}), Error);
  BOOST_TEST(g.find("w")->id() == w.node_id());
  BOOST_TEST(g.find("weight")->id() == w.node_id());
  g.take_back(0);
  variable(g, "w", {f32, {2}});
  BOOST_TEST(!first_violation(g).has_value());
}

// A builder inside a guard with a line of its own gives that line to all that it builds, and to nothing after it.
BOOST_AUTO_TEST_CASE(a_guard_pins_its_line_until_it_ends) {
  Graph g;
  const auto line = [](const Value& v) { return v.node().origin().at.line; };
  {
    const OriginGuard guard(g, {.at = {"user.cpp", 7}});
    BOOST_TEST(line(constant(g, 1.0)) == 7u);
    const Scope scope(g, "inner");
    BOOST_TEST(line(constant(g, 1.0)) == 7u);
  }
  BOOST_TEST(line(constant(g, 1.0)) == static_cast<unsigned>(__LINE__));
}

BOOST_AUTO_TEST_CASE(nodes_that_nobody_needs_are_taken_back) {
  Graph g;
  const Value v = variable(g, "v", {f32, {2}});
  const NodeId before = g.size();
  constant(g, 1.0).named("dropped");
  const Value kept = constant(g, 2.0).named("kept");
  constant(g, 3.0);
  const Value write = assign(v, constant(g, Tensor({f32, {2}})));
  std::vector<Value> values{kept, v, {}};
  g.settle(before, values);
  BOOST_REQUIRE_EQUAL(g.size(), before + 3);  // what is kept, what is written, and the effect
  BOOST_TEST(values[0].node_id() == before);
  BOOST_TEST(values[0].node().op().as<ops::Constant>()->value.item<float>() == 2);
  BOOST_TEST(values[1].same(v));
  BOOST_TEST(!values[2]);
  BOOST_TEST(g.find("kept")->id() == before);
  BOOST_TEST(!g.find("dropped").has_value());
  BOOST_TEST(write.node_id() > before + 2);  // a handle of before is void
  const Node last = g.node(before + 2);
  BOOST_TEST(last.op().is<ops::Assign>());
  BOOST_TEST(last.input(0).same(v));
  BOOST_TEST(last.input(1).node_id() == before + 1);
}

BOOST_AUTO_TEST_CASE(expressions_are_in_reading_order_whatever_the_compiler_evaluates_first) {
  Graph g;
  const Value v = variable(g, "v", {f32, {2}});
  const auto both = in_order(g, [&] {
    // As a compiler may: the right operand of the difference first, and a node in between that nobody needs.
    const Value right = assign(v, constant(g, Tensor({f32, {2}}))).named("right");
    constant(g, 3.0);
    const Value left = assign(v, constant(g, Tensor({f32, {2}}))).named("left");
    return std::vector<Value>{left, right, v};
  });
  BOOST_REQUIRE_EQUAL(g.size(), 5);
  BOOST_TEST(both[0].node_id() == 2);
  BOOST_TEST(both[1].node_id() == 4);
  BOOST_TEST(both[2].same(v));
  BOOST_TEST(both[0].node().input(1).node_id() == 1);
  BOOST_TEST(both[1].node().input(1).node_id() == 3);
  BOOST_TEST(g.find("left")->id() == 2);
  BOOST_TEST(g.find("right")->id() == 4);
}

// What refers to nodes that move goes with them: the forward nodes of others, updates and outputs.
BOOST_AUTO_TEST_CASE(what_is_put_in_reading_order_keeps_its_relations) {
  Graph g;
  const Value v = variable(g, "v", {f32, {}}), x = input(g, "x", f32, {});
  in_order(g, [&] {
    const Value late = constant(g, 1.0).named("late"), early = constant(g, 2.0).named("early");
    const Value update = assign(v, late);
    g.add_update(update);
    g.add_output("late", late);
    const OriginGuard guard(g, {.at = {}, .forward = late.node_id(), .phase = Phase::backward});
    return std::vector<Value>{early, assign(v, x).named("gradient"), update};
  });
  const NodeId late = g.find("late")->id();
  BOOST_TEST(late > g.find("early")->id());
  BOOST_TEST(g.find("gradient")->origin().forward == late);
  BOOST_TEST(g.outputs()[0].second.node_id() == late);
  BOOST_REQUIRE(g.updates()[0].node().op().is<ops::Assign>());
  BOOST_TEST(g.updates()[0].node().input(1).node_id() == late);
}

BOOST_AUTO_TEST_CASE(values_of_two_graphs_do_not_mix) {
  Graph a, b;
  const Value v = variable(a, "v", {f32, {2}});
  const Value x = input(b, "x", f32, {2});
  BOOST_CHECK_EXCEPTION(assign(v, x), Error, [](const Error& e) {
    return std::string(e.what()).find("assign: input 1 belongs to another graph") == 0 &&
           std::string(e.what()).find("tests/graph/test_graph.cpp:") != std::string::npos;
  });
  BOOST_CHECK_THROW(b.add_update(assign(v, v)), Error);
  BOOST_CHECK_THROW(b.add_update(x), Error);
  BOOST_CHECK_THROW(b.add_update({}), Error);
  BOOST_CHECK_THROW(b.add_output("v", v), Error);
  BOOST_CHECK_EXCEPTION(assign(v, constant(a, Tensor({f64, {2}}))), Error, [](const Error& e) {
    return std::string(e.what()).find("a variable of type f32[2] cannot take a value of type f64[2]") !=
           std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
