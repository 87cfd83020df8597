// What passes keep to whatever an op does: names, streams, effects, and ops that break their contract.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/common_subexpressions.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/simplify.h>

#include <boost/test/unit_test.hpp>

#include "support/rewrites.h"

BOOST_AUTO_TEST_SUITE(test_passes_contract)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// Twice x, by way of a smaller op; more than its output matters.
struct Heard {
  static constexpr OpInfo info{.name = "heard", .inputs = {"x"}, .effect = true};
  bool operator==(const Heard&) const = default;
  Type infer(Types in) const { return in[0]; }
  std::vector<Value> lower(Values in) const { return {apply(Scaled{1}, {in[0], in[0]}, {})}; }
};

// Always knows something better.
struct Restless {
  static constexpr OpInfo info{.name = "restless", .inputs = {"x"}};
  std::int64_t tries = 0;
  static void attributes(auto&& visit) { visit("tries", &Restless::tries); }
  bool operator==(const Restless&) const = default;
  Type infer(Types in) const { return in[0]; }
  Value simplify(Values in) const { return apply(Restless{tries + 1}, {in[0]}, {}); }
  void run(const Run& r) const { std::copy_n(r.inputs[0].bytes, r.in_type(0).bytes(), r.outputs[0].bytes); }
};

// The sum of so many inputs, elementwise.
struct Total {
  static constexpr OpInfo info{.name = "total", .inputs = {"x..."}};
  std::int64_t count = 0;
  static void attributes(auto&& visit) { visit("count", &Total::count); }
  bool operator==(const Total&) const = default;
  Type infer(Types in) const { return in[0]; }
  TileFn tile(Types) const {
    return [](const void* op, const void* const* in, void* out, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        float sum = 0;
        for (std::int64_t k = 0; k < static_cast<const Total*>(op)->count; ++k)
          sum += static_cast<const float*>(in[k])[i];
        static_cast<float*>(out)[i] = sum;
      }
    };
  }
};

// Something of another type, and one output too few.
struct Liar {
  static constexpr OpInfo info{.name = "liar", .inputs = {"x"}, .outputs = {"y", "z"}};
  bool operator==(const Liar&) const = default;
  std::vector<Type> infer(Types in) const { return {in[0], in[0]}; }
  Value simplify(Values in) const { return constant(in[0].graph(), 1.0); }
  std::vector<Value> lower(Values in) const { return {in[0]}; }
};

// The full names of all nodes but inputs.
std::vector<std::string> names(const Graph& g) {
  std::vector<std::string> list;
  for (NodeId i = 0; i < g.size(); ++i)
    if (!g.node(i).name().empty() && !g.node(i).op().is<ops::Input>()) list.push_back(g.node(i).full_name());
  return list;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nodes_with_an_effect_stay_as_many_as_they_are) {
  Graph g;
  const Value x = input(g, "x", f32, {5});
  const Value a = apply(Heard{}, {x}, At::current()), b = apply(Heard{}, {x}, At::current());
  g.add_output("a", a);
  g.add_output("b", b);
  BOOST_TEST(!common_subexpressions(g).has_value());
  BOOST_TEST(rewrite(g).graph->outputs().size() == 2u);  // they are lowered, too
}

// Of equal nodes the first one that has a name gives it, where it is in the scope that the name belongs to.
BOOST_AUTO_TEST_CASE(names_outlive_rewrites) {
  Graph g;
  const Value x = input(g, "x", f32, {5});
  scaled(x, x, 2);
  g.add_output("1", scaled(x, x, 2).named("kept"));
  g.add_output("2", scaled(x, x, 2).named("late"));
  scaled(x, x, 3);
  const Scope scope(g, "layer");
  g.add_output("3", scaled(x, x, 3).named("elsewhere"));
  const auto r = common_subexpressions(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(names(*r->graph) == std::vector<std::string>{"kept"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_pass_keeps_names) {
  Graph g;
  const Value x = input(g, "x", f32, {5}), one = constant(g, 1.0);
  g.add_output("folded", scaled(one, one).named("folded"));
  g.add_output("lowered", apply(Heard{}, {apply(Wall{}, {x}, At::current())}, At::current()).named("lowered"));
  g.add_output("fused", scaled(scaled(x, x, 2).named("absorbed"), x, 3).named("fused"));
  g.add_output("simplified", apply(Restless{}, {x}, At::current()).named("simplified"));
  std::vector<std::string> kept = names(*rewrite(g).graph);
  std::sort(kept.begin(), kept.end());
  BOOST_TEST(kept == (std::vector<std::string>{"folded", "fused", "lowered", "simplified"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(random_streams_go_on_where_the_graph_was) {
  Graph g;
  g.next_stream();
  g.next_stream();
  const Value x = input(g, "x", f32, {5});
  g.add_output("y", scaled(x, x));
  BOOST_TEST(rewrite(g).graph->peek_stream() == g.peek_stream());
}

BOOST_AUTO_TEST_CASE(an_op_that_always_simplifies_is_no_hang) {
  Graph g;
  g.add_output("y", apply(Restless{}, {input(g, "x", f32, {5})}, At::current()));
  const auto r = simplify(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(r->graph->outputs()[0].second.node().op().as<Restless>()->tries > 1);
}

BOOST_AUTO_TEST_CASE(an_elementwise_op_may_have_many_inputs) {
  Graph g;
  const Tensor five = Tensor::of<float>({3}, {5, 6, 7});
  const std::vector<Value> in(50, constant(g, five));
  std::vector<Tensor> tensors(50, five);
  std::vector<Value> different;
  for (int i = 0; i < 50; ++i) different.push_back(input(g, "x" + std::to_string(i), f32, {3}));
  g.add_output("same", apply(Total{50}, in, At::current()));
  g.add_output("different", apply(Total{50}, different, At::current()));
  const auto r = rewrite(g);
  BOOST_TEST(r.graph->outputs()[0].second.node().op().as<ops::Constant>()->value.data<float>()[2] == 350);
  const Op& fused = r.graph->outputs()[1].second.node().op();
  BOOST_TEST(evaluate(fused, tensors)[0].data<float>()[2] == 350);
}

BOOST_AUTO_TEST_CASE(ops_that_break_their_contract_are_told) {
  Graph g;
  g.add_output("y", apply(Liar{}, {input(g, "x", f32, {5})}, At::current()));
  const auto says = [](const std::string& what) {
    return [what](const InternalError& e) { return std::string(e.what()).find(what) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(rewrite(g), InternalError, says("simplify changes a type"));
  BOOST_CHECK_EXCEPTION(rewrite(g, {.disable = {"simplify"}}), InternalError,
                        says("a rewrite gives a node another number of outputs"));
}

BOOST_AUTO_TEST_SUITE_END()
