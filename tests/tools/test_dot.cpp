// DOT text: what tells nodes, edges and phases apart; the same text every time.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>

#include <boost/test/unit_test.hpp>

#include "dump/dot.h"
#include "dump/folded.h"
#include "support/has.h"
#include "support/layer_kinds.h"
#include "support/optional_ops.h"

BOOST_AUTO_TEST_SUITE(test_dot)

using namespace oxbow;
using namespace oxbow::tools;
using oxbow::test::has;

namespace {

constexpr std::string_view small = R"(oxbow graph 1 seed 0 next_stream 1
forward:
  %x = input {name: "x", type: f32[4, 3], free_axes: [0]} : f32[4, 3]
forward "dense":
  %dense/w = variable {name: "dense/w", type: f32[3, 2]} : f32[3, 2]
  %2 = matmul(%x, %dense/w) {transpose_a: false, transpose_b: true} : f32[4, 2]
  %3 = square(%2, %2) : f32[4, 2]
  %4 = constant {value: tensor f32[] [0.5]} : f32[]
backward "dense":
  %dense/dw = matmul_grad(%3, %x) {axis: -1} : f32[3, 2] for %2
update:
  %6 = assign(%dense/w, %dense/dw) : f32[3, 2]
outputs:
  "loss \"l\"" = %3
  "w" = %6
end)";

std::string dot_of(std::string_view text, DotOptions options = {}) {
  return dot(*parse(text, Catalog::leaves()), options);
}

}  // namespace

BOOST_AUTO_TEST_CASE(nodes_and_edges_show_what_they_are) {
  const std::string text = dot_of(small);
  BOOST_TEST(text.starts_with("digraph G {\n"));
  BOOST_TEST(has(text, "0 [label=\"x\\nf32[4, 3]\", shape=oval, style=filled"));
  BOOST_TEST(has(text, "1 [label=\"w\\nf32[3, 2]\", shape=cylinder"));
  BOOST_TEST(has(text, "2 [label=\"matmul\\ntranspose_b\", shape=box, color=\"#1f4e79\""));
  BOOST_TEST(has(text, "3 [label=\"square\\noutput loss \\\"l\\\"\", shape=box, peripheries=2"));
  BOOST_TEST(has(text, "4 [label=\"constant\\nf32[] [0.5]\", shape=note"));
  BOOST_TEST(has(text, "5 [label=\"dw\\nmatmul_grad\\naxis -1\", shape=box, color=\"#a34708\""));
  BOOST_TEST(has(text, "6 [label=\"assign\\noutput w\", shape=box, peripheries=2, color=\"#2c6e3f\""));
  BOOST_TEST(has(text, "0->2 [color=\"#1f4e79\", label=\" f32[4, 3]\"]"));
  BOOST_TEST(has(text, "3->5 [color=\"#a34708\", label=\" f32[4, 2]\", penwidth=2]"));
  BOOST_TEST(has(text, "8->6 [color=\"#2c6e3f\", style=dotted]"));
  BOOST_TEST(has(text, "7 [label=\"x\", shape=oval, style=\"filled,dashed\", color=\"#1f4e79\""));
  BOOST_TEST(has(text, "8 [label=\"dense/w\", shape=cylinder, style=\"filled,dashed\", color=\"#1f4e79\""));
  BOOST_TEST(has(text, "label=\"forward\"; color"));
  BOOST_TEST(has(text, "label=\"dense\"; color"));
  BOOST_TEST(dot_of(small) == text);
}

BOOST_AUTO_TEST_CASE(parallel_and_implied_edges) {
  const auto count = [](const std::string& text, std::string_view part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  const std::string full = dot_of(small), reduced = dot_of(small, {.types = false, .reduced = true});
  BOOST_TEST(count(full, "2->3 ") == 2);
  BOOST_TEST(count(reduced, "2->3 ") == 1);
  BOOST_TEST(count(full, "7->5 ") == 1);
  BOOST_TEST(count(reduced, "7->5 ") == 0);
  BOOST_TEST(count(full, "->") == 8);
  BOOST_TEST(count(reduced, "->") == 5);
  BOOST_TEST(!has(reduced, "label=\" f32"));
}

BOOST_AUTO_TEST_CASE(folded_updates_stand_beside_the_scope_whose_parameters_they_move) {
  std::string text(small);
  text.replace(text.find("update:"), 7, "update \"optimizer/adam/dense/w\":");
  const std::string folded = folded_dot(*parse(text, Catalog::leaves()));
  BOOST_TEST(has(folded, "1 [label=\"dense\\n"), folded);
  BOOST_TEST(has(folded, "2 [label=\"dense (backward)\\n"), folded);
  BOOST_TEST(has(folded, "3 [label=\"dense (update)\\n"), folded);
  BOOST_TEST(has(folded, "{rank=same; 1; 2; 3;}"), folded);
}

// Data come in at boxes of their own, with arrows to who reads them, as long as they are few.
BOOST_AUTO_TEST_CASE(folded_inputs_stand_alone_while_they_are_few) {
  for (const int inputs : {2, 9}) {
    Graph g;
    std::vector<Value> x;
    for (int i = 0; i < inputs; ++i) x.push_back(input(g, "x" + std::to_string(i), f32, {4}));
    const Scope scope(g, "layer");
    g.add_output("y", x[0] + x[1]);
    const std::string folded = folded_dot(g);
    BOOST_TEST(has(folded, "[label=\"x0 f32[4]\", shape=oval") == (inputs == 2), folded);
    BOOST_TEST(has(folded, "0->2 [") == (inputs == 2), folded);
    BOOST_TEST(has(folded, "\\ninput x0 f32[4]") == (inputs == 9), folded);
  }
}

BOOST_AUTO_TEST_CASE(each_kind_of_layer_is_a_box) {
  for (const test::LayerKind& kind : test::layer_kinds(f32)) {
    Graph g;
    const test::OfKind net = test::of_kind(g, kind, f32);
    const Value loss = mean(square(net.out));
    g.add_output("loss", loss);
    optim::minimize(loss, "adam");
    const std::string folded = folded_dot(g);
    BOOST_TEST(has(folded, "[label=\"" + net.layer.name()), kind.name << ": " << folded);
    BOOST_TEST((folded_dot(*parse(print(g), catalog())) == folded), kind.name);
  }
}

// A fused node says which ops it is made of, and nothing of lists that are empty.
BOOST_AUTO_TEST_CASE(fused_nodes_say_what_they_are_made_of) {
  Catalog known = catalog();
  const auto label = [&](std::string_view node) {
    const std::string text =
        dot(*parse("oxbow graph 1 seed 0 next_stream 1\nforward:\n"
                   "%0 = input {name: \"x\", type: f32[4, 4]} : f32[4, 4]\n" +
                       std::string(node) + "end",
                   known));
    const std::size_t at = text.find("1 [label=\"") + 10;
    return text.substr(at, text.find('"', at) - at);
  };
  BOOST_TEST(label("%1 = fused(%0) {tape: {inputs: 1, steps: [{op: \"relu\", of: [0]}], outputs: [1]}, "
                   "reductions: []} : f32[4, 4]\n") == "fused: relu");
  BOOST_TEST(label("%1 = fused(%0) {tape: {inputs: 1, steps: [{op: \"relu\", of: [0]}, {op: \"tanh\", of: [1]}, "
                   "{op: \"exp\", of: [2]}, {op: \"sqrt\", of: [3]}, {op: \"square\", of: [4]}], outputs: [5]}, "
                   "reductions: []} : f32[4, 4]\n") == "fused: relu, tanh, exp and 2 more");
  BOOST_TEST(label("%1 = product(%0, %0) {transpose_a: false, sum_leading: false, epilogue: {inputs: 1, steps: "
                   "[{op: \"relu\", of: [0]}], outputs: [1]}} : f32[4, 4]\n") == "product, relu");
}

BOOST_AUTO_TEST_CASE(remarks_and_a_path_stand_beside_the_graph) {
  DotOptions options{.note = "<7 steps>", .path = {2, 3, 5}, .path_note = "the way & its time"};
  options.remarks = std::vector<DotRemark>(6);
  options.remarks[2] = {.name = "hidden", .label = "step 0, 5 us", .tip = "24 B, saved"};
  options.remarks[5] = {.name = "dw, db", .label = "step 7", .tip = ""};
  const std::string text = dot_of(small, options);
  BOOST_TEST(
      has(text, "label=<&lt;7 steps&gt;<br align=\"left\"/><font color=\"#c4005f\"><b>the way &amp; its time</b>"));
  BOOST_TEST(
      has(text, "2 [label=\"hidden\\nmatmul\\ntranspose_b\\nstep 0, 5 us\", shape=box, penwidth=2, color=\"#c4005f\""));
  BOOST_TEST(has(text, " : f32[4, 2]\\n24 B, saved\"]"));
  BOOST_TEST(
      has(text, "5 [label=\"dw, db\\nmatmul_grad\\naxis -1\\nstep 7\", shape=box, penwidth=2, color=\"#c4005f\""));
  BOOST_TEST(has(text, "2->3 [color=\"#c4005f\", label=\" f32[4, 2]\", penwidth=2]"));
  BOOST_TEST(has(text, "3->5 [color=\"#c4005f\", label=\" f32[4, 2]\", penwidth=2]"));
  BOOST_TEST(has(text, "0->2 [color=\"#1f4e79\", label=\" f32[4, 3]\"]"));
  const std::string folded = folded_dot(*parse(small, Catalog::leaves()), {.path = {2, 3, 5}, .path_note = "the way"});
  BOOST_TEST(has(folded, "<font color=\"#c4005f\"><b>the way</b></font>"), folded);
  BOOST_TEST(has(folded, "color=\"#c4005f\", penwidth=2, fontcolor=\"#a34708\""), folded);
  BOOST_TEST(has(folded, "[color=\"#c4005f\", label=\" 32 B\", constraint=false, penwidth=2]"), folded);
}

// Numbers that a plan's outputs go by are no names.
BOOST_AUTO_TEST_CASE(numbered_outputs_have_a_border_only) {
  Graph g;
  const Value x = input(g, "x", f32, {4});
  g.add_output("0", x + x);
  g.add_output("y2", x * x);
  for (const std::string& text : {dot(g), folded_dot(g)}) {
    BOOST_TEST(has(text, "\\noutput y2"), text);
    BOOST_TEST(!has(text, "output 0"), text);
  }
  BOOST_TEST(has(dot(g), "[label=\"add\", shape=box, peripheries=2"));
}

BOOST_AUTO_TEST_CASE(an_empty_graph) {
  const std::string text = dot(Graph());
  BOOST_TEST(text.starts_with("digraph G {\n"));
  BOOST_TEST(text.ends_with("}\n"));
}

BOOST_AUTO_TEST_CASE(absent_inputs_have_no_edge) {
  Graph g;
  const Value x = input(g, "x", f32, {3});
  g.add_output("moved", test::affine(x, {}, input(g, "offset", f32, {3})));
  const std::string text = dot(g);
  std::size_t edges = 0;
  for (std::size_t i = 0; (i = text.find("->", i)) != std::string::npos; ++i) ++edges;
  BOOST_TEST(edges == 2U);
  BOOST_TEST(has(folded_dot(g), "->"));
}

BOOST_AUTO_TEST_CASE(names_cannot_break_the_text) {
  Graph g;
  std::string deep = "a";
  for (int i = 0; i < 40; ++i) deep += "/a";
  {
    Scope scope(g, deep);
    input(g, "q\"\\\n\x01", f32, {2});
    input(g, "caf\xe9 \xc3\xa9", f32, {2});
  }
  const std::string text = dot(g);
  BOOST_TEST(has(text, "0 [label=\"q\\\"\\\\\\n\\nf32[2]\""));
  BOOST_TEST(has(text, "1 [label=\"caf\xef\xbf\xbd \xc3\xa9\\nf32[2]\""));
  BOOST_TEST(has(text, "subgraph cluster_32 {"));
  BOOST_TEST(!has(text, "subgraph cluster_33 {"));
}

BOOST_AUTO_TEST_SUITE_END()
