// Whatever a text says of a graph or a plan, it is refused or can be shown: in each format of text, and value by value.
#include <dump/dump.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "support/has.h"
#include "support/hostile_dump.h"
#include "support/message.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_hostile_plans)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A plan that has all there is: views, a barrier before a write in place, bytes that are taken over, and what is kept.
std::string plan() {
  Graph g;
  const Value x = input(g, "x", f32, {8}), w = variable(g, "w", {f32, {8}}, init::constant(2));
  const Value y = (x * w).named("y");
  g.add_output("checked", require_finite(sum(y), "y", "Look."));
  const Value view = slice(reshape(matmul(reshape(y, {2, 4}), reshape(y, {4, 2})), {4}), 0, 1, 3).named("view");
  g.add_output("view", view);
  g.add_output("sums", sum(exp(view)));
  g.add_update(assign(w, w - y * 0.1));
  return tools::dump(g, {.plan = true, .compiling = {.threads = 2}});
}

// `text` with its first `what` behind `behind` replaced.
std::string replaced(std::string text, std::string_view behind, std::string_view what, std::string_view by) {
  const std::size_t place = text.find(behind), at = text.find(what, place);
  BOOST_REQUIRE_MESSAGE((place != std::string::npos && at != std::string::npos), what << " behind " << behind << text);
  return text.replace(at, what.size(), by);
}

}  // namespace

BOOST_AUTO_TEST_CASE(plans_that_contradict_themselves) {
  const std::string good = plan();
  BOOST_TEST_REQUIRE(show_hostile(good) > 10);
  std::size_t barrier = 0;  // the number of the step that is one
  for (std::size_t at = good.find("\nsteps:\n") + 8; good.compare(at, 9, "  barrier") != 0; ++barrier)
    at = good.find('\n', at) + 1;
  const std::string step = std::to_string(barrier);
  const std::string_view alias = "alias\" without \"alias_of\"", behind = "\nvalues:\n",
                         none = "this plan speaks of a step, group, value, block or lane that it does not have",
                         waits = "this plan has a barrier where a step belongs that computes something";
  const auto edited = [&](std::string_view after, std::string_view what, const std::string& by) {
    return replaced(good, after, what, by);
  };
  const std::size_t of = good.find(", alias_of: ");
  BOOST_TEST_REQUIRE(of != std::string::npos);
  const std::string alias_of = good.substr(of, good.find_first_of(",}", of + 2) - of);
  const std::size_t in = good.find("values: [", good.find("\nblocks:\n"));
  const std::string in_block = good.substr(in, good.find(']', in) + 1 - in);
  const std::pair<std::string, std::string_view> cases[] = {
      {edited(behind, "fate: \"leaf\"", "fate: \"alias\""), alias},
      {edited(behind, alias_of, ""), alias},
      {edited(behind, alias_of, ", alias_of: 9999"), none},
      {edited(behind, alias_of, ", alias_of: " + std::to_string(std::count(good.begin(), good.end(), '%'))), none},
      {edited("oxbow plan", "critical_path: [", "critical_path: [" + step + ", "), waits},
      {edited("oxbow plan", "critical_path: [", "critical_path: [0, 0, "), "goes back to an earlier step"},
      {edited(behind, "first: 0", "first: " + step), waits},
      {edited(behind, "last: ", "last: " + step + ", overwrites: "), waits},
      {edited(behind, "readers: [", "readers: [" + step + ", "), waits},
      {edited("\nblocks:\n", "first: 0", "first: " + step), waits},
      {edited("\nblocks:\n", in_block, "values: []"), "in this plan a block has no values"},
  };
  for (const auto& [text, wrong] : cases) {
    const std::string said = message([&] { internal::parse_ledger(text, parse(text, catalog()), "p.txt"); });
    BOOST_TEST((said.starts_with("p.txt:") && has(said, wrong)), said << "\n" << text);
  }
}

// Every number of a plan, made another one: what is not refused can be shown.
BOOST_AUTO_TEST_CASE(plans_with_another_number_anywhere) {
  const std::string good = plan();
  constexpr std::string_view digits = "0123456789";
  int numbers = 0;
  for (std::size_t at = good.find_first_of(digits, good.find("\noxbow plan")); at != std::string::npos; ++numbers) {
    const std::size_t end = std::min(good.find_first_not_of(digits, at), good.size());
    for (const char* other : {"0", "1", "3", "9", "-1", "2147483647", "9223372036854775807"})
      show_hostile(good.substr(0, at) + other + good.substr(end));
    at = good.find_first_of(digits, end);
  }
  BOOST_TEST(numbers > 100);
}

BOOST_AUTO_TEST_CASE(the_corpus_of_the_fuzzer) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source("tests/fuzz/corpus/text"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    show_hostile(std::string(std::istreambuf_iterator<char>(file), {}));
    ++files;
  }
  BOOST_TEST(files >= 20);
}

BOOST_AUTO_TEST_SUITE_END()
