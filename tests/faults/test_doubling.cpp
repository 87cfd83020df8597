// Twice as much to read, to plan or to show takes twice as much memory, not four times: counted in bytes that are asked
// for, so that no machine is too slow for it. What goes through a text, a chain or a scope again for each of its parts
// is seen here.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/files/safetensors_header.h>
#include <oxbow/runtime/ledger/text.h>

#include <boost/test/unit_test.hpp>
#include <functional>

#include "dump/dump.h"
#include "history/file.h"
#include "runtime/allocations.h"

BOOST_AUTO_TEST_SUITE(test_doubling)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

constexpr double most_growth = 3;  // of bytes where there is twice as much: growing vectors and logarithms take more than 2

// `prepared(n)` is what is counted, ready to run.
void check_doubling(const std::string& what, int n, const std::function<std::function<void()>(int)>& prepared) {
  const auto bytes = [&](int count) {
    const std::function<void()> run = prepared(count);
    const std::int64_t before = allocated_bytes;
    run();
    return static_cast<double>(allocated_bytes - before);
  };
  bytes(8);  // what is made once
  const double once = bytes(n), twice = bytes(2 * n);
  BOOST_TEST_MESSAGE(what << ": " << once << " bytes, then " << twice);
  BOOST_TEST(once > 0, what);
  BOOST_TEST(twice < most_growth * once, what << ": " << once << " bytes, then " << twice);
}

// A chain, each node's value looking at that of the one before where `views`, in scopes `depth` deep.
std::unique_ptr<Graph> chain(int n, bool views, int depth = 1) {
  auto g = std::make_unique<Graph>();
  std::string deep = "s";
  for (int i = 1; i < depth; ++i) deep += "/s";
  const Scope scope(*g, deep);
  Value v = exp(input(*g, "x", f32, {n + 1}));
  for (int i = 0; i < n; ++i) v = views ? slice(v, 0, 0, n - i) : exp(v);
  g->add_output("y", sum(v));
  return g;
}

}  // namespace

BOOST_AUTO_TEST_CASE(graphs_and_plans) {
  for (const bool views : {false, true}) {
    const std::string kind = views ? "views" : "values";
    check_doubling("building " + kind, 500, [&](int n) { return [=] { chain(n, views); }; });
    check_doubling("reading " + kind, 500, [&](int n) {
      return [text = print(*chain(n, views))] { parse(text, catalog()); };
    });
    check_doubling("planning " + kind, 500, [&](int n) {
      return [g = std::shared_ptr<Graph>(chain(n, views))] { ledger(compile({g->outputs()[0].second})); };
    });
    const auto planned = [&](int n) {
      const auto g = chain(n, views);
      return std::make_shared<const Ledger>(ledger(compile({g->outputs()[0].second})));
    };
    check_doubling("printing a plan of " + kind, 500, [&](int n) { return [p = planned(n)] { print(*p); }; });
    check_doubling("reading a plan of " + kind, 500, [&](int n) {
      return [text = print(*planned(n))] { parse_ledger(text, parse(text, catalog())); };
    });
    for (const auto& format : tools::formats()) {
      if (format.name == "svg" || format.name == "png") continue;  // by Graphviz
      check_doubling(std::string(format.name) + " of " + kind, 500, [&](int n) {
        return [p = planned(n), &format] { tools::dump(*p, {.format = std::string(format.name)}); };
      });
    }
    check_doubling("folding " + kind, 500, [&](int n) {
      return [p = planned(n)] { tools::dump(*p, {.format = "dot", .fold = true}); };
    });
  }
  check_doubling("deep scopes", 100, [&](int n) {
    return [g = std::shared_ptr<Graph>(chain(n, false, 60))] { tools::dump(*g, {.format = "dot", .fold = true}); };
  });
}

BOOST_AUTO_TEST_CASE(files) {
  check_doubling("safetensors", 500, [](int n) {
    std::string json = "{\"__metadata__\":{\"a\":\"b\"}";
    for (int i = 0; i < n; ++i)
      json += ",\"t" + std::to_string(i) + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
    return [json = json + "}"] { read_header(json, 0); };
  });
  for (const bool rows : {false, true})
    check_doubling(rows ? "rows of CSV" : "columns of CSV", 500, [&](int n) {
      std::string text;
      for (int line = 0; line < (rows ? n : 3); ++line)
        for (int i = 0; i < (rows ? 3 : n); ++i)
          text += (line == 0 ? "c" : "") + std::to_string(i) + (i + 1 < (rows ? 3 : n) ? "," : "\n");
      return [text] { tools::parse_table(text, "FILE"); };
    });
}

BOOST_AUTO_TEST_SUITE_END()
