// Oxbow inside other programs: the caller's own arena, runs stopped midway, ever new shapes, memory as planned, and
// what goes wrong in the caller's hands.
// Labels: memory, threads, figures.
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/run/executor.h>
#include <oxbow/runtime/run/program_impl.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "support/figures.h"
#include "support/message.h"
#include "support/runtime_ops.h"
#include "support/touched.h"

BOOST_AUTO_TEST_SUITE(test_embedding)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// x once more, and a stop of the whole run is asked for while it runs.
struct AskToStop {
  static constexpr OpInfo info{.name = "test_ask_to_stop", .inputs = {"x"}};
  std::stop_source* source = nullptr;
  bool operator==(const AskToStop&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.flops = 1e7}; }
  void run(const Run& r) const {
    if (source) source->request_stop();
    std::copy_n(r.in<float>(0), r.out_type().count(), r.out<float>());
  }
};

// x once more, or an exception that Oxbow knows nothing of.
struct Explode {
  static constexpr OpInfo info{.name = "test_explode", .inputs = {"x"}, .can_fail = true};
  std::int64_t parts = 1;
  bool operator==(const Explode&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.parts = parts, .flops = 1e7}; }
  void run(const Run& r) const {
    if (r.in<float>(0)[0] < 0 && r.part == parts - 1) throw std::out_of_range("the op's own");
    const auto [begin, end] = r.share(r.out_type().count());
    std::copy(r.in<float>(0) + begin, r.in<float>(0) + end, r.out<float>() + begin);
  }
};

Value ask(Value x, std::stop_source* s) { return apply(AskToStop{s}, {x}, At::current()); }
Value mix(std::int64_t size, std::vector<Value> in) { return apply(Mix{size, 4}, in, At::current()); }

}  // namespace

BOOST_AUTO_TEST_CASE(the_callers_own_arena_runs_the_nodes) {
  const tbb::global_control more_than_cores(tbb::global_control::max_allowed_parallelism, 3);
  tbb::task_arena arena(3);
  Graph g;
  Meeting meeting;
  const Value y = apply(Meet{&meeting, 3}, {input(g, "x", f32, {64})}, At::current());
  const std::vector<float> x(64, 2);
  {
    const Pool pool = Pool::from(arena);
    BOOST_TEST(pool.threads() == 3);
    const Store store;
    Session session(compile({y}, {.pool = pool}), store);
    session.feed<float>("x", x);
    session.run();
    BOOST_TEST(session.fetch<float>(0) == x, boost::test_tools::per_element());
  }
  BOOST_TEST(meeting.threads.contains(std::this_thread::get_id()));
  BOOST_TEST(meeting.threads.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_run_stopped_midway_leaves_variables_and_the_next_is_whole) {
  for (const int threads : {1, 2, 8}) {
    std::stop_source source;
    Graph g;
    const Value x = input(g, "x", f32, {64}), w = variable(g, "w", {f32, {64}}, {.kind = Init::Kind::constant, .a = 1});
    Value h = ask(mix(64, {x}), &source);
    for (int i = 0; i < 20; ++i) h = ask(mix(64, {h, w}), nullptr);
    const Value next = assign(w, mix(64, {w, h}));
    const Store store(g);
    Session session(compile({h, next}, {.pool = Pool(threads)}), store);
    const std::vector<float> data(64, 0.5f);
    session.feed<float>("x", data);
    for (int round = 0; round < 5; ++round) {
      const Tensor before = store.get("w");
      source = std::stop_source();
      BOOST_CHECK_THROW(session.run(source.get_token()), Stopped);
      BOOST_TEST(source.stop_requested());  // by the op, so midway
      BOOST_TEST(same_bits(store.get("w"), before));
      session.run();
      BOOST_TEST(!same_bits(store.get("w"), before));
    }
  }
}

// From the first variable that is written in place on, all are.
BOOST_AUTO_TEST_CASE(a_stop_that_comes_too_late_lets_the_run_end) {
  for (const int threads : {1, 2, 8}) {
    std::stop_source source;
    Graph g;
    const Value x = input(g, "x", f32, {64});
    std::vector<Value> next;
    for (int i = 0; i < 12; ++i) {
      const Value w = variable(g, "w" + std::to_string(i), {f32, {64}});
      next.push_back(assign(w, ask(x, &source)));
    }
    const Store store(g);
    Session session(compile(next, {.pool = Pool(threads)}), store);
    const std::vector<float> data(64, 0.5f);
    session.feed<float>("x", data);
    session.run(source.get_token());
    BOOST_TEST(source.stop_requested());
    for (const std::string& name : store.names()) BOOST_TEST(store.get(name).data<float>()[63] == 0.5f, name);
  }
}

BOOST_AUTO_TEST_CASE(the_bytes_that_a_run_touches_are_those_that_were_planned) {
  int compared = 0, differing = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    for (const int threads : {1, 4}) {
      const MixedGraph graph(seed, 80);
      const auto plan = make_plan(specialise(graph.g, graph.fetches, {}, Mode::training).graph, threads);
      const Touched run = touched(plan, threads);
      BOOST_TEST(!run.beyond, "seed " << seed << ": a run wrote beyond its arena");
      if (run.failed) continue;  // a number that was checked is negative
      ++compared;
      BOOST_TEST(run.bytes == plan->arena_bytes,
                 "seed " << seed << ": " << run.bytes << " bytes of " << plan->arena_bytes << " were touched");
      differing += run.bytes != plan->arena_bytes;
    }
  test::figure("peaks", std::to_string(compared) + " random training steps on 1 and 4 threads: " +
                            std::to_string(differing) + " touched more or fewer bytes than were planned");
  BOOST_TEST(compared > 20);
}

// A session's arena grows with the shapes that it is fed.
BOOST_AUTO_TEST_CASE(all_of_a_frame_moves_to_a_new_arena) {
  const MixedGraph graph(2, 80);
  const auto plan = make_plan(specialise(graph.g, graph.fetches, {}, Mode::training).graph, 1);
  Frame frame(plan);
  const auto first = allocate(plan->arena_bytes), second = allocate(plan->arena_bytes);
  std::vector<float> own(64);
  frame.set_arena(first.get());
  frame.set_fetch(5, own.data());
  frame.set_arena(second.get());
  int fetched = 0;
  for (int i = 0; i < static_cast<int>(plan->fetches.size()); ++i) {
    if (plan->fetches[static_cast<std::size_t>(i)].variable >= 0) continue;
    const std::byte* at = frame.fetched(i);
    if (i == 5)
      BOOST_TEST((at == reinterpret_cast<const std::byte*>(own.data())));
    else
      BOOST_TEST((at >= second.get() && at < second.get() + plan->arena_bytes));
    ++fetched;
  }
  BOOST_TEST(fetched == 5);
  for (const Plan::Step& step : plan->steps)
    for (std::uint32_t k = 0; k < step.reads + step.writes; ++k) {
      const bool write = k >= step.reads;
      const auto& operand = write ? plan->writes[step.first_write + k - step.reads] : plan->reads[step.first_read + k];
      const std::byte* at = write ? frame.writes(step)[k - step.reads].bytes : frame.reads(step)[k].bytes;
      if (operand.place.home == Home::arena) BOOST_TEST((at == second.get() + operand.place.offset));
    }
}

BOOST_AUTO_TEST_CASE(ever_new_shapes_do_not_fill_the_memory) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)});
  for (const int kept : {1, 2, 32}) {
    const Program program = compile(mix(3, {x}), {.cached_shapes = kept});
    Session session(program, Store());
    std::weak_ptr<const Plan> first;
    for (std::int64_t rows = 1; rows <= 3 * kept + 5; ++rows) {
      const std::vector<float> data(static_cast<std::size_t>(rows), 1);
      session.feed<float>("x", data);
      session.run();
      BOOST_TEST(session.fetch<float>(0)[0] == 1.0f);
      const std::array shape{Shape{rows}};
      if (rows == 5) first = program.impl().plan(shape);
      if (rows == 5 + kept - 1) BOOST_TEST(!first.expired());
      if (rows == 5 + kept) BOOST_TEST(first.expired());
    }
    const std::vector<float> again(5, 1);
    session.feed("x", again);
    session.run();
    BOOST_TEST(session.fetch<float>(0)[0] == 1.0f);
  }
  BOOST_TEST(message([&] { compile(x, {.cached_shapes = 0}); }) ==
             "compile: cached_shapes is 0\n  Keep at least 1 set of shapes ready");
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_go_together_fail_each_time_and_hurt_nobody) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)}), y = input(g, "y", f32, {any(4)});
  const Node twist = g.append(Twist{}, {x, y}, At::current());
  Session session(compile({twist.output(0)}), Store());
  const std::vector<float> four(4, 1), five(5, 1);
  session.feed<float>("x", four);
  session.feed<float>("y", four);
  session.run();
  session.feed<float>("y", five);
  BOOST_CHECK_THROW(session.run(), Error);
  BOOST_CHECK_THROW(session.run(), Error);
  BOOST_CHECK_THROW(session.fetch<float>(0), Error);
  session.feed<float>("y", four);
  session.run();
  BOOST_TEST(session.fetch<float>(0).size() == 4u);
}

BOOST_AUTO_TEST_CASE(memory_that_there_is_not_is_an_error) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)});
  Value y = mix(std::int64_t{1} << 52, {x});
  const std::vector<float> four(4, 1);
  Session session(compile({mix(1, {y})}), Store());
  session.feed<float>("x", four);
  for (int i = 0; i < 2; ++i) {
    const std::string text = message([&] { session.run(); });
    BOOST_TEST(text.find("180143985094") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(any_exception_of_an_op_reaches_the_caller) {
  for (const int threads : {1, 2, 8}) {
    Graph g;
    const Value x = input(g, "x", f32, {64}), w = variable(g, "w", {f32, {64}});
    const Value y = apply(Explode{4}, {x}, At::current());
    const Store store(g);
    Session session(compile({y, assign(w, mix(64, {y}))}, {.pool = Pool(threads)}), store);
    const std::vector<float> good(64, 1), bad(64, -1);
    for (int round = 0; round < 3; ++round) {
      session.feed<float>("x", bad);
      const Tensor before = store.get("w");
      BOOST_CHECK_EXCEPTION(session.run(), std::out_of_range,
                            [](const auto& e) { return std::string(e.what()) == "the op's own"; });
      BOOST_TEST(same_bits(store.get("w"), before));
      session.feed<float>("x", good);
      session.run();
      BOOST_TEST(session.fetch<float>(0)[63] == 1.0f);
    }
  }
}

BOOST_AUTO_TEST_CASE(leaves_are_fetched_twice_and_into_what_was_fed) {
  Graph g;
  const Value x = input(g, "x", f32, {4}), w = variable(g, "w", {f32, {4}}, {.kind = Init::Kind::constant, .a = 3});
  const Value c = constant(g, Tensor::of<float>({4}, {1, 2, 3, 4})), y = mix(4, {x, w});
  const Value written = assign(w, y);
  for (const int threads : {1, 2}) {
    auto store = std::make_unique<Store>(g);
    Session session(compile({x, x, w, c, c, y, y, written}, {.pool = Pool(threads)}), *store);
    store.reset();  // a session keeps the values that it works on
    std::vector<float> data{4, 5, 6, 7};
    session.feed<float>("x", data);
    session.run();
    const std::vector<float> fed{4, 5, 6, 7}, constants{1, 2, 3, 4}, threes(4, 3);
    for (const int i : {0, 1}) BOOST_TEST(session.fetch<float>(i) == fed, boost::test_tools::per_element());
    BOOST_TEST(session.fetch<float>(2) == threes, boost::test_tools::per_element());  // as at the run's start
    for (const int i : {3, 4}) BOOST_TEST(session.fetch<float>(i) == constants, boost::test_tools::per_element());
    for (std::size_t k = 0; k < 4; ++k) {
      BOOST_TEST(session.fetch<float>(5)[k] == session.fetch<float>(7)[k]);
      BOOST_TEST(session.fetch<float>(6)[k] == session.fetch<float>(7)[k]);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_fed_and_nothing_in_it) {
  Graph g;
  const Value none = constant(g, Tensor({f32, {0, 3}})), c = constant(g, Tensor::of<float>({2}, {1, 2}));
  for (const int threads : {1, 2}) {
    Session session(compile({none, mix(3, {none}), mix(0, {c}), mix(2, {c})}, {.pool = Pool(threads)}), Store());
    session.run();
    BOOST_TEST(session.fetch<float>(0).empty());
    BOOST_TEST(session.fetch<float>(1)[2] == 0.5f);
    BOOST_TEST(session.fetch<float>(2).empty());
    BOOST_TEST(session.fetch<float>(3)[1] == 0.5f + 2.0f / 2);
    BOOST_TEST(session.fetch_tensor(2).count() == 0);
    BOOST_TEST(message([&] { session.fetch_tensor(9); }).find("fetch 9: the program fetches 4 values") == 0u);
    BOOST_TEST(message([&] { session.fetch_type(-1); }).find("fetch -1: the program fetches 4 values") == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
