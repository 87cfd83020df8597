// What `oxbow dump` prints.
#include <dump.h>
#include <oxbow/graph/dot.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <render.h>

#include <boost/test/unit_test.hpp>

using namespace oxbow;
using namespace oxbow::tools;

namespace {

// y = y + ... + y, `nodes` times over, of an op that nobody knows.
std::unique_ptr<Graph> chain(int nodes) {
  std::string text =
      "oxbow graph 1 seed 0 next_stream 1\nforward:\n%0 = input {name: \"x <&> y\", type: f32[2]} : f32[2]\n";
  for (int i = 1; i < nodes; ++i) {
    const std::string before = "%" + std::to_string(i - 1);
    text += "%" + std::to_string(i) + " = twice(" + before + ", " + before + ", %0) : f32[2]\n";
  }
  return parse(text, Catalog::leaves());
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(unknown_formats_and_stages) {
  const auto g = chain(2);
  BOOST_CHECK_EXCEPTION(dump(*g, {.format = "jsn"}), Error, [](const Error& e) {
    return std::string(e.what()).starts_with("there is no format \"jsn\". Did you mean \"json\"?\n  There are: text, dot");
  });
  Graph small;
  input(small, "x", f32, {2});
  BOOST_CHECK_EXCEPTION(dump(small, {.after = "fusee"}), Error, [](const Error& e) {
    return std::string(e.what()).starts_with(
        "there is no rewrite \"fusee\". Did you mean \"fuse\"?\n  There are: specialise, dead_code");
  });
}

BOOST_AUTO_TEST_CASE(each_format) {
  const auto g = chain(5);
  BOOST_TEST(dump(*g) == print(*g));
  BOOST_TEST(dump(*g, {.locations = true}) == print(*g, {.locations = true}));
  BOOST_TEST(dump(*g, {.format = "dot", .types = false, .reduced = true}) ==
             dot(*g, {.types = false, .reduced = true, .note = ""}));
  const std::string svg = dump(*g, {.format = "svg"});
  BOOST_TEST(svg.starts_with("<?xml"));
  BOOST_TEST(has(svg, "</svg>"));
  BOOST_TEST(has(svg, "&quot;x &lt;&amp;&gt; y&quot;"));
  BOOST_TEST(dump(*g, {.format = "svg"}) == svg);
  BOOST_TEST(has(dump(Graph(), {.format = "svg"}), "</svg>"));
}

BOOST_AUTO_TEST_CASE(large_graphs_are_drawn_plainly_and_the_largest_not_at_all) {
  BOOST_TEST(has(dump(*chain(fully_drawn + 1), {.format = "svg"}),
                 "1001 nodes: drawn without types and without edges that others imply"));
  BOOST_CHECK_EXCEPTION(dump(*chain(largest_picture + 1), {.format = "svg"}), Error, [](const Error& e) {
    return std::string(e.what()) ==
           "the graph has 4001 nodes, too many for a picture (at most 4000). Dump it as text, or as "
           "dot for a viewer of large graphs";
  });
}

BOOST_AUTO_TEST_CASE(what_is_no_dot_is_told) {
  BOOST_CHECK_EXCEPTION(render_svg("digraph {"), Error, [](const Error& e) {
    return std::string(e.what()) == "Graphviz cannot draw this DOT text";
  });
}
