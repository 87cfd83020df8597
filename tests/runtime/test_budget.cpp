// Plans within a budget of bytes: the budget is kept, steps run again only as far as that takes, and what cannot be
// kept is named.
// Labels: memory, threads, figures.
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/runtime/plan/cheapest_cut.h>
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/run/program_impl.h>

#include <boost/test/unit_test.hpp>
#include <ctime>

#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/message.h"
#include "support/runtime_ops.h"
#include "support/touched.h"

BOOST_AUTO_TEST_SUITE(test_budget)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// A chain of values of 4 kB, each of the one before, which are read once more in reverse order: what a backward pass
// does.
struct ThereAndBack {
  Graph g;
  Value last;
  explicit ThereAndBack(int length, std::int64_t size = 1024) {
    std::vector<Value> way{input(g, "x", f32, {4})};
    for (int i = 0; i < length; ++i)
      way.push_back(apply(Mix{size}, {way.back()}, At::current()).named("h" + std::to_string(i)));
    last = way.back();
    for (int i = length; i > 0; --i) last = apply(Mix{size}, {last, way[static_cast<std::size_t>(i)]}, At::current());
    last = apply(Mix{4}, {last}, At::current());
  }
  std::shared_ptr<const Graph> graph() const { return specialise(g, {{last}}, {}, Mode::training).graph; }
};

}  // namespace

// Without a budget all values of the chain are alive at its turn; with one, a segment of them and where others begin
// (Chen et al. 2016: some 2 sqrt(n) of n).
BOOST_AUTO_TEST_CASE(a_long_chain_is_cut) {
  const ThereAndBack chain(64);
  for (const int threads : {1, 4}) {
    const auto free = make_plan(chain.graph(), threads, fine_grain);
    BOOST_TEST(free->arena_bytes >= 64 * 4096);
    const auto cut = make_plan(chain.graph(), threads, fine_grain, 20 * 4096);
    BOOST_TEST(cut->arena_bytes <= 20 * 4096);
    BOOST_TEST(cut->steps.size() > free->steps.size());
    BOOST_TEST(cut->cost < 1.5 * free->cost);  // all of the way once more
  }
}

BOOST_AUTO_TEST_CASE(a_budget_that_is_large_enough_changes_nothing) {
  const ThereAndBack chain(20);
  for (const int threads : {1, 4}) {
    const auto free = make_plan(chain.graph(), threads, fine_grain);
    const auto same = make_plan(chain.graph(), threads, fine_grain, free->arena_bytes);
    BOOST_TEST(same->arena_bytes == free->arena_bytes);
    BOOST_TEST(same->steps.size() == free->steps.size());
    BOOST_TEST(same->groups.size() == free->groups.size());
  }
}

// Without a budget too, up to a fiftieth of the step's time, where values are too large for a cache.
BOOST_AUTO_TEST_CASE(large_values_are_made_anew_for_next_to_nothing) {
  const ThereAndBack small(120), large(120, 1 << 20);
  for (const int threads : {1, 4}) {
    const auto usual = make_plan(small.graph(), threads), fewer = make_plan(large.graph(), threads);
    BOOST_TEST(usual->steps.size() == 241u);
    double again = 0;
    for (const Plan::Step& s : fewer->steps)
      if (s.node >= 0 && fewer->graph->node(s.node).origin().phase == Phase::backward) again += s.cost;
    BOOST_TEST(again > 0);
    BOOST_TEST(again <= 0.02 * (fewer->cost - again));
    BOOST_TEST(fewer->arena_bytes <= usual->arena_bytes * 1024 - (8 << 20));
    const auto within = make_plan(large.graph(), threads, {}, fewer->arena_bytes);
    BOOST_TEST(within->arena_bytes == fewer->arena_bytes);
    BOOST_TEST(within->steps.size() == fewer->steps.size());
  }
}

// To be made anew, each large value takes a way of small ones, there and back, and which of these run again is a
// minimum cut for each. That took 8.6 s.
BOOST_AUTO_TEST_CASE(looking_for_what_is_made_anew_comes_to_an_end) {
  constexpr int length = 1000;
  Graph g;
  std::vector<Value> forth{input(g, "x", f32, {4})}, large;
  for (int i = 0; i < length; ++i) forth.push_back(apply(Mix{64}, {forth.back()}, At::current()));
  Value way = forth.back();
  for (int i = length; i > 0; --i) {
    way = apply(Mix{64}, {way, forth[static_cast<std::size_t>(i)]}, At::current());
    large.push_back(apply(Mix{1 << 15}, {way}, At::current()));
  }
  const Value last = apply(Mix{4}, large, At::current());
  const auto graph = specialise(g, {{last}}, {}, Mode::training).graph;
  const std::clock_t start = std::clock();
  BOOST_TEST(make_plan(graph, 2)->arena_bytes < (length + 100) * (4 << 15));
  BOOST_TEST(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 3);
}

// Of random graphs at twenty budgets each: kept, never with more work for more bytes, and what is touched is what was
// planned.
BOOST_AUTO_TEST_CASE(more_bytes_never_take_more_work) {
  std::size_t plans = 0, again = 0, differing = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const int threads : {1, 4}) {
      const MixedGraph graph(seed, 80);
      const std::shared_ptr<const Graph> g = specialise(graph.g, graph.fetches, {}, Mode::training).graph;
      const auto free = make_plan(g, threads, fine_grain);
      double cost = free->cost;
      for (int i = 20; i > 0; --i) {
        const std::int64_t budget = free->arena_bytes * i / 20;
        std::shared_ptr<const Plan> plan;
        try {
          plan = make_plan(g, threads, fine_grain, budget);
        } catch (const Error&) {
          break;
        }
        ++plans;
        again += plan->cost > free->cost;
        BOOST_TEST(plan->arena_bytes <= budget);
        BOOST_TEST(plan->cost >= cost, "seed " << seed << ", budget " << i << " of 20");
        cost = plan->cost;
        const Touched run = touched(plan, threads);
        BOOST_TEST(!run.beyond);
        if (run.failed) continue;
        BOOST_TEST(run.bytes == plan->arena_bytes, "seed " << seed << ", budget " << i << " of 20");
        differing += run.bytes != plan->arena_bytes;
      }
    }
  test::figure("budgets", test::counted(plans) + " random training steps within budgets on 1 and 4 threads: " +
                              std::to_string(differing) + " touched more or fewer bytes than were planned");
  BOOST_TEST(plans > 100u);
  BOOST_TEST(again > 20u);
}

// A variable that is written as soon as it was read is read again before that.
BOOST_AUTO_TEST_CASE(what_runs_again_reads_variables_as_they_were) {
  Graph g;
  const Value counter = variable(g, "counter", {f32, {4}}, {.kind = Init::Kind::constant, .a = 1});
  std::vector<Value> way{counter};
  for (int i = 0; i < 12; ++i) way.push_back(apply(Mix{1024}, {way.back(), counter}, At::current()));
  Value last = way.back();
  for (int i = 12; i > 0; --i) last = apply(Mix{1024}, {last, way[static_cast<std::size_t>(i)]}, At::current());
  const std::vector<Value> fetches{apply(Mix{4}, {last}, At::current()),
                                   assign(counter, apply(Mix{4}, {counter}, At::current()))};
  for (const int threads : {1, 2, 8}) {
    std::vector<Tensor> want, got;
    Store first(g), second(g);
    const Program free = Program::Impl::compile(fetches, {.pool = Pool(threads)}, fine_grain);
    const Program tight =
        Program::Impl::compile(fetches, {.pool = Pool(threads), .memory_budget = 9 * 4096}, fine_grain);
    BOOST_TEST(tight.impl().plan({})->steps.size() > free.impl().plan({})->steps.size());
    for (int step = 0; step < 3; ++step) {
      want = free.run(first, {});
      got = tight.run(second, {});
      for (std::size_t i = 0; i < want.size(); ++i) BOOST_TEST(same_bits(got[i], want[i]));
      BOOST_TEST(same_bits(first.get("counter"), second.get("counter")));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_shrink_is_named) {
  Graph g;
  const Scope scope(g, "head");
  const Value x = input(g, "x", f32, {4});
  const Value a = apply(Mix{1024}, {x}, At::current()).named("a");
  const Value b = apply(Mix{512}, {x}, At::current()).named("b");
  const Value y = apply(Mix{16}, {a, b}, At::current()).named("y");
  const std::string text = message([&] { compile({y}, {.pool = Pool(1), .memory_budget = 5000}); });
  BOOST_TEST(text.find("the memory budget of 5000 bytes cannot be kept: the smallest plan that was found takes 6208 "
                       "bytes\n  While test_mix \"head/y\", built at ") == 0u,
             text);
  BOOST_TEST(text.find("\n    4096 bytes  f32[1024]  test_mix \"head/a\", built at ") != std::string::npos, text);
  BOOST_TEST(text.find("\n    2048 bytes  f32[512]  test_mix \"head/b\", built at ") != std::string::npos, text);
  BOOST_TEST(text.ends_with("\n  Give at least 6208 bytes, or compute on fewer samples at a time"), text);
  compile({y}, {.pool = Pool(1), .memory_budget = 6208});
  BOOST_TEST(message([&] { compile({y}, {.memory_budget = -1}); }) ==
             "compile: memory_budget is -1\n  Give a number of bytes, or none at all");
}

// Of all shapes: those that are asked for later, too.
BOOST_AUTO_TEST_CASE(the_budget_holds_for_each_shape) {
  Graph g;
  const Value x = input(g, "x", f32, {any(64)});
  std::vector<Value> way{x};
  for (int i = 0; i < 16; ++i) way.push_back(g.append(Twist{}, {way.back(), x}, At::current()).output());
  Value last = way.back();
  for (int i = 16; i > 0; --i)
    last = g.append(Twist{}, {last, way[static_cast<std::size_t>(i)]}, At::current()).output();
  constexpr std::int64_t budget = 16 * 1024;
  const Program tight = compile({last}, {.pool = Pool(2), .memory_budget = budget}), free = compile({last});
  Session session(tight, Store()), other(free, Store());
  for (const std::size_t rows : {64u, 200u, 300u, 400u}) {
    const std::vector<float> data(rows, 0.75f);
    session.feed("x", data);
    other.feed("x", data);
    session.run();
    other.run();
    BOOST_TEST(same_bits(session.fetch_tensor(0), other.fetch_tensor(0)));
    const std::array shape{Shape{static_cast<std::int64_t>(rows)}};
    BOOST_TEST(tight.impl().plan(shape)->arena_bytes <= budget);
    if (rows >= 300) BOOST_TEST(free.impl().plan(shape)->arena_bytes > budget);
  }
  const std::vector<float> much(4000, 0.75f);
  session.feed("x", much);
  BOOST_TEST(message([&] { session.run(); }).find("the memory budget of 16384 bytes cannot be kept") == 0u);
  const std::vector<float> less(64, 0.75f);
  session.feed("x", less);
  session.run();
}

// The cheapest choice by trying all of them: which steps run again, and so which values are kept.
BOOST_AUTO_TEST_CASE(the_cheapest_cut_is_the_cheapest) {
  Draw draw(7);
  for (int round = 0; round < 300; ++round) {
    CheapestCut cut;
    const auto steps = static_cast<std::uint32_t>(1 + draw.below(8));
    for (std::uint32_t s = 0; s < steps; ++s) cut.costs.push_back(1.0 + static_cast<double>(draw.below(50)));
    // A step's value is read by some of the steps before it: the steps are numbered from the one that is wanted back.
    std::uint32_t storage = 0;
    for (std::uint32_t s = 1; s < steps; ++s, ++storage) {
      const double keep = static_cast<double>(draw.below(60));
      std::uint32_t readers = 0;
      for (std::uint32_t r = 0; r < s; ++r)
        if (draw.below(2) == 0 || (r + 1 == s && readers == 0)) {
          cut.inputs.push_back({.reader = r, .maker = s, .storage = storage, .keep = keep});
          ++readers;
        }
      if (draw.below(3) == 0)
        cut.inputs.push_back({.reader = s, .maker = CheapestCut::none, .storage = ++storage, .keep = keep / 2});
    }
    const double rate = 0.25 * static_cast<double>(1 + draw.below(8));
    const auto price = [&](const std::vector<bool>& again) {
      double sum = 0;
      std::set<std::uint32_t> kept;
      for (std::uint32_t s = 0; s < steps; ++s) sum += again[s] ? cut.costs[s] : 0;
      for (const CheapestCut::Input& i : cut.inputs)
        if (again[i.reader] && (i.maker == CheapestCut::none || !again[i.maker]) && kept.insert(i.storage).second)
          sum += rate * i.keep;
      return sum;
    };
    double least = std::numeric_limits<double>::infinity();
    for (unsigned choice = 1; choice < 1u << steps; choice += 2) {  // step 0 always
      std::vector<bool> again;
      for (std::uint32_t s = 0; s < steps; ++s) again.push_back((choice >> s) & 1u);
      least = std::min(least, price(again));
    }
    const CheapestCut::Result found = cut.find(rate);
    BOOST_TEST(found.again[0]);
    BOOST_TEST(price(found.again) <= least + 0.5, "round " << round);
    BOOST_TEST(std::abs(found.cost + rate * found.kept - price(found.again)) < 1e-9);
  }
}

BOOST_AUTO_TEST_SUITE_END()
