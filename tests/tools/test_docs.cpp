// Every command line that README.md and the pages of tools/docs show has a command and options of the `oxbow` program.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_docs)

using namespace oxbow::test;

namespace {

std::string help(const std::string& command) {
  static std::map<std::string, std::string> known;
  const auto [place, is_new] = known.try_emplace(command);
  if (is_new) {
    const Finished shown = oxbow_(command + " --help");
    BOOST_TEST(shown.code == 0, "there is no command " << command);
    place->second = shown.output;
  }
  return place->second;
}

// Whether a help text lists an option, or all short options of a word such as "-f".
bool offers(const std::string& text, const std::string& option) {
  return std::regex_search(text, std::regex("(^|[\\s,])" + option + "($|[\\s,{])"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(command_lines_on_the_pages_are_understood) {
  // In backticks or in a block of code: "oxbow COMMAND" and what follows on the line.
  const std::regex line("(?:^|`|; do |bin/)oxbow ((?:lr )?[a-z]+)( [^`;|\\n]*)?"), option(" (--?[a-z][a-z-]*)");
  std::vector<std::string> pages{source("README.md")};
  for (const auto& entry : std::filesystem::directory_iterator(source("tools/docs")))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  int lines = 0, options = 0;
  for (const std::string& page : pages) {
    std::ifstream file(page);
    for (std::string text; std::getline(file, text);)
      for (std::sregex_iterator i(text.begin(), text.end(), line), end; i != end; ++i) {
        const std::string command = (*i)[1], rest = (*i)[2];
        if ((command == "graph" || command == "plan") && rest.rfind(" 1", 0) == 0) continue;  // the head of a text
        ++lines;
        for (std::sregex_iterator o(rest.begin(), rest.end(), option); o != end; ++o, ++options)
          BOOST_TEST(offers(help(command), (*o)[1]), page << ": oxbow " << command << " has no " << (*o)[1]);
        help(command);
      }
  }
  BOOST_TEST(lines > 30);
  BOOST_TEST(options > 15);
}

BOOST_AUTO_TEST_CASE(the_readme_names_every_command) {
  std::ifstream file(source("README.md"));
  const std::string readme{std::istreambuf_iterator<char>(file), {}}, all = help("");
  const std::regex command("\\n  ([a-z]+)  ");
  int commands = 0;
  for (std::sregex_iterator i(all.begin(), all.end(), command), end; i != end; ++i, ++commands)
    BOOST_TEST(readme.find("| `oxbow " + (*i)[1].str()) != std::string::npos, "README.md has no row for " << (*i)[1]);
  BOOST_TEST(commands >= 9);
}

BOOST_AUTO_TEST_SUITE_END()
