// Traces: every step once, after what it waits for, in no two places at once, and the run's bits as without a trace.
// Labels: memory, threads.
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>

#include "support/runtime_ops.h"

BOOST_AUTO_TEST_SUITE(test_trace)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::vector<float> numbers(std::size_t n) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = 0.5f + static_cast<float>(i % 7) * 0.25f;
  return v;
}

void feed(Session& session, const Program& program) {
  static const std::vector<float> x0 = numbers(12), x1 = numbers(40);
  for (const ops::Input& in : program.inputs()) session.feed<float>(in.name, in.name == "x0" ? x0 : x1);
}

// A seed whose graph runs: some of the random ones refuse their data.
const MixedGraph& graph() {
  static const MixedGraph one(2, 300);
  return one;
}

// On every lane the events follow one another, and lie within the run.
void check_lanes(const Trace& trace) {
  std::vector<std::vector<Trace::Event>> lanes(static_cast<std::size_t>(trace.workers()));
  for (const Trace::Event& e : trace.events()) {
    BOOST_REQUIRE(e.worker >= 0);
    BOOST_REQUIRE(e.worker < trace.workers());
    BOOST_TEST(e.begin <= e.end);
    BOOST_TEST(e.begin >= 0);
    BOOST_TEST(e.end <= trace.wall());
    lanes[static_cast<std::size_t>(e.worker)].push_back(e);
  }
  for (auto& lane : lanes) {
    std::sort(lane.begin(), lane.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < lane.size(); ++i) BOOST_TEST(lane[i - 1].end <= lane[i].begin);
  }
}

// A node begins after the nodes that compute its inputs have ended.
void check_order(const Trace& trace) {
  std::vector<std::int64_t> end(static_cast<std::size_t>(trace.graph().size())), begin(end.size(), -1);
  for (const Trace::Event& e : trace.events())
    if (e.node >= 0) {
      auto& first = begin[static_cast<std::size_t>(e.node)];
      first = first < 0 ? e.begin : std::min(first, e.begin);
      end[static_cast<std::size_t>(e.node)] = std::max(end[static_cast<std::size_t>(e.node)], e.end);
    }
  int edges = 0;
  for (NodeId id = 0; id < trace.graph().size(); ++id)
    for (const Value& v : trace.graph().node(id).inputs())
      if (begin[static_cast<std::size_t>(id)] >= 0 && begin[static_cast<std::size_t>(v.node_id())] >= 0) {
        ++edges;
        BOOST_TEST(end[static_cast<std::size_t>(v.node_id())] <= begin[static_cast<std::size_t>(id)]);
      }
  BOOST_TEST(edges > 100);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_step_is_written_down_once_and_in_its_place) {
  for (const int threads : {1, 2, 4}) {
    const Program program = compile(graph().fetches, {.pool = Pool(threads)});
    Store store(graph().g);
    Session session(program, store);
    feed(session, program);
    Trace trace;
    BOOST_TEST(trace.events().empty());
    for (int run = 0; run < 20; ++run) {
      store.reset(graph().g);
      session.run(trace);
      BOOST_TEST(trace.workers() == threads);
      std::size_t shares = 0;
      for (const Plan::Group& g : trace.plan().groups) shares += std::size_t{g.last - g.first} * g.chunks;
      BOOST_TEST(trace.events().size() == shares);
      for (const Trace::Event& e : trace.events()) BOOST_TEST(trace.plan().steps[e.step].node == e.node);
      check_lanes(trace);
      check_order(trace);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_traced_run_gives_the_same_bits) {
  const Program program = compile(graph().fetches, {.pool = Pool(2)});
  Store a(graph().g), b(graph().g);
  Session plain(program, a), traced(program, b);
  feed(plain, program);
  feed(traced, program);
  Trace trace;
  for (int run = 0; run < 5; ++run) {
    for (Store* store : {&a, &b}) store->reset(graph().g);
    plain.run();
    traced.run(trace);
    for (int i = 0; i < static_cast<int>(program.outputs().size()); ++i)
      BOOST_TEST(same_bits(plain.fetch_tensor(i), traced.fetch_tensor(i)));
  }
}

BOOST_AUTO_TEST_CASE(the_shares_of_a_wide_node_are_on_several_workers) {
  Graph g;
  Meeting meeting;
  const Value y = apply(Meet{&meeting, 4}, {input(g, "x", f32, {64})}, At::current());
  Session session(compile({y}, {.pool = Pool(4)}), Store());
  const auto x = numbers(64);
  session.feed<float>("x", x);
  Trace trace;
  session.run(trace);
  BOOST_REQUIRE(trace.events().size() == 4u);
  std::set<int> workers;
  for (const Trace::Event& e : trace.events()) {
    BOOST_TEST(e.chunks == 4);
    workers.insert(e.worker);
  }
  BOOST_TEST(workers.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_trace_serves_plan_after_plan) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)});
  const Value y = apply(Mix{3, 1}, {x}, At::current()), z = apply(Mix{5, 1}, {y}, At::current());
  Session one(compile({y}), Store()), two(compile({z}), Store());
  Trace trace;
  for (const std::size_t size : {4u, 7u})
    for (Session* session : {&one, &two, &one}) {
      const auto data = numbers(size);
      session->feed<float>("x", data);
      session->run(trace);
      BOOST_TEST(trace.events().size() == (session == &one ? 1u : 2u));
      BOOST_TEST(trace.graph().node(0).output().shape()[0] == static_cast<std::int64_t>(size));
    }
}

BOOST_AUTO_TEST_CASE(what_did_not_run_has_no_worker) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)});
  const Value checked = apply(Check{}, {x}, At::current());
  Session session(compile({apply(Mix{3, 1}, {checked}, At::current())}, {.pool = Pool(1)}), Store());
  const std::vector<float> good{1, 2, 3, 4}, bad{1, -2, 3, 4};
  Trace trace;
  session.feed<float>("x", good);
  session.run(trace);
  session.feed<float>("x", bad);
  BOOST_CHECK_THROW(session.run(trace), Error);
  BOOST_REQUIRE(trace.events().size() == 2u);
  for (const Trace::Event& e : trace.events()) BOOST_TEST(e.worker == -1);
}

BOOST_AUTO_TEST_SUITE_END()
