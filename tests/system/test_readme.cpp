// README.md and the pages of tools/docs show programs as they are and what those print, optimizers' true defaults, and
// files that exist.
#include <oxbow/optim/optimizer.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "support/command.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_readme)

namespace {

std::string file(const std::string& path) {
  std::ifstream in(oxbow::test::source(path));
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_graph_is_in_the_readme_with_its_output) {
  const std::string readme = file("README.md");
  const auto run = oxbow::test::command(oxbow::test::program("first_graph"));
  BOOST_TEST(run.code == 0);
  const std::string source = "```cpp\n" + file("tests/programs/first_graph.cpp") + "```\n";
  BOOST_TEST(readme.find(source) != std::string::npos, "README.md should hold\n" << source);
  const std::string printed = "```\n" + run.output + "```\n";
  BOOST_TEST(readme.find(printed) != std::string::npos, "README.md should hold\n" << printed);
}

BOOST_AUTO_TEST_CASE(what_the_page_of_functions_offers_is_declared) {
  std::string headers = file("graph/leaves.h");
  const std::string list = file("ops/ops.h"), page = file("tools/docs/functions.md");
  const std::regex include("#include <oxbow/(.*)>"), name("`([a-z_0-9]+)`");
  for (std::sregex_iterator i(list.begin(), list.end(), include), end; i != end; ++i) headers += file((*i)[1]);
  const std::size_t begin = page.find("| elementwise, broadcasting |");
  BOOST_REQUIRE(begin != std::string::npos);
  const std::string table = page.substr(begin, page.find("\n\n", begin) - begin);
  int names = 0;
  for (std::sregex_iterator i(table.begin(), table.end(), name), end; i != end; ++i, ++names) {
    const std::string function = " " + (*i)[1].str() + "(";
    BOOST_TEST((headers.find("\nValue" + function) != std::string::npos ||
                headers.find("\nstd::vector<Value>" + function) != std::string::npos ||
                headers.find("Result" + function) != std::string::npos),
               "no header of ops/ops.h declares" << function);
  }
  BOOST_TEST(names > 50);
}

BOOST_AUTO_TEST_CASE(the_page_of_optimizers_has_a_new_one_as_it_is_and_all_defaults) {
  const std::string page = file("tools/docs/optimizers.md");
  const auto run = oxbow::test::command(oxbow::test::program("own_optimizer"));
  BOOST_TEST(run.code == 0);
  for (const std::string& part :
       {"```cpp\n" + file("tests/programs/own_optimizer.cpp") + "```\n", "```\n" + run.output + "```\n"})
    BOOST_TEST(page.find(part) != std::string::npos, "tools/docs/optimizers.md should hold\n" << part);
  for (const oxbow::optim::Named& o : oxbow::optim::optimizers()) {
    std::vector<oxbow::optim::Optimizer> both{o.optimizer};
    for (const auto& [field, value] : o.optimizer.attributes())
      if (field == "convention") both.push_back(o.optimizer.with(field, std::string("pytorch")));
    for (const auto& each : both)
      BOOST_TEST(page.find("\n" + to_string(each) + "\n") != std::string::npos,
                 "tools/docs/optimizers.md should have the line " << to_string(each));
    BOOST_TEST(page.find("| `" + std::string(o.name) + "` |") != std::string::npos, "no table row for " << o.name);
  }
}

BOOST_AUTO_TEST_CASE(pages_show_programs_as_they_are_and_what_they_print) {
  const std::pair<const char*, std::vector<std::string>> shown[] = {
      {"concepts.md", {"concepts"}},
      {"howto.md", {"debug_nan"}},
      {"layers.md", {"layers"}},
      {"random.md", {"random_numbers"}},
      {"start.md", {"first_net", "first_mistake"}},
      {"tutorial.md", {"tutorial_descent", "tutorial_optimizers"}}};
  for (const auto& [name, programs] : shown)
    for (const std::string& program : programs) {
      const oxbow::test::TemporaryFolder folder;  // for what it writes
      const std::string page = file(std::string("tools/docs/") + name);
      const auto run = oxbow::test::command("cd " + folder / "" + " && " + oxbow::test::program(program));
      BOOST_TEST(run.code == 0, program);
      for (const std::string& part :
           {"```cpp\n" + file("tests/programs/" + program + ".cpp") + "```\n", "```\n" + run.output + "```\n"})
        BOOST_TEST(page.find(part) != std::string::npos, "tools/docs/" << name << " should hold\n" << part);
    }
}

BOOST_AUTO_TEST_CASE(the_list_of_tasks_shows_an_op_as_the_example_has_it) {
  for (const char* part : {"tools/examples/gaussian.h", "tools/examples/gaussian.cpp"})
    BOOST_TEST(file("tools/docs/howto.md").find("```cpp\n" + file(part) + "```\n") != std::string::npos, part);
}

BOOST_AUTO_TEST_CASE(the_pages_name_files_that_exist) {
  const std::regex path("`((graph|ops|runtime|optim|tests|tools|\\.github)/[a-z0-9_./-]*)`");
  std::vector<std::string> pages{"README.md", ".github/CONTRIBUTING.md"};
  for (const auto& entry : std::filesystem::directory_iterator(oxbow::test::source("tools/docs")))
    if (entry.path().extension() == ".md") pages.push_back("tools/docs/" + entry.path().filename().string());
  int paths = 0;
  for (const std::string& page : pages) {
    const std::string text = file(page);
    for (std::sregex_iterator i(text.begin(), text.end(), path), end; i != end; ++i, ++paths)
      BOOST_TEST(std::filesystem::exists(oxbow::test::source((*i)[1])), page << " names " << (*i)[1]);
  }
  BOOST_TEST(paths > 50);
}

BOOST_AUTO_TEST_SUITE_END()
