// The page of `oxbow dump --format html`, used in a browser.
#include <dump/dump.h>
#include <examples/examples.h>
#include <measure/measure.h>
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "support/command.h"
#include "support/places.h"
#include "support/resnet50.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_page)

using namespace oxbow;
using namespace oxbow::tools;

namespace {

// The first line of the page's DOM, with what tests/tools/page_check.js wrote there.
std::string checked(std::string page, const std::string& window) {
  std::ifstream file(test::source("tests/tools/page_check.js"));
  const std::string check{std::istreambuf_iterator<char>(file), {}};
  page.insert(page.rfind("</body>"), "<script>" + check + "</script>");
  const test::TemporaryFolder folder;
  const std::string path = folder.write("page.html", page);
  const auto [code, dom] =
      test::command(test::browser() + " --headless --no-sandbox --disable-gpu " + window +
                    " --user-data-dir=" + folder / "profile" + " --dump-dom file://" + path + " 2>/dev/null");
  BOOST_REQUIRE(code == 0);
  return dom.substr(0, dom.find("<head"));
}

int number(const std::string& dom, const std::string& key) {
  const std::size_t at = dom.find(key + "=\"");
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, "the page failed to start: " + dom);
  return std::stoi(dom.substr(at + key.size() + 2));
}

// Returns the milliseconds from opening to the first picture.
int works(const std::string& page, int least_checks, const std::string& window = "--window-size=1600,1000") {
  const std::string dom = checked(page, window);
  BOOST_TEST(number(dom, "data-checks") >= least_checks);
  BOOST_TEST(dom.find("data-failed=\"\"") != std::string::npos, dom);
  return number(dom, "data-interactive");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_graph_alone) { works(dump(*examples::build("mnist_mlp"), {.format = "html"}), 30); }

// The first graph of README.md: what the user named is found and read by these names, in the graph and in its plan,
// where other ops compute it.
BOOST_AUTO_TEST_CASE(names_that_users_gave) {
  Graph g;
  const Value x = input(g, "x", f32, {any(3)});
  const Value w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 2});
  const Value loss = sum(square(w * x - 1.0)).named("loss");
  gradients(loss, {w})[0].named("slope");
  g.add_output("error", loss);
  for (const bool plan : {false, true}) {
    const std::string dom = checked(dump(g, {.format = "html", .plan = plan}), "--window-size=1280,800");
    BOOST_TEST(dom.find("data-failed=\"\"") != std::string::npos, dom);
    BOOST_TEST(number(dom, "data-names") == (plan ? 3 : 4));  // the plan is of what the output needs
  }
}

BOOST_AUTO_TEST_CASE(a_training_plan) {
  const std::shared_ptr<Graph> of_example = examples::build("mnist_mlp");
  const Graph& g = *of_example;
  const DumpOptions how{.format = "html", .plan = true, .compiling = {.threads = 2}};
  const std::string page = dump(g, how);
  BOOST_TEST((page == dump(g, how)));
  works(page, 45);
  // A narrow window, and a reader whose system is dark.
  works(page, 45, "--window-size=800,700");
  const std::string dark = "--window-size=1280,800 --blink-settings=preferredColorScheme=0";
  BOOST_TEST(checked(page, dark).find("data-first-theme=\"dark\"") != std::string::npos);
  works(page, 45, dark);
  const std::vector<Trace> runs = measure(g, how.compiling, {.steps = 3});
  DumpOptions measured = how;
  measured.measured = runs;
  works(dump(g, measured), 47);
}

// Ten thousand nodes: a net of unequal blocks, each a scope. The best of three, for the machine may have other work.
BOOST_AUTO_TEST_CASE(a_large_net_within_two_seconds) {
  Graph g;
  Value h = input(g, "x", f32, {4});
  for (int block = 0; g.size() < 10'000; ++block) {
    const Scope stage(g, "stage" + std::to_string(block / 100));
    const Scope scope(g, "block" + std::to_string(block % 100));
    Value past = h;
    for (int i = 0; i < 5 + block % 3; ++i) h = relu(h + past);
  }
  g.add_output("y", h);
  const std::string page = dump(g, {.format = "html"});
  int best = works(page, 30);
  for (int round = 1; round < 3 && best > 2000; ++round) best = std::min(best, works(page, 30));
  BOOST_TEST(best <= 2000);
}

BOOST_AUTO_TEST_CASE(a_residual_net) {
  Graph g;
  test::resnet50(g);
  BOOST_TEST(g.size() > 5000);
  works(dump(g, {.format = "html"}), 30);
}

// What would end a script, or be markup, stays text.
BOOST_AUTO_TEST_CASE(hostile_names) {
  const auto g = parse(
      "oxbow graph 1 seed 0 next_stream 1\nforward:\n"
      "%0 = input {name: \"</script><!--<script><img src=x>\", type: f32[2]} : f32[2]\n"
      "%1 = twice(%0) : f32[2]\n%2 = twice(%1) : f32[2]\nend",
      Catalog::leaves());
  const std::string page = dump(*g, {.format = "html"});
  BOOST_TEST(page.find("<img") == std::string::npos);
  BOOST_TEST(page.find("http") == std::string::npos);  // asks nobody for anything
  works(page, 25);
}

BOOST_AUTO_TEST_SUITE_END()
