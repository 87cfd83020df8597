// Ops that own graphs: only the branch that is taken computes, and everything that goes through graphs goes through
// theirs. Their values and gradients: test_control_gradients.cpp.
#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/verify.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/program.h>

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/interpreter.h"
#include "support/message.h"
#include "support/twin.h"

BOOST_AUTO_TEST_SUITE(test_control)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::ops;
using namespace oxbow::test;

namespace {

// How often it ran, wherever; y = x.
struct Counted {
  static constexpr OpInfo info{.name = "test_counted", .inputs = {"x"}};
  static inline std::atomic<int> runs = 0;
  int kind = 0;
  bool operator==(const Counted&) const = default;
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const {
    runs += kind;
    std::copy_n(r.in<float>(0), r.in_type(0).count(), r.out<float>());
  }
  Grads gradient(const Node&, Values dy) const { return {dy[0]}; }
};
Value counted(Value x, int kind) { return apply(Counted{kind}, {x}, At::current()); }

}  // namespace

BOOST_AUTO_TEST_CASE(only_the_branch_that_is_taken_computes) {
  Graph g;
  const Value x = input(g, "x", f32, {any(3)}), p = input(g, "p", boolean, {});
  const Value y = cond(
      p, [&] { return counted(counted(x, 1), 1); }, [&] { return counted(x, 100); });
  for (const int threads : {1, 2}) {
    const Program program = compile({y}, {.pool = Pool(threads)});
    Store store(g);
    for (const bool taken : {true, false, true}) {
      Counted::runs = 0;
      const std::vector<Tensor> got = program.run(store, {{"x", floats({3}, 1)}, {"p", Tensor::scalar(taken)}});
      BOOST_TEST(same_bits(got[0], floats({3}, 1)));
      BOOST_TEST(Counted::runs == (taken ? 2 : 100));
    }
  }
  const Value known = cond(
      less(constant(g, 1), constant(g, 2)), [&] { return counted(x, 1); }, [&] { return counted(x, 100); });
  const Ledger plan = ledger(compile({known}));
  for (const Ledger::Step& s : plan.steps)
    if (s.node >= 0) BOOST_TEST(!plan.graph->node(s.node).op().is<Guarded>());
}

BOOST_AUTO_TEST_CASE(branches_may_return_comparisons) {
  Graph g;
  const Value x = input(g, "x", f32, {3});
  const Value y = cond(
      sum(x) > 0.0, [&] { return x > 0.0; }, [&] { return x < 0.0; });
  BOOST_TEST(to_string(y.type()) == "bool[3]");
  for (const float sign : {1.0f, -1.0f}) {
    const Tensor at = Tensor::of<float>({3}, {2 * sign, -sign, 3 * sign});
    BOOST_TEST(same_bits(interpret({y}, {{"x", at}})[0], Tensor::of<bool>({3}, {true, false, true})));
  }
}

BOOST_AUTO_TEST_CASE(bodies_follow_a_free_axis) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), w = input(g, "w", f32, {3, 3});
  const Value y = repeat(3, x, [&](Value h) {
    return cond(
        less(sum(h), 0.0), [&] { return matmul(h, w); }, [&] { return h - broadcast_to(mean(h), shape_of(h)); });
  });
  std::vector<Value> fetches{y, gradients(sum(y * y), {x, w})[0], gradients(sum(y * y), {x, w})[1]};
  const Program program = compile(fetches, {.pool = Pool(2)});
  Store store(g);
  for (const std::int64_t rows : {4, 1, 7}) {
    const std::map<std::string, Tensor> feeds{{"x", floats({rows, 3}, 7, -2, 1)}, {"w", floats({3, 3}, 8)}};
    const std::vector<Tensor> got = program.run(store, feeds), want = interpret(fetches, feeds);
    for (std::size_t i = 0; i < got.size(); ++i)
      BOOST_TEST(same_bits(got[i], want[i]), "value " << i << " of " << rows);
  }
}

BOOST_AUTO_TEST_CASE(layers_in_a_body_have_their_variables_outside) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 4});
  const Value y = repeat(3, x, [](Value h) { return dense(h, 4, {.activation = tanh}); }, {.name = "deep"});
  BOOST_REQUIRE(variables(g).size() == 2);
  BOOST_TEST(variables(g)[0].node().full_name() == "deep/dense/kernel");
  BOOST_TEST(g.find("deep/repeat").has_value());
  verify(g);
  Graph plain;
  Value h = input(plain, "x", f32, {2, 4});
  const Value kernel = variable(plain, "kernel", {f32, {4, 4}}, variables(g)[0].node().op().as<ops::Variable>()->init);
  const Value bias = variable(plain, "bias", {f32, {4}});
  for (int i = 0; i < 3; ++i) h = tanh(matmul(h, kernel) + bias);
  Store a(g), b(plain);
  const std::map<std::string, Tensor> feeds{{"x", floats({2, 4}, 1)}};
  BOOST_TEST(same_bits(compile({y}).run(a, feeds)[0], compile({h}).run(b, feeds)[0]));
  // A step's nodes are in a scope of their own.
  const Ledger plan = ledger(compile({y}, {.disable = {"fuse", "epilogue"}}));
  bool found = false;
  for (NodeId i = 0; i < plan.graph->size(); ++i)
    found = found || plan.graph->node(i).origin().scope.str() == "deep/2/dense";
  BOOST_TEST(found);
}

// As tools/docs/functions.md has it.
BOOST_AUTO_TEST_CASE(a_recurrent_net_and_its_states) {
  Graph g;
  const std::int64_t steps = 3;
  const Value x = input(g, "x", f32, {steps, any(2), 4}), h0 = input(g, "h0", f32, {any(2), 5});
  const Value w = parameter(g, "w", {f32, {4, 5}}), u = parameter(g, "u", {f32, {5, 5}}),
              b = parameter(g, "b", {f32, {5}});
  const auto [last, states] = repeat(steps, {h0},
                                     [&](const RepeatStep& s) {
                                       const Value h = tanh(matmul(s.slices[0], w) + matmul(s.carried[0], u) + b);
                                       return RepeatNext{.carried = {h}, .stacked = {h}};
                                     },
                                     {.slices = {x}});
  const Value all = states[0];
  const Value y = cond(
      greater(mean(h0), 0), [&] { return all * 2.0; }, [&] { return all; });
  const Value rows = reshape(y, concat({constant(g, Tensor::of<std::int64_t>({1}, {-1})), slice(shape_of(y), 0, -1)}));
  BOOST_TEST(rows.shape() == (Shape{6, 5}));
  Store store(g);
  const Program program = compile({last[0], states[0], rows, gradients(sum(rows), {u})[0]});
  for (const std::int64_t batch : {2, 7}) {
    const std::vector<Tensor> got =
        program.run(store, {{"x", floats({steps, batch, 4}, 1)}, {"h0", floats({batch, 5}, 2, 0, 1)}});
    BOOST_TEST(got[2].shape() == (Shape{steps * batch, 5}));
    const auto& last_state = got[0].span<float>();
    BOOST_TEST(std::equal(last_state.begin(), last_state.end(), got[1].span<float>().end() - last_state.size()));
  }
}

namespace {

std::unique_ptr<Graph> some_loop(double factor = .5) {
  auto g = std::make_unique<Graph>();
  const Value x = input(*g, "x", f32, {2}), p = input(*g, "p", boolean, {});
  const Value y = repeat(4, x, [&](Value h) {
    const Value next = cond(
        p, [&] { return h * factor; }, [&] { return (h + x).named("moved"); });
    return tanh(next);
  });
  g->add_output("y", y);
  g->add_output("dx", gradients(sum(y), {x})[0]);
  return g;
}

}  // namespace

BOOST_AUTO_TEST_CASE(graphs_with_bodies_read_back) {
  const auto g = some_loop();
  for (const bool locations : {false, true}) {
    const std::string text = print(*g, {.locations = locations});
    BOOST_TEST(
        has(text, "{steps: 4, carried: 1, sliced: 0, reverse: false, body: graph {\n    forward:\n      %x0 = input"));
    const auto back = parse(text, catalog());
    BOOST_TEST(equal(*back, *g));
    BOOST_TEST(print(*back, {.locations = locations}) == text);
  }
  BOOST_TEST(!equal(*some_loop(.25), *g));
  BOOST_TEST(same_bits(AttrValue(g->outputs()[0].second.node().op().attributes()),
                       AttrValue(some_loop()->outputs()[0].second.node().op().attributes())));
  const Ledger plan = ledger(compile({g->outputs()[0].second}));
  const std::string planned = print(plan);
  BOOST_TEST(print(*parse_ledger(planned, std::shared_ptr<const Graph>(parse(planned, catalog())))) == planned);

  const std::string text = print(*g, {.locations = false});
  std::string wrong = text;
  wrong.replace(wrong.find("= tanh("), 7, "= tan(");
  BOOST_TEST(print(*parse(wrong, catalog()), {.locations = false}) == wrong);  // a node within that the catalogue lacks
  wrong = text;
  wrong.replace(wrong.find(": f32[2]\n"), 8, ": f32[3]");
  BOOST_TEST(has(message([&] { parse(wrong, catalog()); }), "the text says f32[3], but"));
}

BOOST_AUTO_TEST_CASE(equal_loops_are_one) {
  Graph g;
  const Value x = input(g, "x", f32, {3});
  const auto loop = [&](double by) { return repeat(2, x, [&](Value h) { return tanh(h * by); }); };
  g.add_output("a", loop(2));
  g.add_output("b", loop(2));
  g.add_output("c", loop(3));
  const Rewritten r = rewrite(g);
  BOOST_TEST(r.graph->outputs()[0].second.same(r.graph->outputs()[1].second));
  BOOST_TEST(!r.graph->outputs()[0].second.same(r.graph->outputs()[2].second));
}

BOOST_AUTO_TEST_CASE(what_was_carried_costs_nothing_where_nobody_reads_it) {
  Graph g;
  const Value x = input(g, "x", f32, {1000});
  const Value y = repeat(100, x, [](Value h) { return stop_gradient(h) * .5 + 1.0; });
  BOOST_TEST(ledger(compile({y})).arena_bytes < 10 * 4096);
}

BOOST_AUTO_TEST_CASE(dropout_in_a_body_is_for_training_only) {
  Graph g;
  const Value x = input(g, "x", f32, {100});
  BOOST_TEST(
      has(message([&] { repeat(3, x, [](Value h) { return dropout(h, .5); }); }), "call random_state(graph) before"));
  random_state(g);
  const Value y = repeat(3, x, [](Value h) {
    return cond(
        less(sum(h), 1e9), [&] { return dropout(h, .5) + 1.0; }, [&] { return h; });
  });
  Store store(g);
  const std::map<std::string, Tensor> feeds{{"x", Tensor({f32, {100}})}};
  const Tensor trained = compile({y}).run(store, feeds)[0];
  const Tensor inferred = compile({y}, {.mode = Mode::inference}).run(store, feeds)[0];
  BOOST_TEST(std::count(trained.span<float>().begin(), trained.span<float>().end(), 3.0f) < 100);
  BOOST_TEST(std::count(inferred.span<float>().begin(), inferred.span<float>().end(), 3.0f) == 100);
}

BOOST_AUTO_TEST_CASE(messages_of_control_flow) {
  Graph g;
  const Value x = input(g, "x", f32, {3}), p = input(g, "p", boolean, {}), w = variable(g, "w", {f32, {3}});
  const NodeId before = g.size();
  const auto same = [&] { return x; };
  BOOST_TEST(has(message([&] { cond(x, same, same); }), "cond: the predicate is f32[3], not bool[]"));
  BOOST_TEST(
      has(message([&] { cond(p, same, [&] { return sum(x); }); }), "cond: one branch gives f32[3], the other f32[]"));
  BOOST_TEST(has(message([&] { cond(p, same, [&] { return assign(w, x); }); }), "assigns to w\n  at HERE"));
  BOOST_TEST(has(message([&] { cond(p, same, [] { return Value(); }); }), "returns an empty value"));
  BOOST_TEST(has(message([&] { repeat(-1, x, [](Value h) { return h; }); }), "repeat: it cannot have -1 steps"));
  BOOST_TEST(has(message([&] { repeat(2, x, [](Value h) { return sum(h); }); }),
                 "repeat: carried value 0 is f32[3], but the body gives f32[] for the next step"));
  BOOST_TEST(has(message([&] {
                   repeat(2, {x}, [](const RepeatStep& s) { return RepeatNext{.carried = s.carried}; },
                          {.slices = {x}});
                 }),
                 "repeat: stacked value 0 is f32[3], not 2 slices"));
  BOOST_TEST(has(message([&] { repeat(2, {x}, [](const RepeatStep&) { return RepeatNext{}; }); }),
                 "the body gives 0 carried values, but takes 1"));
  BOOST_TEST(has(message([&] { repeat(2, x, [](Value h) { return matmul(h, sum(h)); }); }), "matmul: "));
  BOOST_TEST(g.size() == before);  // nothing of what failed is left
  verify(g);
}

BOOST_AUTO_TEST_SUITE_END()
