// A thousand random graphs, compiled and run, equal bit for bit to the plain serial interpreter of the graph as it was
// built: with all rewrites on 1, 2 and 8 threads, and without each one of them on one of these numbers in turn (in long
// runs on all). A NaN equals any NaN there: where both operands are NaN, IEEE 754 leaves open whose sign the result
// has, and so do an op's routines. Between numbers of threads even a NaN's bits are the same. Among the graphs every op
// of the catalogue occurs, as built or as what it lowers to; nearly all plans for several threads have tasks for
// several: they are cut far finer than is worth it. Labels: memory, threads, levels, long.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/shared/gemm.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/interpreter.h"
#include "support/random_graph.h"

BOOST_AUTO_TEST_SUITE(test_random_graphs)

using namespace oxbow;
using namespace oxbow::internal;
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

constexpr int thread_counts[] = {1, 2, 8};

bool runs_long() { return std::getenv("OXBOW_LONG") != nullptr; }

// Every rewrite on, for each number of threads, and each one off: for one number, another with each graph and rewrite.
// Compiling is what takes the time, so that all pairs for all graphs are for long runs.
std::vector<Setting> settings(std::uint64_t seed) {
  std::vector<std::vector<std::string>> off = {{}};
  for (const Pass& p : passes())
    if (const std::vector<std::string> one = {std::string(p.name)};
        p.optional && std::find(off.begin(), off.end(), one) == off.end())
      off.push_back(one);
  std::vector<Setting> all;
  for (std::size_t i = 0; i < off.size(); ++i)
    for (std::size_t k = 0; k < std::size(thread_counts); ++k)
      if (off[i].empty() || runs_long() || (seed + i) % std::size(thread_counts) == k)
        all.push_back({off[i], thread_counts[k]});
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
  const std::int64_t i = std::mismatch(a.bytes(), a.bytes() + a.type().bytes(), b.bytes()).first - a.bytes();
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
  std::size_t runs = 0, differing = 0;

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
  std::vector<Tensor> want = interpret(g.fetches, g.feeds);
  for (Tensor& w : want) w = same_nans(w);
  std::map<std::vector<std::string>, std::vector<Tensor>> on_fewest;  // threads, by what is disabled
  for (const Setting& s : settings(seed)) {
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
      seen.add(*plan->graph);
      if (s.threads > 1) ++seen.plans, seen.shared_plans += plan->groups.size() > 1;
      const std::vector<Tensor> got = program.run(store, feeds);
      BOOST_REQUIRE_EQUAL(got.size(), want.size());
      ++seen.runs;
      std::size_t differ = 0;
      const std::vector<Tensor>& fewest = on_fewest.try_emplace(s.disable, got).first->second;
      for (std::size_t i = 0; i < got.size(); ++i) {
        const auto equal = [&](const Tensor& a, const Tensor& b) {  // what a message takes to make, only a failure pays
          if (same_bits(a, b)) return;
          ++differ;
          BOOST_ERROR("fetch " << i << " (" << g.fetches[i].node().full_name() << ", " << to_string(want[i].type())
                               << "): " << first_difference(b, a));
        };
        equal(same_nans(got[i]), want[i]);
        equal(got[i], fewest[i]);
      }
      seen.differing += differ > 0;
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_graphs_equal_the_interpreter) {
  Seen seen;
  if (const char* seed = std::getenv("OXBOW_SEED"))
    return check(std::strtoull(seed, nullptr, 10), seen);  // to look at one
  const std::uint64_t last = runs_long() ? 20 * graphs : graphs;
  for (std::uint64_t seed = 1; seed <= last; ++seed) check(seed, seen);
  if constexpr (graphs >= 1000)
    for (const auto& [name, entry] : catalog().entries())
      if (name != "conv_windows" || ops::gemm::sums_in_one_chain(f32))  // it is for instruction sets with that alone
        BOOST_TEST(seen.ops.count(name) == 1U,
                   "no random graph has " << name << ": see tests/support/random_builder.h");
  test::figure("bits", test::counted(last) + " random graphs, " + test::counted(seen.runs) +
                           " programs of them on 1, 2 and 8 threads, rewrites left out in turn: " +
                           std::to_string(seen.differing) + " with other bits than the plain interpreter");
  BOOST_TEST_MESSAGE(seen.shared_plans << " of " << seen.plans << " plans with tasks for several threads");
  BOOST_TEST(seen.shared_plans > seen.plans * 9 / 10);
}

// By its samples an op's turn comes by itself: of all that compute, but those that own graphs (`controlled` makes
// those).
BOOST_AUTO_TEST_CASE(every_op_is_drawn_with_its_samples) {
  std::set<std::string> drawn;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) drawn.merge(random_graph(seed).sampled);
  for (const auto& [name, entry] : catalog().entries())
    if (entry.made == Made::by_users && !Catalog::leaves().find(name) && entry.op.subgraphs().empty())
      BOOST_TEST(drawn.contains(name), name << " is in no graph with one of its samples");
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
