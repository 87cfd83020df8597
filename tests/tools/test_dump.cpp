// What `oxbow dump` prints.
#include <dump/dump.h>
#include <dump/graph_json.h>
#include <dump/plan_remarks.h>
#include <dump/render.h>
#include <examples/examples.h>
#include <measure/measure.h>
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "dump/dot.h"
#include "dump/folded.h"
#include "support/has.h"
#include "support/random_graph.h"
#include "support/resnet50.h"

BOOST_AUTO_TEST_SUITE(test_dump)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::tools;
using oxbow::test::has;

namespace {

// y = y + ... + y, `nodes` times over, of an op that nobody knows.
std::unique_ptr<Graph> chain(int nodes) {
  std::string text =
      "oxbow graph 1 seed 0 next_stream 1\nforward:\n%0 = input {name: \"x <&> y\", type: f32[2]} : f32[2]\n";
  for (int i = 1; i < nodes; ++i) {
    const std::string before = "%" + std::to_string(i - 1);
    text += "%" + std::to_string(i) + " = twice(" + before + ", " + before + ", %0) : f32[2]\n";
  }
  return parse(text + "end", Catalog::leaves());
}

}  // namespace

BOOST_AUTO_TEST_CASE(unknown_formats_and_stages) {
  const auto g = chain(2);
  BOOST_CHECK_EXCEPTION(dump(*g, {.format = "jsn"}), Error, [](const Error& e) {
    return std::string(e.what()).starts_with(
        "there is no format \"jsn\". Did you mean \"json\"?\n  There are: text, dot");
  });
  Graph small;
  input(small, "x", f32, {2});
  BOOST_CHECK_EXCEPTION(dump(small, {.after = "fusee"}), Error, [](const Error& e) {
    return std::string(e.what()).starts_with(
        "there is no rewrite \"fusee\". Did you mean \"fuse\"?\n  There are: specialise, activations, dead_code");
  });
}

BOOST_AUTO_TEST_CASE(each_format) {
  const auto g = chain(5);
  BOOST_TEST(dump(*g) == print(*g, {.locations = false}));
  BOOST_TEST(dump(*g, {.locations = true}) == print(*g));
  BOOST_TEST(dump(*g, {.format = "dot", .types = false, .reduced = true}) ==
             dot(*g, {.types = false, .reduced = true, .note = ""}));
  const std::string svg = dump(*g, {.format = "svg"});
  BOOST_TEST(svg.starts_with("<?xml"));
  BOOST_TEST(has(svg, "</svg>"));
  BOOST_TEST(has(svg, "&quot;x &lt;&amp;&gt; y&quot;"));
  BOOST_TEST(dump(*g, {.format = "svg"}) == svg);
  BOOST_TEST(has(dump(Graph(), {.format = "svg"}), "</svg>"));
}

BOOST_AUTO_TEST_CASE(large_graphs_are_folded) {
  const auto g = chain(fully_drawn + 1);
  BOOST_TEST(has(dump(*g, {.format = "svg"}), "301 nodes, folded by scope. The format dot has them all"));
  BOOST_TEST(dump(*g, {.format = "dot"}) == dot(*g));
  BOOST_TEST(dump(*g, {.format = "dot", .fold = true}) == folded_dot(*g));
  BOOST_TEST(dump(*chain(3), {.format = "png"}).starts_with("\x89PNG"));
}

BOOST_AUTO_TEST_CASE(mermaid_flowcharts) {
  const std::string text = dump(*chain(2), {.format = "mermaid"});
  BOOST_TEST(text.starts_with("flowchart TD\n  classDef forward fill:#dcebfa"));
  BOOST_TEST(has(text, "  subgraph s0[\"forward\"]\n    n0([\"input<br/>f32#91;2#93;\"]):::forward\n"));
  BOOST_TEST(has(text, "    n1[\"twice\"]:::forward\n  end\n"));
  BOOST_TEST(has(text, "  n0 -->|\"f32#91;2#93;\"| n1\n"));
}

// Every stage of every graph, and its plan, reads back to the same text, and is the same text once more.
BOOST_AUTO_TEST_CASE(stages_and_plans_read_back) {
  Catalog known = catalog();
  const auto check = [&](const Graph& g, std::vector<Value> fetches) {
    const Compiling how{.threads = 3, .fetches = fetches};
    const std::vector<Stage> way = stages(g, how);
    const std::vector<Stage> again = stages(g, how);
    BOOST_REQUIRE(way.size() == stage_names().size());
    for (std::size_t i = 0; i < way.size(); ++i) {
      if (!way[i].changed) continue;
      const std::string text = print(*way[i].graph, {.locations = true});
      BOOST_TEST(print(*parse(text, known), {.locations = true}) == text);
      BOOST_TEST(print(*again[i].graph, {.locations = true}) == text);
    }
    const std::string plan = print(plan_of(g, way, how), {.locations = true});
    const std::shared_ptr<const Graph> graph = parse(plan, known);
    const auto read = parse_ledger(plan, graph);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(print(*read, {.locations = true}) == plan);
    BOOST_TEST((plan_json(*read) == plan_json(plan_of(g, again, how))));
  };
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const test::RandomGraph r = test::random_graph(seed);
    BOOST_TEST_CONTEXT("seed " << seed) check(*r.graph, r.fetches);
  }
  for (const examples::Example& e : examples::examples()) {
    const std::shared_ptr<Graph> g = e.build();
    BOOST_TEST_CONTEXT(e.name) check(*g, fetches(*g));
  }
}

// The memoisation ledger, on the examples: what is alive at the peak is the lower bound, and the gap makes it the peak.
BOOST_AUTO_TEST_CASE(the_ledgers_of_the_examples_add_up) {
  for (const examples::Example& e : examples::examples())
    for (const int threads : {1, 2, 4}) {
      const std::shared_ptr<Graph> g = e.build();
      const Ledger l = ledger(compile(fetches(*g), {.pool = Pool(threads)}));
      std::int64_t sum = 0;
      for (const std::int32_t b : l.live) sum += l.blocks[static_cast<std::size_t>(b)].bytes;
      BOOST_TEST(sum == l.lower_bound, e.name);
      BOOST_TEST(sum + l.gap() == l.arena_bytes, e.name);
      BOOST_TEST(dump(compile(fetches(*g), {.pool = Pool(threads)}), {.format = "json"}) ==
                 dump(l, {.format = "json"}));
    }
}

BOOST_AUTO_TEST_CASE(values_keep_their_names_in_the_plan) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Value hidden = dense(x, 5, {.activation = relu}).named("hidden");
  g.add_output("loss", mean(square(hidden)));
  g.add_output("hidden", hidden);
  const std::string plan = dump(g, {.plan = true, .compiling = {.threads = 1, .sizes = {{"x", Shape{7, 3}}}}});
  BOOST_TEST(has(plan, "{name: \"dense/hidden\", fate: "), plan);
  BOOST_TEST(has(plan, "f32[7, 5]"));
  BOOST_TEST(has(dump(g, {.after = "lower"}), " = product("));
  BOOST_TEST(!has(dump(g, {.after = "simplify"}), " = product("));
}

// Pictures and flowcharts of a plan hold the plan: steps, names, where values live, the critical path, and times.
BOOST_AUTO_TEST_CASE(pictures_of_plans_show_the_plan) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Value hidden = dense(x, 5, {.activation = relu}).named("hidden");
  const Value loss = mean(square(hidden)).named("error");
  g.add_output("loss", loss);
  const Compiling how{.threads = 1};
  const std::string text = dump(g, {.format = "dot", .plan = true, .compiling = how});
  const Ledger l = plan_of(g, stages(g, how), how);
  for (std::size_t s = 0; s < l.steps.size(); ++s) BOOST_TEST(has(text, "\\nstep " + std::to_string(s) + "\""), text);
  BOOST_TEST(has(text, "label=\"error\\nfused: divide\\noutput loss\\nstep 2\""), text);
  BOOST_TEST(has(text, "1 part, "), text);
  BOOST_TEST(has(text, "80 B, dropped, in the arena from byte 0, steps 0 to 1\"]"), text);
  BOOST_TEST(has(text, "60 B, leaf, variable memory"), text);
  BOOST_TEST(has(text, std::to_string(l.steps.size()) + " steps on 1 thread, "), text);
  BOOST_TEST(has(text, "critical path: "), text);
  BOOST_TEST(has(text, " ns, estimated"), text);
  BOOST_TEST(!has(text, ", measured"), text);
  BOOST_TEST(has(text, "penwidth=2, color=\"#c4005f\""), text);
  BOOST_TEST(has(text, "[color=\"#c4005f\", label="), text);
  BOOST_TEST(!has(dump(g, {.format = "dot"}), "step "));
  const std::string folded = dump(g, {.format = "dot", .plan = true, .compiling = how, .fold = true});
  BOOST_TEST(has(folded, ", estimated</b>"), folded);
  BOOST_TEST(has(folded, "color=\"#c4005f\", penwidth=2"), folded);
  const std::string chart = dump(g, {.format = "mermaid", .plan = true, .compiling = how});
  BOOST_TEST(has(chart, "[\"error<br/>fused: divide<br/>step 2\"]"), chart);
  BOOST_TEST(has(chart, "  classDef path stroke:#c4005f"), chart);
  BOOST_TEST(has(chart, ", estimated\"]:::path\n  class n"), chart);

  const std::vector<Trace> runs = measure(g, how, {.steps = 3});
  for (const std::string format : {"dot", "mermaid"}) {
    const std::string timed = dump(g, {.format = format, .plan = true, .compiling = how, .measured = runs});
    for (std::size_t s = 0; s < l.steps.size(); ++s)
      BOOST_TEST(has(timed, "step " + std::to_string(s) + ", "), timed);  // and its time
    BOOST_TEST(has(timed, ", measured"), timed);
  }
  BOOST_TEST(has(dump(g, {.format = "svg", .plan = true, .compiling = how}), "step 1"));
}

// The path goes through what only looks at a result's bytes, so that no edge of it is missing.
BOOST_AUTO_TEST_CASE(the_critical_path_of_a_picture_has_no_holes) {
  Graph g;
  const Value x = input(g, "x", f32, {8, 8});
  g.add_output("y", softmax(reshape(softmax(matmul(x, x)), {4, 16})));
  const Compiling how{.threads = 1};
  const Ledger l = plan_of(g, stages(g, how), how);
  const std::vector<NodeId> path = critical_nodes(l);
  BOOST_TEST(path.size() == l.longest_path().size() + 1);
  for (std::size_t i = 1; i < path.size(); ++i) {
    const auto inputs = l.graph->node(path[i]).inputs();
    BOOST_TEST(std::any_of(inputs.begin(), inputs.end(), [&](Value v) { return v.node_id() == path[i - 1]; }));
  }
}

// Faults of a plan's text, with their places.
BOOST_AUTO_TEST_CASE(malformed_plans) {
  Graph g;
  g.add_output("y", square(input(g, "x", f32, {any(2)})));
  const std::string plan = dump(g, {.plan = true, .compiling = {.threads = 1}});
  const auto with_run = [&](std::string_view event) {
    return plan.substr(0, plan.rfind("\nend\n")) + "\nrun:\n  " + std::string(event) + "\n\nend\n";
  };
  const auto replaced = [&](std::string_view what, std::string_view by) {
    std::string text = plan;
    const std::size_t at = text.find(what);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
  };
  const std::pair<std::string, std::string_view> cases[] = {
      {replaced("oxbow plan 1", "oxbow plan 2"),
       "this plan has version 2, but only version 1 is known. Use a newer Oxbow"},
      {replaced("{threads: 1", "{treads: 1"), "there is no field \"treads\" here. Did you mean \"threads\"?"},
      {replaced("{threads: 1", "{threads: true"), "threads: expected"},
      {replaced("fate: \"fetched\"", "fate: \"lost\""), "fate: \"lost\" is not a fate of a value"},
      {replaced("\nsteps:", "\nstep:"), "expected \"steps:\", found \"step\""},
      {replaced("peak_step: 0", "peak_step: 7"),
       "this plan speaks of a step, group, value, block or lane that it does not have"},
      {replaced("block: 0", "block: 5"),
       "this plan speaks of a step, group, value, block or lane that it does not have"},
      {replaced("finish_ns: [", "finish_ns: [1.0, "), "a group has as many starts and finishes as lanes"},
      {plan.substr(0, plan.rfind("  %", plan.find("\nblocks:"))) + plan.substr(plan.find("\nblocks:") + 1),
       "a plan has a line for each output of each node"},
      {with_run("{step: 99, lane: 0, begin_ns: 0.0, end_ns: 1.0}"),
       "this plan speaks of a step, group, value, block or lane that it does not have"},
      {with_run("{step: 0, lane: 1, begin_ns: 0.0, end_ns: 1.0}"),
       "this plan speaks of a step, group, value, block or lane that it does not have"},
      {with_run("{step: 0, lane: 0, begin_ns: 2.0, end_ns: 1.0}"), "or ends before it begins"},
      {replaced("arena_bytes: ", "arena_bytes: -"), "in this plan something lies outside of its arena of -"},
      {replaced("\nblocks:\n  {offset: ", "\nblocks:\n  {offset: 99999"), "something lies outside of its arena"},
      {plan.substr(0, plan.rfind("\nend")), "expected \"end\" behind the plan, found the end of the text"},
      {plan + "oxbow graph 1", "expected nothing behind \"end\", found \"oxbow\""},
      {replaced("\nblocks:", "  %7 {bytes: 4}\nblocks:"), "there is no node %7 in the graph"},
  };
  for (const auto& [text, wrong] : cases) {
    const auto told = [&, part = wrong](const Error& e) {
      const std::string message = e.what();
      return message.starts_with("p.txt:") && std::isdigit(message[6]) && has(message, part);
    };
    BOOST_TEST_CONTEXT(wrong)
    BOOST_CHECK_EXCEPTION(parse_ledger(text, parse(text, catalog()), "p.txt"), Error, told);
  }
}

// ResNet-50's training step: each format in less than a second, and a folded picture for one screen.
BOOST_AUTO_TEST_CASE(dumps_of_resnet50_are_quick) {
  Graph g;
  test::resnet50(g);
  BOOST_TEST(g.size() > 5000);
  for (const std::string format : {"text", "dot", "json", "mermaid"}) {
    double best = 1e9;
    std::string first;
    for (int round = 0; round < 2; ++round) {
      const auto start = std::chrono::steady_clock::now();
      std::string out = dump(g, {.format = format});
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      BOOST_TEST(out.size() > 100'000u);
      if (round > 0) BOOST_TEST((out == first), format);
      first = std::move(out);
    }
    BOOST_TEST(best < 1, format << " took " << best << " s");
  }
  const std::string folded = folded_dot(g);
  BOOST_TEST(has(folded, "stage3/block4"));
  const auto boxes = std::count(folded.begin(), folded.end(), '\n');
  BOOST_TEST(boxes < 250);
}

BOOST_AUTO_TEST_CASE(what_is_no_dot_is_told) {
  BOOST_CHECK_EXCEPTION(render_svg("digraph {"), Error,
                        [](const Error& e) { return std::string(e.what()) == "Graphviz cannot draw this DOT text"; });
}

BOOST_AUTO_TEST_SUITE_END()
