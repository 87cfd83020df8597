// The ledger adds up: what is alive at the peak is the planner's lower bound, and the gap makes it the peak.
// Labels: memory.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/trace.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "support/random_graph.h"

BOOST_AUTO_TEST_SUITE(test_ledger)

using namespace oxbow;
using namespace oxbow::internal;

namespace {

const Ledger::Value& value(const Ledger& l, std::string_view name) {
  return l.values[static_cast<std::size_t>(l.index(l.graph->find(name).value().id()))];
}

bool is_whole(double ns) { return ns == std::round(ns); }

// What must hold for any plan.
void check(const Ledger& l) {
  BOOST_TEST(l.live_bytes == l.lower_bound);
  std::int64_t sum = 0, top = 0;
  for (const std::int32_t b : l.live) {
    const Ledger::Block& block = l.blocks[static_cast<std::size_t>(b)];
    sum += block.bytes;
    std::int64_t largest = 0;
    for (const std::int32_t v : block.values)
      largest = std::max(largest, (l.values[static_cast<std::size_t>(v)].bytes + 63) / 64 * 64);
    BOOST_TEST(largest == block.bytes);
  }
  BOOST_TEST(sum == l.lower_bound);
  for (const Ledger::Block& b : l.blocks) {
    top = std::max(top, b.offset + b.bytes);
    BOOST_TEST(b.last >= b.first);
    // In serial order, too, no two blocks share bytes while both are alive.
    for (const Ledger::Block& c : l.blocks)
      if (&b < &c && b.bytes > 0 && c.bytes > 0 && b.offset < c.offset + c.bytes && c.offset < b.offset + b.bytes)
        BOOST_TEST(((!b.kept && b.last < c.first) || (!c.kept && c.last < b.first)));
  }
  BOOST_TEST(top == l.arena_bytes);
  BOOST_TEST(l.lower_bound + l.gap() == l.arena_bytes);

  double cost = 0, end = 0;
  for (const Ledger::Step& s : l.steps) {
    BOOST_TEST(is_whole(s.cost_ns));
    cost += s.cost_ns;
  }
  BOOST_TEST(cost == l.cost_ns);
  for (const Ledger::Group& g : l.groups) {
    BOOST_TEST(!g.shares.empty());
    for (const auto& share : g.shares) {
      BOOST_TEST(share.lane < l.threads);
      BOOST_TEST((is_whole(share.start_ns) && is_whole(share.finish_ns)));
      end = std::max(end, share.finish_ns);
      for (const std::int32_t before : g.waits_for)
        for (const auto& earlier : l.groups[static_cast<std::size_t>(before)].shares)
          BOOST_TEST(earlier.finish_ns <= share.start_ns);
    }
  }
  BOOST_TEST(is_whole(l.critical_ns));
  BOOST_TEST(l.critical_ns <= end);
  for (std::size_t i = 1; i < l.critical_path.size(); ++i) BOOST_TEST(l.critical_path[i - 1] < l.critical_path[i]);
  for (const Ledger::Value& v : l.values) BOOST_TEST(std::is_sorted(v.readers.begin(), v.readers.end()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_small_net) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 100}), y = input(g, "y", f32, {any(32), 10});
  const Value loss = mean_squared_error(dense(dense(x, 50, {.activation = oxbow::tanh}), 10), y).named("loss");
  const Ledger l = ledger(compile(optim::minimize(loss, "sgd").fetches()));
  check(l);
  // tanh's result: made in the forward pass, read by it once more, and by the backward pass.
  const auto hidden = std::find_if(l.values.begin(), l.values.end(), [](const Ledger::Value& v) { return v.saved; });
  BOOST_REQUIRE((hidden != l.values.end()));
  BOOST_TEST(hidden->bytes == 32 * 50 * 4);
  BOOST_TEST(hidden->readers.size() >= 3u);
  BOOST_TEST(hidden->home == "arena");
  BOOST_TEST((hidden->fate == Ledger::Fate::saved || hidden->fate == Ledger::Fate::alias));
  BOOST_TEST((value(l, "x").fate == Ledger::Fate::leaf));
  BOOST_TEST(value(l, "x").home == "input");
  const std::int32_t fetched = l.index(l.graph->outputs()[0].second.node_id());
  BOOST_TEST((l.values[static_cast<std::size_t>(fetched)].fate == Ledger::Fate::fetched));
  BOOST_TEST(ledger(compile({loss}), {{"x", Shape{7, 100}}, {"y", Shape{7, 10}}}).live_bytes < l.live_bytes);
}

BOOST_AUTO_TEST_CASE(a_view_lies_within_what_it_is_a_view_of) {
  Graph g;
  const Value y = matmul(input(g, "x", f32, {10, 4}), input(g, "z", f32, {4, 4})), rows = slice(y, 0, 3, 7);
  const Ledger l = ledger(compile({matmul(transpose(rows), rows), matmul(y, input(g, "u", f32, {4, 4}))}));
  const auto view = std::find_if(l.values.begin(), l.values.end(),
                                 [](const Ledger::Value& v) { return v.fate == Ledger::Fate::alias; });
  BOOST_REQUIRE((view != l.values.end()));
  const Ledger::Value& whole = l.values[static_cast<std::size_t>(view->alias_of)];
  BOOST_TEST(whole.bytes == 10 * 4 * 4);
  BOOST_TEST(view->offset == whole.offset + 3 * 4 * 4);
}

// A variable is written after all that read it, and after all that may fail.
BOOST_AUTO_TEST_CASE(the_longest_way_goes_through_what_a_write_waits_for) {
  Graph g;
  const Value x = input(g, "x", f32, {64, 64}), w = variable(g, "w", {f32, {64, 64}});
  const Value next = assign(w, square(x)), places = input(g, "places", i64, {64});
  const auto way = [&](const Value& slow) {
    const Ledger l = ledger(compile({slow, next}, {.pool = Pool(1)}));
    std::vector<std::string> ops;
    for (const std::int32_t s : l.critical_path)
      ops.emplace_back(l.graph->node(l.steps[static_cast<std::size_t>(s)].node).op().name());
    BOOST_TEST(ops.size() >= 2u);
    BOOST_TEST(l.steps[static_cast<std::size_t>(l.critical_path.back())].commits);
    return ops.front();
  };
  BOOST_TEST(way(matmul(w, w)) != "fused");
  BOOST_TEST(way(gather(x, places)) == "gather");
}

BOOST_AUTO_TEST_CASE(random_graphs) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const test::RandomGraph r = test::random_graph(seed);
    for (int threads : {1, 4}) {
      BOOST_TEST_CONTEXT("seed " << seed << ", threads " << threads)
      check(ledger(compile(r.fetches, {.pool = Pool(threads)})));
    }
  }
}

BOOST_AUTO_TEST_CASE(measured_times_go_to_their_steps) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 100});
  const Value loss = mean(square(dense(x, 50)));
  const auto program = [&](int threads) { return compile({loss}, {.pool = Pool(threads)}); };
  const Program two = program(2);
  Store store(g);
  Session session(two, store);
  session.feed("x", Tensor({f32, {32, 100}}));
  std::vector<Trace> runs(2);
  for (Trace& run : runs) session.run(run);
  Ledger l = ledger(two);
  BOOST_TEST(measured_by_node(l).empty());
  add_measured(l, runs);
  double sum = 0, events = 0;
  for (const Ledger::Step& s : l.steps) sum += s.measured_ns;
  for (const Trace& run : runs)
    for (const Trace::Event& e : run.events()) events += static_cast<double>(e.end - e.begin) / 2;
  BOOST_TEST(events > 0);
  BOOST_TEST(std::abs(sum - events) <= 0.1 * static_cast<double>(l.steps.size()));
  // The run of median time is kept, event by event.
  const Trace& median = runs[0].wall() < runs[1].wall() ? runs[1] : runs[0];
  BOOST_TEST(l.run_ns == static_cast<double>(median.wall()));
  BOOST_REQUIRE(l.run.size() == median.events().size());
  for (std::size_t i = 0; i < l.run.size(); ++i) {
    const Trace::Event& e = median.events()[i];
    BOOST_TEST(l.run[i].step == static_cast<std::int32_t>(e.step));
    BOOST_TEST(l.run[i].lane == e.worker);
    BOOST_TEST(l.run[i].begin_ns == static_cast<double>(e.begin));
    BOOST_TEST(l.run[i].end_ns == static_cast<double>(e.end));
  }
  // The longest way through that run: each step of it begins when the one before has ended.
  std::vector<double> begin(l.steps.size(), 1e18), end(l.steps.size()), longest(l.steps.size()), finish(l.steps.size());
  for (const Ledger::Event& e : l.run) {
    const auto s = static_cast<std::size_t>(e.step);
    begin[s] = std::min(begin[s], e.begin_ns);
    end[s] = std::max(end[s], e.end_ns);
    longest[s] = std::max(longest[s], e.end_ns - e.begin_ns);
  }
  BOOST_TEST(l.measured());
  BOOST_TEST(l.measured_critical_ns <= l.run_ns);
  BOOST_REQUIRE(!l.measured_critical_path.empty());
  double way = 0;
  for (std::size_t i = 0; i < l.measured_critical_path.size(); ++i) {
    const auto s = static_cast<std::size_t>(l.measured_critical_path[i]);
    way += longest[s];
    if (i > 0) BOOST_TEST(end[static_cast<std::size_t>(l.measured_critical_path[i - 1])] <= begin[s]);
  }
  BOOST_TEST(way == l.measured_critical_ns);
  for (std::size_t s = 0; s < l.steps.size(); ++s) {
    finish[s] += longest[s];
    for (const Ledger::Value& v : l.values)
      if (v.first == static_cast<std::int32_t>(s))
        for (const std::int32_t r : v.readers)
          finish[static_cast<std::size_t>(r)] = std::max(finish[static_cast<std::size_t>(r)], finish[s]);
    BOOST_TEST(finish[s] <= l.measured_critical_ns);
    const bool on = std::count(l.measured_critical_path.begin(), l.measured_critical_path.end(), s) > 0;
    BOOST_TEST(l.steps[s].measured_critical == on);
  }
  const std::optional<Ledger> read = parse_ledger(print(l), l.graph);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(print(*read) == print(l));
  BOOST_TEST((read->measured_critical_path == l.measured_critical_path));
  const std::vector<double> by_node = measured_by_node(l);
  BOOST_TEST(by_node.size() == static_cast<std::size_t>(l.graph->size()));
  BOOST_TEST(by_node[static_cast<std::size_t>(l.graph->find("x").value().id())] == -1);
  Graph failing;
  const Value rows = gather(input(failing, "x", f32, {3}), input(failing, "rows", i64, {1}));
  const Program refuses = compile({rows});
  Session refused(refuses, Store());
  refused.feed("x", Tensor({f32, {3}}));
  refused.feed("rows", Tensor::of<std::int64_t>({1}, {9}));
  std::vector<Trace> none(1);
  BOOST_CHECK_THROW(refused.run(none[0]), Error);
  Ledger unmeasured = ledger(refuses);
  BOOST_CHECK_EXCEPTION(add_measured(unmeasured, none), Error, [](const Error& e) {
    return std::string(e.what()) == "the measured run failed: it has no times\n  Measure runs that end well";
  });
  Ledger other = ledger(compile({square(x)}));
  BOOST_CHECK_EXCEPTION(add_measured(other, runs), Error, [](const Error& e) {
    return std::string(e.what()).starts_with("the measured run is of another plan");
  });
}

// Two ways to the loss, a long and a short one by the estimates; the clock says the contrary.
BOOST_AUTO_TEST_CASE(the_measured_critical_path_is_that_of_the_measured_times) {
  Graph g;
  const Value x = input(g, "x", f32, {200, 200}), y = input(g, "y", f32, {2, 2});
  const Value slow = matmul(x, x), quick = matmul(y, y);
  const Program program = compile({sum(slow) + sum(quick)}, {.pool = Pool(1)});
  Store store(g);
  Session session(program, store);
  session.feed("x", Tensor({f32, {200, 200}}));
  session.feed("y", Tensor({f32, {2, 2}}));
  Trace run;
  session.run(run);
  Ledger l = ledger(program);
  const auto way_of = [&](Shape shape) {
    std::set<std::int32_t> steps;
    for (std::size_t s = 0; s < l.steps.size(); ++s)
      if (const NodeId n = l.steps[s].node;
          n >= 0 && l.graph->node(n).input_count() > 0 && l.graph->node(n).input(0).type().shape == shape)
        steps.insert(static_cast<std::int32_t>(s));
    return steps;
  };
  const auto large = way_of({200, 200}), small = way_of({2, 2});
  BOOST_REQUIRE((!large.empty() && !small.empty()));
  const auto on = [](const std::vector<std::int32_t>& path, const std::set<std::int32_t>& steps) {
    return std::count_if(path.begin(), path.end(), [&](std::int32_t s) { return steps.contains(s); });
  };
  for (const Trace::Event& e : run.events()) {
    Trace::Event& event = run.event(e.step, static_cast<std::uint32_t>(e.chunk));
    event.begin = 1000;
    event.end = 1000 + (small.contains(static_cast<std::int32_t>(e.step)) ? 500 + e.chunk : 10);
  }
  add_measured(l, std::span(&run, 1));
  BOOST_TEST(on(l.critical_path, large) > 0);
  BOOST_TEST(on(l.critical_path, small) == 0);
  BOOST_TEST(on(l.measured_critical_path, large) == 0);
  BOOST_TEST(on(l.measured_critical_path, small) > 0);
  BOOST_TEST(l.longest_ns() == l.measured_critical_ns);
  BOOST_TEST(l.longest_ns() >= 500);
}

BOOST_AUTO_TEST_SUITE_END()
