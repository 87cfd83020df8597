// A thousand random graphs, compiled and run, equal bit for bit to the plain serial interpreter of the graph as it was
// built: with all rewrites, without each one of them, and on 1, 2 and 8 threads.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <sstream>
#include <string>

#include "support/interpreter.h"
#include "support/random_graph.h"

using namespace oxbow;
using namespace oxbow::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int graphs = 100;  // what a sanitizer slows down twenty times is also run without it
#else
constexpr int graphs = 1000;
#endif

struct Setting {
  std::vector<std::string> disable;
  int threads;
};

// Every rewrite on, and each one off, for each number of threads.
std::vector<Setting> settings() {
  std::vector<std::vector<std::string>> off = {{}};
  for (const Pass& p : passes())
    if (const std::vector<std::string> one = {std::string(p.name)};
        p.optional && std::find(off.begin(), off.end(), one) == off.end())
      off.push_back(one);
  std::vector<Setting> all;
  for (const auto& disable : off)
    for (const int threads : {1, 2, 8}) all.push_back({disable, threads});
  return all;
}

std::string first_difference(const Tensor& a, const Tensor& b) {
  if (!(a.type() == b.type())) return to_string(a.type()) + " and " + to_string(b.type());
  const std::int64_t size = size_of(a.dtype());
  std::int64_t i = 0;
  while (i < a.type().bytes() && a.bytes()[i] == b.bytes()[i]) ++i;
  const std::string text = "element " + std::to_string(i / size);
  std::ostringstream both;
  both << std::hexfloat;
  if (a.dtype() == f32) both << ": " << a.data<float>()[i / size] << " and " << b.data<float>()[i / size];
  if (a.dtype() == f64) both << ": " << a.data<double>()[i / size] << " and " << b.data<double>()[i / size];
  return text + both.str();
}

void check(std::uint64_t seed) {
  const RandomGraph g = random_graph(seed);
  const std::vector<Tensor> want = interpret(g.fetches, g.feeds);
  for (const Setting& s : settings()) {
    static const Pool pools[] = {Pool(1), Pool(2), Pool(8)};
    const Pool& pool = pools[s.threads == 8 ? 2 : s.threads - 1];
    BOOST_TEST_CONTEXT("seed " << seed << ", " << s.threads << " threads, without "
                               << (s.disable.empty() ? "nothing" : s.disable[0])) {
      Store store(*g.graph);
      const Program program = compile(g.fetches, {.pool = pool, .disable = s.disable});
      std::map<std::string, Tensor> feeds;
      for (const Input& in : program.inputs()) feeds.emplace(in.name, g.feeds.at(in.name));
      const std::vector<Tensor> got = program.run(store, feeds);
      BOOST_REQUIRE_EQUAL(got.size(), want.size());
      for (std::size_t i = 0; i < got.size(); ++i)
        BOOST_TEST(same_bits(got[i], want[i]), "fetch " << i << " (" << g.fetches[i].node().full_name() << ", "
                                                        << to_string(want[i].type())
                                                        << "): " << first_difference(want[i], got[i]));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_graphs_equal_the_interpreter) {
  if (const char* seed = std::getenv("OXBOW_SEED")) return check(std::strtoull(seed, nullptr, 10));  // to look at one
  for (std::uint64_t seed = 1; seed <= graphs; ++seed) check(seed);
}
