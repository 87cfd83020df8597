// ONNX's own tests. The page of them is what they give, so that none fails unseen; OXBOW_WRITE_ONNX=1 in the
// environment writes it anew.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "conformance.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_conformance)

using namespace oxbow::test;

namespace {

// Tests by what becomes of them.
std::string page(const std::vector<OnnxTest>& tests) {
  std::map<std::string, std::vector<std::string>> groups;
  std::map<std::string, std::pair<int, int>> counts;
  for (const OnnxTest& t : tests) {
    groups[t.reason].push_back(t.name + (t.fixed ? " *" : ""));
    auto& [passed, all] = counts[t.name.substr(0, t.name.find('/'))];
    passed += t.reason.empty() ? 1 : 0;
    ++all;
  }
  std::string text =
      "# ONNX's own tests\n\nWhat becomes of each test of Debian's libonnx-testdata, imported and run, within 1e-3 of "
      "what is "
      "expected and 1e-7. This page is written by\nthe test `onnx/conformance`, which fails where it is another one: "
      "`OXBOW_WRITE_ONNX=1 build/bin/test_onnx --run_test=test_conformance`.\nA star: with the inputs on which shapes "
      "depend as constants.\n\n| tests | pass | of |\n|---|---|---|\n";
  for (const auto& [group, count] : counts)
    text += "| " + group + " | " + std::to_string(count.first) + " | " + std::to_string(count.second) + " |\n";
  for (const auto& [reason, names] : groups) {
    text += "\n## " + (reason.empty() ? "Pass" : reason) + "\n\n";
    for (const std::string& name : names) text += "- " + name + "\n";
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_test_is_as_the_page_says) {
  std::vector<OnnxTest> tests;
  for (const std::string& name : onnx_tests()) tests.push_back(run_onnx_test(name));
  const std::string now = page(tests);
  if (std::getenv("OXBOW_ONNX_DATA") != nullptr) {
    std::cout << now;
    return;
  }
  const std::string file = source("tools/docs/onnx-tests.md");
  if (std::getenv("OXBOW_WRITE_ONNX") != nullptr) BOOST_REQUIRE(std::ofstream(file) << now);
  std::ifstream in(file);
  const std::string then{std::istreambuf_iterator<char>(in), {}};
  const std::size_t others = then.find("\n## ", then.find("\n## Pass") + 1);
  for (const OnnxTest& t : tests) {
    const std::size_t listed = std::min(then.find("- " + t.name + "\n"), then.find("- " + t.name + " *\n"));
    if (listed < others) BOOST_TEST(t.reason == "", t.name << " passed before");
  }
  BOOST_TEST(now == then, "the page of ONNX's tests is not what they give: see the head of this file");
}

BOOST_AUTO_TEST_SUITE_END()
