// What private headers of graph, runtime and optim declare is in a namespace `internal`, and nothing else is, so that a
// name of the one kind is never taken for one of the other.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_namespaces)

namespace {

struct Declaration {
  std::string space;  // "oxbow::internal"
  std::string head;   // "struct Tape", up to its body or its end
  bool has_body;
};

// The declarations of a header outside of classes and functions.
std::vector<Declaration> declarations(const std::filesystem::path& header) {
  std::ifstream file(header);
  const std::regex left_out(R"(//[^\n]*|"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])+'|(^|\n)\s*#[^\n]*)"),
      space("namespace ([a-z_:]*)");
  const std::string text = std::regex_replace(std::string{std::istreambuf_iterator<char>(file), {}}, left_out, "\n");
  std::vector<Declaration> all;
  std::vector<std::string> spaces;
  std::string head;
  int within = 0;  // braces that are no namespace's
  for (const char c : text) {
    if (within == 0 && (c == '{' || c == ';')) {
      std::smatch name;
      if (c == '{' && std::regex_search(head, name, space)) {
        spaces.push_back((spaces.empty() ? "" : spaces.back() + "::") + name[1].str());
      } else {
        if (std::regex_search(head, std::regex("\\w")))
          all.push_back({spaces.empty() ? "" : spaces.back(), head, c == '{'});
        within += c == '{';
      }
      head.clear();
    } else if (within == 0 && c == '}') {
      BOOST_REQUIRE(!spaces.empty());
      spaces.pop_back();
      head.clear();
    } else if (within > 0) {
      within += (c == '{') - (c == '}');
    } else {
      head += c;
    }
  }
  BOOST_TEST(spaces.empty());
  return all;
}

bool is_internal(const Declaration& d) {
  return std::regex_search(d.space, std::regex("^oxbow(::optim)?::internal\\b"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(private_headers_declare_in_internal_and_public_ones_do_not) {
  using namespace std::filesystem;
  // `struct Program::Impl {`, or `inline Record& Graph::at(`: what a public class left to be defined.
  const std::regex of_public_class(R"((struct|class) [A-Z]\w*::\w|[A-Z]\w*::~?\w+\()");
  int found[2] = {};
  for (const std::string folder : {"graph", "ops", "runtime", "optim"})
    for (const auto& entry : recursive_directory_iterator(oxbow::test::source(folder))) {
      if (entry.path().extension() != ".h") continue;
      const std::string path = relative(entry.path(), oxbow::test::source(""));
      const bool is_private = std::count(path.begin(), path.end(), '/') > 1 && !path.starts_with("optim/optimizers/");
      if (is_private && folder == "ops") continue;  // these are in `oxbow::ops`, as far as they can be
      for (const Declaration& d : declarations(entry.path())) {
        ++found[is_private];
        if (is_private)
          BOOST_TEST((is_internal(d) || std::regex_search(d.head, of_public_class)),
                     path << " is private, but not in a namespace `internal` is:" << d.head);
        else  // forward declarations, for pointers to what is private
          BOOST_TEST(
              (!is_internal(d) || (!d.has_body && std::regex_search(d.head, std::regex("^\\s*(struct|class) \\w+$")))),
              path << " is public, but in a namespace `internal` is:" << d.head);
      }
    }
  BOOST_TEST(found[0] > 300);
  BOOST_TEST(found[1] > 150);
}

BOOST_AUTO_TEST_SUITE_END()
