// Each pass does what it says: node counts and ops after it, and the same bits, NaN, infinities and signed zeros
// included.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/common_subexpressions.h>
#include <oxbow/graph/passes/dead_code.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fold.h>
#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fuse.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/lower.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/simplify.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/verify.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/rewrites.h"

BOOST_AUTO_TEST_SUITE(test_passes)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(specialise_takes_fed_shapes_and_names_the_fetches) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {3});
  const Value z = scaled(x, y), unused = scaled(y, y);
  g.add_output("z", z);
  const Rewritten s = specialise(g, {z, z, x}, {{"x", Shape{9, 3}}}, Mode::training);
  BOOST_TEST(to_string(s(z).type()) == "f32[9, 3]");
  BOOST_TEST(!s(unused));
  BOOST_REQUIRE_EQUAL(s.graph->outputs().size(), 3u);
  BOOST_TEST(s.graph->outputs()[0].first == "z");
  BOOST_TEST(s.graph->outputs()[1].first == "1");
  BOOST_TEST(s.graph->outputs()[2].first == "2");
  BOOST_TEST(s.graph->outputs()[2].second.same(s(x)));

  g.add_output("0", y);
  const Rewritten clash = specialise(g, {x, y}, {}, Mode::training);  // x's place is y's name
  BOOST_TEST(clash.graph->outputs()[0].first == "0_");
  BOOST_TEST(clash.graph->outputs()[1].first == "0");
}

BOOST_AUTO_TEST_CASE(specialise_refuses_what_does_not_fit) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const auto says = [&](const std::map<std::string, Shape>& shapes, const std::string& text) {
    BOOST_CHECK_EXCEPTION(specialise(g, {x}, shapes, Mode::training), Error, [&](const Error& e) {
      BOOST_TEST_MESSAGE(e.what());
      return std::string(e.what()).find(text) == 0;
    });
  };
  says({{"x", Shape{9, 4}}},
       "input \"x\" expects shape [any(4), 3], but was fed [9, 4]\n  declared at tests/graph/test_passes.cpp:");
  says({{"x", Shape{9}}}, "input \"x\" expects shape [any(4), 3], but was fed [9]");
  says({{"image", Shape{9}}}, "no input is named \"image\"\n  The graph's inputs: \"x\"");
  BOOST_CHECK_THROW(specialise(g, {}, {}, Mode::training), Error);
}

BOOST_AUTO_TEST_CASE(dead_code_goes) {
  Graph g;
  const Value x = input(g, "x", f32, {5}), y = scaled(x, x, 2);
  scaled(y, x);
  g.add_output("y", y);
  const auto r = dead_code(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(r->graph->size() == 2);
  BOOST_TEST(!dead_code(*r->graph).has_value());
}

BOOST_AUTO_TEST_CASE(equal_nodes_become_one_exactly) {
  Graph g;
  const Value x = input(g, "x", f32, {100});
  const Value a = scaled(x, x, 2), b = scaled(x, x, 2), c = scaled(x, x, 3), d = scaled(a, c), e = scaled(b, c);
  const Value plus = scaled(x, x, 0.0), minus = scaled(x, x, -0.0);
  const Value one = constant(g, 1.0), same = constant(g, 1.0), zero = constant(g, 0.0), negative = constant(g, -0.0);
  for (const Value& v : {d, e, plus, minus, one, same, zero, negative}) g.add_output(std::to_string(v.node_id()), v);
  const auto r = common_subexpressions(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST((*r)(a).same((*r)(b)));
  BOOST_TEST((*r)(d).same((*r)(e)));
  BOOST_TEST((*r)(one).same((*r)(same)));
  BOOST_TEST(!(*r)(a).same((*r)(c)));
  BOOST_TEST(!(*r)(plus).same((*r)(minus)));
  BOOST_TEST(!(*r)(zero).same((*r)(negative)));
  check_same(g, *r->graph);
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(equal_tapes_with_reductions_of_other_values_are_told_apart) {
  Graph g;
  for (const std::string name : {"x", "y"}) {
    const Value x = input(g, name, f32, {40, 30}), a = scaled(x, x, -2), b = scaled(a, x, 3);
    g.add_output(name + " b", b);
    g.add_output(name + " largest", chunk_max(name == "x" ? a : b));
  }
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(a_thousand_alike_are_told_apart) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  for (int i = 0; i < 1000; ++i) g.add_output(std::to_string(i), scaled(x, x, i % 500));
  const auto r = common_subexpressions(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(r->graph->size() == 501);
}

BOOST_AUTO_TEST_CASE(constants_fold_and_large_results_do_not) {
  Graph g;
  const Value one = constant(g, 1.0), two = constant(g, 2.0);
  const Value five = scaled(two, one, 2), x = input(g, "x", f32, {3});
  g.add_output("y", scaled(x, scaled(five, one, 4)));
  const Value wide = constant(g, Tensor({f32, {200, 1}})), long_ = constant(g, Tensor({f32, {200}}));
  g.add_output("z", scaled(wide, long_));
  const auto r = fold(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST((*r)(five).node().op().as<ops::Constant>()->value.item<float>() == 5);
  BOOST_TEST(count(*r->graph, "scaled") == 2);
  check_same(g, *r->graph);
}

BOOST_AUTO_TEST_CASE(lowering_leaves_only_what_runs) {
  Graph g;
  const Value x = input(g, "x", f32, {5});
  g.add_output("y", chunk_max(scaled(x, x)));
  const auto r = lower(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(op_names(*r->graph) == (std::vector<std::string>{"input", "fused", "fused"}),
             boost::test_tools::per_element());
  BOOST_TEST(r->graph->node(1).input_count() == 1);  // x + x reads x once
  check_same(g, *r->graph);
}

BOOST_AUTO_TEST_CASE(unknown_names_are_refused) {
  Graph g;
  g.add_output("x", input(g, "x", f32, {1}));
  BOOST_CHECK_EXCEPTION(rewrite(g, {.disable = {"fusion"}}), Error, [](const Error& e) {
    return std::string(e.what()) ==
           "\"fusion\" is not a rewrite that can be left out\n  These can: dead_code, simplify, "
           "common_subexpressions, layout, fold, fuse, epilogue";
  });
  BOOST_CHECK_THROW(rewrite(g, {.disable = {"lower"}}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
