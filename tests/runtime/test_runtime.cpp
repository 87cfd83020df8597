// Programs and sessions: the same bits for any number of threads, no allocation when warm, what is fetched, stores.
// Labels: memory, threads, figures.
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <latch>
#include <map>
#include <set>
#include <thread>

#include "runtime/allocations.h"
#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/runtime_ops.h"
#include "support/small_program.h"

BOOST_AUTO_TEST_SUITE(test_runtime)

using namespace oxbow;
using namespace oxbow::test;

namespace {

struct Expected {
  std::vector<Tensor> fetched;
  std::map<std::string, Tensor> variables;
};

// Feeds what the program still reads.
void feed(Session& session, const Program& program, const std::vector<float>& x0, const std::vector<float>& x1) {
  for (const ops::Input& in : program.inputs()) session.feed<float>(in.name, in.name == "x0" ? x0 : x1);
}

// What a run must give: every node by itself, in order, each value with bytes of its own. Empty where an op fails.
std::optional<Expected> interpret(const MixedGraph& from, const std::vector<float>& x0, const std::vector<float>& x1) {
  std::map<std::pair<NodeId, int>, Tensor> values;
  Expected out;
  std::set<NodeId> live;
  for (const Value& f : from.fetches) live.insert(f.node_id());
  for (NodeId id = from.g.size(); id-- > 0;)
    if (live.contains(id))
      for (const Value& v : from.g.node(id).inputs()) live.insert(v.node_id());
  for (const NodeId id : live) {
    const Node n = from.g.node(id);
    if (const auto* x = n.op().as<ops::Input>()) {
      values[{id, 0}] = Tensor::of<float>(x->type.shape, std::span(x->name == "x0" ? x0 : x1));
    } else if (const auto* v = n.op().as<ops::Variable>()) {
      values[{id, 0}] = internal::initial_value(*v);
    } else {
      std::vector<Tensor> in;
      for (int i = 0; i < n.input_count(); ++i) in.push_back(values[{n.input(i).node_id(), n.input(i).output()}]);
      if (n.op().is<ops::Assign>()) {
        values[{id, 0}] = out.variables[n.input(0).node().op().as<ops::Variable>()->name] = in[1];
        continue;
      }
      try {
        const std::vector<Tensor> results = internal::evaluate(n.op(), in);
        for (std::size_t k = 0; k < results.size(); ++k) values[{id, static_cast<int>(k)}] = results[k];
      } catch (const OpError&) {
        return std::nullopt;
      }
    }
  }
  for (const Value& f : from.fetches) out.fetched.push_back(values[{f.node_id(), f.output()}]);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(any_number_of_threads_gives_the_bits_of_a_plain_loop) {
  const auto x0 = numbers(12), x1 = numbers(40, 0.25f);
  int compared = 0;
  for (const int threads : {1, 2, 4, 8}) {
    const Pool pool(threads);
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const MixedGraph graph(seed, 10 + static_cast<int>(seed * 2));
      const auto expected = interpret(graph, x0, x1);
      Store store(graph.g);
      const Program program = Program::Impl::compile(graph.fetches, {.pool = pool}, fine_grain);
      Session session(program, store);
      feed(session, program, x0, x1);
      for (int run = 0; run < 3; ++run) {
        store.reset(graph.g);
        if (!expected) {
          BOOST_CHECK_THROW(session.run(), Error);
          for (const Value& v : variables(graph.g, false)) {
            const auto& declared = *v.node().op().as<ops::Variable>();
            BOOST_TEST(same_bits(store.get(declared.name), internal::initial_value(declared)));
          }
          continue;
        }
        session.run();
        for (std::size_t i = 0; i < graph.fetches.size(); ++i)
          BOOST_REQUIRE_MESSAGE(same_bits(session.fetch_tensor(static_cast<int>(i)), expected->fetched[i]),
                                "seed " << seed << ", threads " << threads << ", fetch " << i << ", run " << run);
        for (const auto& [name, value] : expected->variables)
          BOOST_REQUIRE_MESSAGE(same_bits(store.get(name), value), "seed " << seed << ", variable " << name);
        ++compared;
      }
    }
  }
  BOOST_TEST(compared > 300);
}

BOOST_AUTO_TEST_CASE(a_warm_run_allocates_nothing) {
  const auto x0 = numbers(12), x1 = numbers(40);
  std::int64_t steps = 0, allocated = 0;
  for (const int threads : {1, 2, 8}) {
    const MixedGraph graph(2, 300);
    BOOST_REQUIRE(interpret(graph, x0, x1).has_value());
    Store store(graph.g);
    const Program program = compile(graph.fetches, {.pool = Pool(threads)});
    Session session(program, store);
    feed(session, program, x0, x1);
    for (int warm = 0; warm < 50; ++warm) {
      session.run();
      std::this_thread::sleep_for(std::chrono::milliseconds(warm % 10 == 0 ? 2 : 0));  // workers leave and come back
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    BOOST_TEST(allocations.load() > 0);
#endif
    Trace trace;
    session.run(trace);
    const std::int64_t before = allocations.load();
    for (int run = 0; run < 200; ++run) {
      feed(session, program, x0, x1);
      run % 2 == 0 ? session.run() : session.run(trace);
    }
    const std::int64_t after = allocations.load();
    BOOST_TEST(after == before, threads << " threads: " << after - before << " allocations");
    steps += 200, allocated += after - before;
  }
  test::figure("warm steps", std::to_string(steps) + " warm steps on 1, 2 and 8 threads, a traced one in two: " +
                                 std::to_string(allocated) + " allocations");
}

BOOST_AUTO_TEST_CASE(a_partial_batch_then_a_full_one) {
  Small s;
  Store store(s.g);
  Session session(compile({s.y, s.x}), store);
  for (const std::size_t rows : {4u, 2u, 4u, 0u, 7u}) {
    const auto x = numbers(rows * 3);
    session.feed<float>("x", x);
    session.run();
    BOOST_TEST(session.fetch_type(1).shape[0] == static_cast<std::int64_t>(rows));
    BOOST_TEST(session.fetch<float>(1) == x, boost::test_tools::per_element());
    const float expected = 0.5f + (rows > 0 ? x[1] / 2 : 0) + 1.0f / 3;
    BOOST_TEST(session.fetch<float>(0)[1] == expected);
  }
}

BOOST_AUTO_TEST_CASE(fetched_values_go_where_the_user_says) {
  Small s;
  Store store(s.g);
  Session session(compile({s.y, s.next}), store);
  const auto x = numbers(12);
  std::vector<float> y(6), w(3);
  session.feed<float>("x", x);
  session.fetch_into<float>(0, y);
  session.fetch_into<float>(1, w);
  session.run();
  BOOST_TEST(session.fetch<float>(0).data() == y.data());
  BOOST_TEST(y[0] == 0.5f + x[0] / 2 + 1.0f / 3);
  BOOST_TEST(w[0] == 0.5f + 1.0f / 2 + x[0] / 3);
  BOOST_TEST(store.get("w").data<float>()[0] == w[0]);
  session.fetch_into<float>(0, {});
  session.run();
  BOOST_TEST(session.fetch<float>(0).data() != y.data());
}

BOOST_AUTO_TEST_CASE(a_part_of_a_value_is_fetched_without_the_rest) {
  Small s;
  const Store store(s.g);
  Session session(compile({apply(Head{2}, {s.y}, At::current()), apply(Tail{4}, {s.y}, At::current())}), store);
  const auto x = numbers(12);
  std::vector<float> head(6, -1), tail(6, -1);
  session.feed<float>("x", x);
  session.fetch_into<float>(0, std::span(head).first(2));
  session.fetch_into<float>(1, std::span(tail).first(2));
  session.run();
  for (std::size_t i = 0; i < 6; ++i) {
    BOOST_TEST(head[i] == (i < 2 ? 0.5f + x[i] / 2 + 1.0f / 3 : -1));
    BOOST_TEST(tail[i] == (i < 2 ? 0.5f + x[i + 4] / 2 + 1.0f / 3 : -1));
  }
}

BOOST_AUTO_TEST_CASE(variables_swap) {
  Graph g;
  const Value a = variable(g, "a", {f32, {3}}, {.kind = Init::Kind::constant, .a = 1});
  const Value b = variable(g, "b", {f32, {3}}, {.kind = Init::Kind::constant, .a = 2});
  Store store(g);
  Session session(compile({assign(a, b), assign(b, a)}), store);
  session.run();
  BOOST_TEST(store.get("a").data<float>()[2] == 2.0f);
  BOOST_TEST(store.get("b").data<float>()[2] == 1.0f);
}

// The step that reads both must come before the write, and after what is written.
BOOST_AUTO_TEST_CASE(what_is_assigned_is_read_beside_the_value_before) {
  for (const bool itself : {false, true})
    for (const bool can_fail : {false, true}) {
      Graph g;
      const Value w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 4});
      const Value next = assign(w, itself ? w : w * w);
      const Value y = can_fail ? require_finite(next, "next", "look") - w : next - w;
      Store store(g);
      const std::vector<Tensor> results = compile({y, next}).run(store, {});
      BOOST_TEST(results[0].item<float>() == (itself ? 0.0f : 12.0f));
      BOOST_TEST(results[1].item<float>() == (itself ? 4.0f : 16.0f));
      BOOST_TEST(store.get("w").item<float>() == (itself ? 4.0f : 16.0f));
    }
}

// So that putting things back cannot fail, even where memory has run out.
BOOST_AUTO_TEST_CASE(restoring_allocates_nothing) {
  Small s;
  Store store(s.g), partner(s.g);
  store.share("w", partner);
  const Store before = store.snapshot();
  store.set("w", Tensor::of<float>({3}, {4, 5, 6}));
  const std::int64_t count = allocations.load();
  store.restore(before);
  store.restore(store);    // of itself,
  partner.restore(store);  // and of one that shares the variable: nothing changes
  BOOST_TEST(allocations.load() == count);
  BOOST_TEST(same_bits(partner.get("w"), before.get("w")));
}

// Each the other's, at the same time: no two locks are held in opposite orders.
BOOST_AUTO_TEST_CASE(stores_are_restored_from_one_another) {
  Small s;
  Store a(s.g), b(s.g);
  std::latch both(2);
  const auto turns = [&both](Store& into, const Store& from) {
    both.arrive_and_wait();
    for (int i = 0; i < 300'000; ++i) into.restore(from);
  };
  std::thread other([&] { turns(b, a); });
  turns(a, b);
  other.join();
  BOOST_TEST(same_bits(a.get("w"), b.get("w")));
}

BOOST_AUTO_TEST_CASE(several_sessions_run_at_once) {
  const auto x0 = numbers(12), x1 = numbers(40);
  const MixedGraph graph(2, 300);
  const auto expected = interpret(graph, x0, x1);
  const std::vector<Value> reading(graph.fetches.begin() + 4, graph.fetches.end());
  for (const int threads : {2, 8}) {
    const Program program = compile(reading, {.pool = Pool(threads)});
    const Store store(graph.g);
    std::atomic<int> wrong{0};
    std::vector<std::jthread> users;
    for (int t = 0; t < 4; ++t)
      users.emplace_back([&] {
        Session session(program, store);
        feed(session, program, x0, x1);
        for (int run = 0; run < 50; ++run) {
          session.run();
          for (std::size_t i = 0; i < reading.size(); ++i)
            if (!same_bits(session.fetch_tensor(static_cast<int>(i)), expected->fetched[i + 4])) ++wrong;
        }
      });
    users.clear();
    BOOST_TEST(wrong == 0);
  }
}

// What a user types first, and what must not compile: bytes that would end before they are read.
template <class S, class F>
concept Feeds = requires(S& session, F&& data) {
  session.feed("x", std::forward<F>(data));
};
template <class T>
concept HasSpan = requires(T&& tensor) {
  std::forward<T>(tensor).template span<float>();
};
static_assert(Feeds<Session, std::vector<float>&> && Feeds<Session, const std::vector<float>&>);
static_assert(Feeds<Session, std::array<float, 3>&> && Feeds<Session, std::span<const float>> &&
              Feeds<Session, Tensor>);
static_assert(!Feeds<Session, std::vector<float>> && !Feeds<Session, std::array<float, 3>>);
static_assert(HasSpan<Tensor&> && HasSpan<const Tensor&> && !HasSpan<Tensor>);

BOOST_AUTO_TEST_CASE(one_value_is_compiled_and_fed_without_ceremony) {
  Graph g;
  const Value x = input(g, "x", f32, {any(3)});
  Session session(compile(apply(Mix{3, 1}, {x}, At::current())), Store());
  const std::vector<float> numbers{1, 2, 3};
  session.feed("x", numbers);
  session.run();
  const float first = session.fetch<float>(0)[0];
  session.feed("x", Tensor::of({3}, numbers));
  session.run();
  BOOST_TEST(session.fetch<float>(0)[0] == first);
}

BOOST_AUTO_TEST_SUITE_END()
