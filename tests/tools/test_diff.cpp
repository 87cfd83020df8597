// What differs between two graphs, and all about one value.
#include <diff/diff.h>
#include <dump/explain.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>

#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/random_graph.h"
#include "support/resnet50.h"

BOOST_AUTO_TEST_SUITE(test_diff)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::tools;
using oxbow::test::has;

namespace {

// A training step with hidden layers of these widths.
std::unique_ptr<Graph> net(std::vector<std::int64_t> widths, const char* optimizer = "adam") {
  auto g = std::make_unique<Graph>();
  Value h = input(*g, "x", f32, {any(16), 20});
  const Value label = input(*g, "label", i64, {any(16)});
  for (const std::int64_t width : widths) h = dense(h, width, {.activation = relu});
  const Value loss = cross_entropy(dense(h, 10), label).named("loss");
  g->add_output("loss", loss);
  for (const Value& update : optim::minimize(loss, optimizer).updates) g->add_update(update);
  return g;
}

std::unique_ptr<Graph> read(std::string_view nodes) {
  return parse("oxbow graph 1 seed 0 next_stream 1\nforward:\n" + std::string(nodes) + "\nend", catalog());
}

}  // namespace

BOOST_AUTO_TEST_CASE(equal_graphs_do_not_differ) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto g = test::random_graph(seed).graph;
    BOOST_TEST(diff(*g, *g).same());
    BOOST_TEST(diff(*g, *parse(print(*g), catalog())).same(), "seed " << seed);
  }
  const auto g = net({30});
  BOOST_TEST(diff_text(diff(*g, *g), *g, *g) == "");
}

BOOST_AUTO_TEST_CASE(every_difference_has_its_line) {
  const auto a = read(R"(
    %x = input {name: "x", type: f32[2, 3], free_axes: [0]} : f32[2, 3]
    %1 = exp(%x) : f32[2, 3]
    %2 = sum(%1) {axes: [0], keep: false} : f32[3]
    %old = tanh(%2) : f32[3]
    outputs: "y" = %old "z" = %1)");
  const auto b = read(R"(
    %x = input {name: "x", type: f32[2, 3], free_axes: [0]} : f32[2, 3]
    %1 = exp(%x) : f32[2, 3]
    %2 = square(%1) : f32[2, 3]
    %3 = sum(%2) {axes: [0], keep: true} : f32[1, 3]
    %new = tanh(%3) : f32[1, 3]
    outputs: "y" = %new "q" = %1)");
  BOOST_TEST(diff_text(diff(*a, *b), *a, *b) ==
             "+ %2 = square(%1) : f32[2, 3]\n"
             "~ %3 = sum(%2) {axes: [0], keep: true} : f32[1, 3]\n"
             "    keep: false -> true\n"
             "    type: f32[3] -> f32[1, 3]\n"
             "    input 0: %1 -> %2\n"
             "~ %new = tanh(%3) : f32[1, 3]\n"
             "    type: f32[3] -> f32[1, 3]\n"
             "> old -> new\n"
             "! output \"z\" is gone: it was %1\n"
             "! output \"q\" is new: %1\n"
             "= 2 nodes the same, 1 added, 0 removed, 2 changed, 1 renamed\n");
  BOOST_TEST(has(diff_text(diff(*b, *a), *b, *a), "- %2 = square(%1) : f32[2, 3]\n"));
}

// Another op in the place of one is one change, also of its gradient, and none of who reads it.
BOOST_AUTO_TEST_CASE(a_replaced_op_is_one_change) {
  const auto with = [](const std::string& op) {
    return read(
        "%x = input {name: \"x\", type: f32[2, 3]} : f32[2, 3]\n"
        "%1 = exp(%x) : f32[2, 3]\n"
        "%2 = " +
        op +
        "(%1) : f32[2, 3]\n"
        "%3 = square(%2) : f32[2, 3]\n"
        "outputs: \"y\" = %3 \"h\" = %2");
  };
  const auto a = with("relu"), b = with("tanh");
  BOOST_TEST(diff_text(diff(*a, *b), *a, *b) ==
             "~ %2 = tanh(%1) : f32[2, 3]\n"
             "    op: relu -> tanh\n"
             "= 3 nodes the same, 0 added, 0 removed, 1 changed, 0 renamed\n");
  const auto step = [](auto activation) {
    auto g = std::make_unique<Graph>();
    const Value h = dense(input(*g, "x", f32, {any(16), 20}), 8, {.activation = activation});
    const Value loss = mean(square(dense(h, 4))).named("loss");
    g->add_output("loss", loss);
    for (const Value& update : optim::minimize(loss, "sgd").updates) g->add_update(update);
    return g;
  };
  const auto with_relu = step(relu), with_tanh = step(oxbow::tanh);
  const Difference d = diff(*with_relu, *with_tanh);
  const std::string text = diff_text(d, *with_relu, *with_tanh);
  BOOST_TEST(d.added.size() == 0u, text);
  BOOST_TEST(d.removed.size() == 0u, text);
  BOOST_TEST(d.changed.size() == 2u, text);
  BOOST_TEST(has(text, "    op: relu -> tanh\n"), text);
  BOOST_TEST(has(text, "    op: relu_gradient -> tanh_gradient\n"), text);
}

// What reads the same, but is read by others, is not a replacement; and labels that are the same are told apart.
BOOST_AUTO_TEST_CASE(a_removed_branch_and_an_added_one_are_two_things) {
  const auto a = read(R"(
    %x = input {name: "x", type: f32[3]} : f32[3]
    %1 = relu(%x) : f32[3]
    %2 = square(%x) : f32[3]
    %3 = add(%1, %2) : f32[3]
    outputs: "y" = %3)");
  const auto b = read(R"(
    %x = input {name: "x", type: f32[3]} : f32[3]
    %1 = square(%x) : f32[3]
    %2 = tanh(%x) : f32[3]
    %3 = add(%x, %1) : f32[3]
    outputs: "y" = %3 "z" = %2)");
  const std::string text = diff_text(diff(*a, *b), *a, *b);
  BOOST_TEST(has(text, "- %1 = relu(%x) : f32[3]\n"), text);
  BOOST_TEST(has(text, "+ %2 = tanh(%x) : f32[3]\n"), text);
  const auto c = read(R"(
    %x = input {name: "x", type: f32[3]} : f32[3]
    %1 = one(%x) : f32[3]
    %2 = square(%1) : f32[3])");
  const auto e = read(R"(
    %x = input {name: "x", type: f32[3]} : f32[3]
    %1 = two(%x, %x) : f32[3]
    %2 = square(%1) : f32[3])");
  BOOST_TEST(has(diff_text(diff(*c, *e), *c, *e), "    input 0: %1 (one) -> %1 (two)\n"),
             diff_text(diff(*c, *e), *c, *e));
}

// Names come from files that others wrote.
BOOST_AUTO_TEST_CASE(names_command_no_terminal) {
  const auto a = read(
      "%\"a\\x1b[31m\" = input {name: \"a\\x1b[31m\", type: f32[2]} : f32[2]\n"
      "%\"old\\x1b[2J\" = relu(%\"a\\x1b[31m\") : f32[2]\n"
      "outputs: \"y\\x1b[1m\" = %\"old\\x1b[2J\"");
  const auto b = read(
      "%\"a\\x1b[31m\" = input {name: \"a\\x1b[31m\", type: f32[2]} : f32[2]\n"
      "%\"new\\x1b[2J\" = relu(%\"a\\x1b[31m\") : f32[2]\n"
      "outputs: \"z\\x1b[1m\" = %\"new\\x1b[2J\"");
  const std::string text = diff_text(diff(*a, *b), *a, *b);
  BOOST_TEST(has(text, "> \"old\\x1b[2J\" -> \"new\\x1b[2J\"\n"), text);
  BOOST_TEST(text.find('\x1b') == std::string::npos);
  const auto scoped = parse(
      "oxbow graph 1 seed 0 next_stream 1\nforward \"s\\x1b[1m\":\n"
      "%0 = input {name: \"x\", type: f32[2]} : f32[2]\n"
      "%1 = relu(%0) : f32[2] at \"f\\x1b.cpp\":1\noutputs: \"y\\x1b\" = %1\nend",
      catalog());
  for (const char* value : {"%0", "%1"}) BOOST_TEST(explain(*scoped, value, {}).find('\x1b') == std::string::npos);
}

// Only the neighbours of a layer that is put in see it: not those before, nor those behind.
BOOST_AUTO_TEST_CASE(an_inserted_layer_is_an_addition) {
  for (const auto& [before, now] :
       {std::pair{std::vector<std::int64_t>{64, 32, 16}, std::vector<std::int64_t>{64, 64, 32, 16}},
        std::pair{std::vector<std::int64_t>{32, 32}, std::vector<std::int64_t>{32, 32, 32}}}) {
    const auto a = net(before), b = net(now);
    const Difference d = diff(*a, *b);
    BOOST_TEST(d.removed.size() == 0u);
    BOOST_TEST(std::ssize(d.added) == b->size() - a->size());
    BOOST_TEST(d.changed.size() <= 12u, diff_text(d, *a, *b));
  }
}

BOOST_AUTO_TEST_CASE(large_graphs_compare_quickly) {
  Graph a, b;
  test::resnet50(a);
  test::resnet50(b);
  BOOST_TEST(diff(a, b).same());
  const auto start = std::chrono::steady_clock::now();
  const auto small = net({30});
  BOOST_TEST(!diff(a, *small).same());
  BOOST_TEST(!diff(*small, a).same());
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 10);
}

BOOST_AUTO_TEST_CASE(plans_differ_in_memory_and_time) {
  const auto g = net({64, 32});
  const auto plan = [&](Compiling how) { return plan_of(*g, stages(*g, how), how); };
  const Ledger one = plan({.threads = 1}), four = plan({.threads = 4}),
               large = plan({.threads = 1, .sizes = {{"x", Shape{64, 20}}, {"label", Shape{64}}}});
  BOOST_TEST(diff(one, one).same());
  BOOST_TEST(has(diff_text(diff(one, four), *one.graph, *four.graph), "! threads: 1 -> 4\n"));
  const std::string text = diff_text(diff(one, large), *one.graph, *large.graph);
  BOOST_TEST(has(text, "! arena bytes: "));
  BOOST_TEST(has(text, "    type: f32[16, 64] -> f32[64, 64]\n"));
}

BOOST_AUTO_TEST_CASE(the_picture_has_a_legend_and_colours) {
  const auto a = net({64, 32, 16}), b = net({64, 48, 32, 16});
  const std::string dot = diff_dot(diff(*a, *b), *a, *b);
  for (const char* word : {"legend", "\"added\"", "\"removed\"", "\"changed\"", "\"the same\"", "fillcolor=\"#bbf7d0\"",
                           "nodes that are the same are not drawn"})
    BOOST_TEST(has(dot, word), word);
  BOOST_TEST(has(diff_dot(diff(*b, *a), *b, *a), "a"));
}

// Graphviz takes minutes for some thousand nodes.
BOOST_AUTO_TEST_CASE(a_picture_draws_so_many_nodes) {
  Graph a, b;
  for (Graph* g : {&a, &b}) {
    Value h = input(*g, "x", f32, {2});
    for (int i = 0; i < 500; ++i) h = g == &a ? tanh(h + 1.0) : exp(h * 2.0);
    g->add_output("y", h);
  }
  const Difference d = diff(a, b);
  const auto drawn = [](const std::string& dot, const std::string& graph) {
    int count = 0;
    for (std::size_t at = 0; (at = dot.find("\n" + graph, at)) != std::string::npos; ++at)
      count += dot.substr(dot.find_first_not_of("0123456789", at + 2)).starts_with(" [label");
    return count;
  };
  const std::string all = diff_dot(d, a, b), some = diff_dot(d, a, b, 300);
  BOOST_TEST(drawn(all, "b") >= 1000);
  BOOST_TEST(drawn(some, "a") + drawn(some, "b") == 300);
  BOOST_TEST(!has(all, "that differ are not drawn"));
  BOOST_TEST(has(some, " nodes that differ are not drawn. The formats text and dot have them all"),
             some.substr(0, 2000));
}

BOOST_AUTO_TEST_CASE(a_value_is_explained) {
  const auto g = net({64});
  const std::string kernel = explain(*g, "dense/kernel", {.threads = 1});
  BOOST_TEST(has(kernel, "%dense/kernel = variable {name: \"dense/kernel\""));
  BOOST_TEST(has(kernel, "  built       at tests/tools/test_diff.cpp:"));
  BOOST_TEST(has(kernel, ", forward, scope dense\n  value       f32[20, 64], 5120 bytes\n"));
  BOOST_TEST(has(kernel, "  written by  %"));
  BOOST_TEST(has(kernel, "  lives       variable memory\n  read by     step 0, %"));
  BOOST_TEST(has(kernel, "  written     in place by step "), kernel);
  BOOST_TEST(has(explain(*g, "loss", {.threads = 1}), "  output      \"loss\"\n"));
  BOOST_TEST(has(explain(*g, "loss", {.threads = 1}), "  why         fetched: kept to the end of the run"));
  // relu's result, by its label: saved, since a gradient reads it.
  NodeId hidden = 0;
  while (g->node(hidden).op().name() != "relu") ++hidden;
  const std::string text = explain(*g, label(g->node(hidden).output()), {.threads = 1});
  for (const char* part : {"    lower: now %", "    fuse: now %", "  why         saved for backward: read by step ",
                           "  lives       in the arena from byte ", "  alive       from step "})
    BOOST_TEST(has(text, part), text);
  // The sum that relu reads is computed on the way and never stored.
  BOOST_TEST(has(explain(*g, label(g->node(hidden).input(0)), {.threads = 1}),
                 "no longer has bytes of its own: computed inside %"));
  BOOST_CHECK_EXCEPTION(find_value(*g, "los"), Error, [](const Error& e) {
    return std::string(e.what()).starts_with(
        "there is no value \"los\". Did you mean \"loss\"?\n  A value goes by its name");
  });
  for (const char* word : {"", "%", "%99999999999999999999", "%1#7", "#", "-1", "%\"", "1 2"})
    BOOST_CHECK_THROW(find_value(*g, word), Error);
}

BOOST_AUTO_TEST_SUITE_END()
