// README.md shows the first graph as it is, and what it prints.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "support/command.h"

namespace {

std::string file(const std::string& path) {
  std::ifstream in(SOURCE_FOLDER "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_graph_is_in_the_readme_with_its_output) {
  const std::string readme = file("README.md");
  const auto run = oxbow::test::command(FIRST_GRAPH);
  BOOST_TEST(run.code == 0);
  const std::string source = "```cpp\n" + file("tests/first_graph.cpp") + "```\n";
  BOOST_TEST(readme.find(source) != std::string::npos, "README.md should hold\n" << source);
  const std::string printed = "```\n" + run.output + "```\n";
  BOOST_TEST(readme.find(printed) != std::string::npos, "README.md should hold\n" << printed);
}
