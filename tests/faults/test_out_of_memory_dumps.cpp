// Memory runs out while graphs and plans are printed, parsed, drawn, explained and compared: every allocation fails in
// turn, alone and with all that come after it. There is an `Error`, or what there always is; afterwards there is that.
// Labels: long.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/ledger/text.h>

#include <boost/test/unit_test.hpp>

#include "diff/diff.h"
#include "dump/dump.h"
#include "dump/explain.h"
#include "faults/out_of_memory.h"
#include "measure/profile_report.h"

BOOST_AUTO_TEST_SUITE(test_out_of_memory_dumps)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(texts_of_graphs_and_plans) {
  const Net net;
  const Model model = net.model();
  const std::string text = print(model.graph());
  check_pure("printing", [&] { return print(model.graph()); });
  const auto printed = [](const auto& graph) { return print(*graph); };
  check_pure(
      "parsing", [&] { return parse(text, catalog()); }, printed);
  const Ledger plan = ledger(compile(model.fetches()));
  const std::string planned = print(plan);
  check_pure("printing a plan", [&] { return print(plan); });
  const std::shared_ptr<const Graph> graph = parse(planned, catalog());
  check_pure(
      "parsing a plan", [&] { return parse_ledger(planned, graph); }, printed);
}

BOOST_AUTO_TEST_CASE(dumps) {
  const Net net;
  const Program program = compile({net.loss}, {.pool = Pool(2)});
  for (const tools::Format& format : tools::formats()) {
    if (format.name == "svg" || format.name == "png") continue;  // DOT, which Graphviz makes a picture of
    for (const bool plan : {false, true}) {
      const tools::DumpOptions options{.format = std::string(format.name), .plan = plan, .compiling = {.threads = 2}};
      check_pure(std::string(format.name) + (plan ? " of a plan" : ""), [&] { return tools::dump(net.g, options); });
    }
  }
  check_pure("folded", [&] { return tools::dump(net.g, {.format = "dot", .reduced = true, .fold = true}); });
  check_pure("a program", [&] { return tools::dump(program); });
  check_pure(
      "all stages", [&] { return tools::dump_all(net.g, {.compiling = {.threads = 1}}); },
      [](const std::vector<tools::DumpedStage>& stages) {
        std::string all;
        for (const tools::DumpedStage& s : stages) all += s.name + s.what + s.content;
        return all;
      });
  check_pure("explain", [&] { return tools::explain(net.g, "loss", {.threads = 1}); });
}

BOOST_AUTO_TEST_CASE(pictures) {
  Graph g;
  const Value y = relu(input(g, "x", f32, {2}));
  g.add_output("y", y);
  check_pure("svg", [&] { return tools::dump(g, {.format = "svg"}); });
}

BOOST_AUTO_TEST_CASE(differences) {
  const Net net;
  Graph other;
  const Value x = input(other, "x", f32, {any(4), 3});
  other.add_output("y", dense(dense(x, 5, {.activation = relu}), 2).named("hidden"));
  check_pure("as text", [&] { return tools::diff_text(tools::diff(net.g, other), net.g, other); });
  check_pure("as DOT", [&] { return tools::diff_dot(tools::diff(net.g, other), net.g, other); });
  const Ledger a = ledger(compile({net.loss})), b = ledger(compile({net.hidden}));
  check_pure("of plans", [&] { return tools::diff_text(tools::diff(a, b), *a.graph, *b.graph); });
}

BOOST_AUTO_TEST_CASE(timelines) {
  const Net net;
  const Program program = compile({net.hidden});
  Session session(program, Store(net.g));
  session.feed("x", held_out["x"].clone());
  Trace trace;
  session.run(trace);
  check_pure("a timeline", [&] { return tools::chrome_trace(trace, "net"); });
}

BOOST_AUTO_TEST_CASE(so_many_failed) { count_failures("dumps", "printing, parsing, drawing and comparing"); }

BOOST_AUTO_TEST_SUITE_END()
