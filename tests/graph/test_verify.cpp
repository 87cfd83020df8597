// The verifier: each invariant that a caller can break is seen, and told with the node.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/verify.h>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(test_verify)

using namespace oxbow;

namespace {

// Gives another type each time it is asked: breaks the rule that types follow from op and inputs.
struct Fickle {
  static constexpr OpInfo info{.name = "fickle", .effect = true};
  std::shared_ptr<int> asked = std::make_shared<int>(0);
  Type infer(Types) const { return {f32, {++*asked}}; }
  bool operator==(const Fickle&) const = default;
};

std::string verdict(const Graph& g) {
  try {
    verify(g);
  } catch (const InternalError& e) {
    return e.what();
  }
  return "good";
}

// The message behind the family's words and before its request.
std::string told(const std::string& what) {
  return "internal error in Oxbow: " + what + " (please report this, with the program that caused it)";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_good_graph) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)}), w = variable(g, "w", {f32, {4}});
  const Value a = assign(w, x);
  g.add_update(a);
  g.add_output("x", x);
  g.add_output("w", a);
  g.add_output("w again", a);
  BOOST_TEST(verdict(g) == "good");
  BOOST_TEST(!first_violation(g).has_value());
}

BOOST_AUTO_TEST_CASE(types_follow_from_the_op) {
  Graph g;
  g.append(Fickle{}, {}, {});
  BOOST_TEST(verdict(g) == told("node 0 (fickle_0) breaks \"an op gives the types that its node has\": the node has "
                                "f32[1], but its op gives f32[2]"));
}

BOOST_AUTO_TEST_CASE(leaves_have_names_of_their_own) {
  Graph g;
  g.append(ops::Input{"x", {f32, {2}}, {}}, {}, {});
  g.append(ops::Variable{"x", {f32, {2}}, {}}, {}, {});
  BOOST_TEST(verdict(g) == "good");
  g.append(ops::Input{"x", {f32, {2}}, {}}, {}, {});
  BOOST_TEST(verdict(g) ==
             told("node 2 (input_2) breaks \"inputs have different names\": \"x\" is the name of input_0 too"));
  Graph h;
  h.append(ops::Variable{"v", {f32, {2}}, {}}, {}, {});
  h.append(ops::Variable{"v", {f32, {3}}, {}}, {}, {});
  BOOST_TEST(
      verdict(h) ==
      told("node 1 (variable_1) breaks \"variables have different names\": \"v\" is the name of variable_0 too"));
}

BOOST_AUTO_TEST_CASE(free_axes_exist) {
  Graph g;
  g.append(ops::Input{"x", {f32, {2, 3}}, {0, 2}}, {}, {});
  BOOST_TEST(verdict(g) ==
             told("node 0 (input_0) breaks \"an input's free axes exist and ascend\": there is no axis 2 in [2, 3]"));
  Graph h;
  h.append(ops::Input{"x", {f32, {2, 3}}, {1, 0}}, {}, {});
  BOOST_TEST(verdict(h) ==
             told("node 0 (input_0) breaks \"an input's free axes exist and ascend\": axis 0 is out of order"));
  Graph twice;
  twice.append(ops::Input{"x", {f32, {2, 3}}, {1, 1}}, {}, {});
  BOOST_TEST(verdict(twice) ==
             told("node 0 (input_0) breaks \"an input's free axes exist and ascend\": axis 1 is out of order"));
}

BOOST_AUTO_TEST_CASE(assigns_write_variables_once) {
  Graph g;
  const Value x = input(g, "x", f32, {2}), w = variable(g, "w", {f32, {2}});
  g.add_output("a", assign(w, x));
  BOOST_TEST(verdict(g) == "good");
  g.add_output("b", assign(w, w));
  BOOST_TEST(verdict(g) ==
             told("node 3 (assign_3) breaks \"among the outputs, a variable is written by one assign\": w is "
                  "written by assign_2 too"));
  Graph h;
  const Value y = input(h, "y", f32, {2});
  h.append(ops::Assign{}, {y, y}, {});
  BOOST_TEST(verdict(h) == told("node 1 (assign_1) breaks \"what an assign writes is a variable\": it is y"));
}

BOOST_AUTO_TEST_CASE(forward_nodes_stand_before) {
  for (const NodeId forward : {0, 7}) {
    Graph g;
    const OriginGuard guard(g, {.at = {}, .forward = forward, .phase = Phase::backward, .scope = {}});
    constant(g, 1.0);
    BOOST_TEST(verdict(g) ==
               told("node 0 (constant_0) breaks \"the forward node of a backward node stands before it\": it is node " +
                    std::to_string(forward)));
  }
}

BOOST_AUTO_TEST_CASE(constants_have_bytes) {
  Graph g;
  g.append(ops::Constant{Tensor({f32, {2}}, nullptr)}, {}, {});
  BOOST_TEST(verdict(g) == told("node 0 (constant_0) breaks \"a constant has its bytes\": there are none"));
}

BOOST_AUTO_TEST_SUITE_END()
