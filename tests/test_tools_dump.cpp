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

BOOST_AUTO_TEST_CASE(formats_have_names) {
  BOOST_TEST((parse_format("text") == Format::text));
  BOOST_TEST((parse_format("dot") == Format::dot));
  BOOST_TEST((parse_format("svg") == Format::svg));
  BOOST_TEST(!parse_format("png").has_value());
}

BOOST_AUTO_TEST_CASE(each_format) {
  const auto g = chain(5);
  BOOST_TEST(dump(*g, Format::text) == print(*g));
  BOOST_TEST(dump(*g, Format::text, {.locations = true}) == print(*g, {.locations = true}));
  BOOST_TEST(dump(*g, Format::dot, {.types = false, .reduced = true}) ==
             dot(*g, {.types = false, .reduced = true, .note = ""}));
  const std::string svg = dump(*g, Format::svg);
  BOOST_TEST(svg.starts_with("<?xml"));
  BOOST_TEST(has(svg, "</svg>"));
  BOOST_TEST(has(svg, "&quot;x &lt;&amp;&gt; y&quot;"));
  BOOST_TEST(dump(*g, Format::svg) == svg);
  BOOST_TEST(has(dump(Graph(), Format::svg), "</svg>"));
}

BOOST_AUTO_TEST_CASE(large_graphs_are_drawn_plainly_and_the_largest_not_at_all) {
  BOOST_TEST(has(dump(*chain(fully_drawn + 1), Format::svg),
                 "1001 nodes: drawn without types and without edges that others imply"));
  BOOST_CHECK_EXCEPTION(dump(*chain(largest_picture + 1), Format::svg), Error, [](const Error& e) {
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
