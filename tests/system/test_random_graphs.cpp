// A thousand random graphs, compiled and run, equal bit for bit to the plain serial interpreter of the graph as it was
// built: with all rewrites, without each one of them, and on 1, 2 and 8 threads. A NaN equals any NaN there: where both
// operands are NaN, IEEE 754 leaves open whose sign the result has, and so do an op's routines. Between numbers of
// threads even a NaN's bits are the same. Among the graphs every op of the catalogue occurs, as built or as what it
// lowers to; nearly all plans for several threads have tasks for several: they are cut far finer than is worth it.
// Labels: memory, threads, levels, long.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fused/fused.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "support/fine_grain.h"
#include "support/interpreter.h"
#include "support/random_graph.h"

BOOST_AUTO_TEST_SUITE(test_random_graphs)

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

// With one NaN for all.
Tensor same_nans(const Tensor& of) {
  Tensor t = of.clone();
  dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
    for (T& x : t.span<T>())
      if (x != x) x = std::numeric_limits<T>::quiet_NaN();
  });
  return t;
}

std::string first_difference(const Tensor& a, const Tensor& b) {
  if (!(a.type() == b.type())) return to_string(a.type()) + " and " + to_string(b.type());
  const std::int64_t size = size_of(a.dtype());
  std::int64_t i = 0;
  while (i < a.type().bytes() && a.bytes()[i] == b.bytes()[i]) ++i;
  const std::string text = "element " + std::to_string(i / size);
  std::ostringstream both;
  both << std::hexfloat;
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    both << ": " << +a.data<T>()[i / size] << " and " << +b.data<T>()[i / size];
  });
  return text + both.str();
}

// What all graphs together have come through.
struct Seen {
  std::set<std::string, std::less<>> ops;
  int plans = 0, shared_plans = 0;  // of those for several threads: all, and those with tasks for several

  void add(const Graph& g) {
    for (NodeId id = 0; id < g.size(); ++id) {
      ops.emplace(g.node(id).op().name());
      if (const auto* fused = g.node(id).op().as<Fused>())
        for (const Fused::Reduction& r : fused->reductions) ops.emplace(r.op.name());
    }
  }
};

void check(std::uint64_t seed, Seen& seen) {
  const RandomGraph g = random_graph(seed);
  seen.add(*g.graph);
  std::vector<Tensor> want = interpret(g.fetches, g.feeds), on_one_thread;
  for (Tensor& w : want) w = same_nans(w);
  for (const Setting& s : settings()) {
    static const Pool pools[] = {Pool(1), Pool(2), Pool(8)};
    const Pool& pool = pools[s.threads == 8 ? 2 : s.threads - 1];
    BOOST_TEST_CONTEXT("seed " << seed << ", " << s.threads << " threads, without "
                               << (s.disable.empty() ? "nothing" : s.disable[0])) {
      Store store(*g.graph);
      const Program program = Program::Impl::compile(g.fetches, {.pool = pool, .disable = s.disable}, fine_grain);
      std::map<std::string, Tensor> feeds;
      std::vector<Shape> shapes;
      for (const ops::Input& in : program.inputs()) {
        feeds.emplace(in.name, g.feeds.at(in.name));
        shapes.push_back(in.type.shape);
      }
      const std::shared_ptr<const Plan> plan = program.impl().plan(shapes);
      if (s.threads == 1) seen.add(*plan->graph);
      if (s.threads > 1) ++seen.plans, seen.shared_plans += plan->groups.size() > 1;
      const std::vector<Tensor> got = program.run(store, feeds);
      BOOST_REQUIRE_EQUAL(got.size(), want.size());
      if (s.threads == 1) on_one_thread = got;
      for (std::size_t i = 0; i < got.size(); ++i) {
        const auto fetch = [&] {
          return "fetch " + std::to_string(i) + " (" + g.fetches[i].node().full_name() + ", " +
                 to_string(want[i].type()) + "): ";
        };
        const Tensor all = same_nans(got[i]);
        BOOST_TEST(same_bits(all, want[i]), fetch() << first_difference(want[i], all));
        BOOST_TEST(same_bits(got[i], on_one_thread[i]), fetch() << first_difference(on_one_thread[i], got[i]));
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_graphs_equal_the_interpreter) {
  Seen seen;
  if (const char* seed = std::getenv("OXBOW_SEED"))
    return check(std::strtoull(seed, nullptr, 10), seen);  // to look at one
  const std::uint64_t last = std::getenv("OXBOW_LONG") != nullptr ? 20 * graphs : graphs;
  for (std::uint64_t seed = 1; seed <= last; ++seed) check(seed, seen);
  if constexpr (graphs >= 1000)
    for (const auto& [name, entry] : catalog().entries())
      BOOST_TEST(seen.ops.count(name) == 1U, "no random graph has " << name << ": see tests/support/random_ops.cpp");
  BOOST_TEST_MESSAGE(seen.shared_plans << " of " << seen.plans << " plans with tasks for several threads");
  BOOST_TEST(seen.shared_plans > seen.plans * 9 / 10);
}

// Their texts, as built and as planned for two threads, read back to the same texts.
BOOST_AUTO_TEST_CASE(texts_of_random_graphs_read_back) {
  const Pool pool(2);
  for (std::uint64_t seed = 1; seed <= graphs; ++seed) {
    const RandomGraph g = random_graph(seed);
    const std::string built = print(*g.graph, {.locations = true});
    BOOST_TEST((print(*parse(built, catalog()), {.locations = true}) == built), "seed " << seed);
    const Ledger plan = ledger(Program::Impl::compile(g.fetches, {.pool = pool}, fine_grain));
    const std::string planned = print(plan, {.locations = true});
    const std::shared_ptr<const Graph> graph = parse(planned, catalog());
    const std::optional<Ledger> read = parse_ledger(planned, graph);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((print(*read, {.locations = true}) == planned), "plan of seed " << seed);
  }
}

BOOST_AUTO_TEST_SUITE_END()
