// Ops that own graphs: `cond` and `repeat` give the values and gradients of the graph without them, bit for bit, on any
// number of threads; only the branch that is taken computes; and everything that goes through graphs goes through
// theirs.
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

BOOST_AUTO_TEST_SUITE(test_control)

using namespace oxbow;
using namespace oxbow::ops;
using namespace oxbow::test;

namespace {

Tensor floats(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) {
  Tensor t({f32, shape});
  const Tensor drawn = draw(shape, low, high, seed);
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(drawn.data<double>()[i]);
  return t;
}

// Two graphs that shall be the same, with their results in the same order.
struct Twin {
  Graph g;
  std::vector<Value> x;  // the inputs
  std::vector<Value> y;
};

template <class Build>
void check_same_bits(const std::vector<Tensor>& inputs, Build&& build) {
  Twin twins[2];
  std::map<std::string, Tensor> feeds;
  for (int owns = 0; owns < 2; ++owns) {
    Twin& t = twins[owns];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string name = "x" + std::to_string(i);
      const Shape& shape = inputs[i].shape();
      t.x.push_back(input(t.g, name, inputs[i].dtype(), std::vector<Dim>(shape.begin(), shape.end())));
      feeds.insert_or_assign(name, inputs[i]);
    }
    t.y = build(t, owns == 1);
    verify(t.g);
    Value loss;
    for (const Value& v : t.y) loss = loss ? loss + sum(v * v) : sum(v * v);
    std::vector<Value> floats;
    for (const Value& v : t.x)
      if (is_float(v.dtype())) floats.push_back(v);
    for (const Value& v : gradients(loss, floats)) t.y.push_back(v);
    verify(t.g);
  }
  const std::vector<Tensor> plain = interpret(twins[0].y, feeds), owned = interpret(twins[1].y, feeds);
  for (std::size_t i = 0; i < plain.size(); ++i) BOOST_TEST(same_bits(plain[i], owned[i]), "value " << i);
  for (const int threads : {1, 2, 8}) {
    Store store(twins[1].g);
    const std::vector<Tensor> got = compile(twins[1].y, {.pool = Pool(threads)}).run(store, feeds);
    for (std::size_t i = 0; i < plain.size(); ++i)
      BOOST_TEST(same_bits(got[i], plain[i]), "value " << i << " on " << threads << " threads");
  }
}

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

BOOST_AUTO_TEST_CASE(cond_equals_the_branch_that_is_taken) {
  for (const bool taken : {true, false})
    check_same_bits({floats({4, 5}, 1), floats({5, 3}, 2), Tensor::scalar(taken)}, [&](Twin& t, bool owns) {
      const Value x = t.x[0], w = t.x[1], p = t.x[2];
      const auto then = [&] { return std::vector<Value>{tanh(matmul(x, w)) + 1.0, sum(x, {0})}; };
      const auto otherwise = [&] { return std::vector<Value>{relu(matmul(x, w)), sum(x * x, {0})}; };
      if (owns) return cond(p, then, otherwise);
      return taken ? in_order(t.g, then) : in_order(t.g, otherwise);
    });
}

BOOST_AUTO_TEST_CASE(repeat_equals_the_unrolled_graph) {
  for (const std::int64_t steps : {0, 1, 2, 5})
    for (const bool reverse : {false, true})
      check_same_bits(
          {floats({3, 4}, 1), floats({3, 4}, 2), floats({4, 4}, 3), floats({steps, 3, 4}, 4), floats({4}, 5)},
          [&](Twin& t, bool owns) {
            const Value u = t.x[2], xs = t.x[3], b = t.x[4];
            const auto body = [&](const RepeatStep& s) {
              const Value gate = sigmoid(s.slices[0] + matmul(s.carried[0], u) + b);
              const Value c = gate * s.carried[1] + tanh(s.slices[0]);
              const Value h = tanh(c) * gate;
              return RepeatNext{.carried = {h, c}, .stacked = {exp(h * -1.0)}};
            };
            if (owns) {
              RepeatResult r = repeat(steps, {t.x[0], t.x[1]}, body, {.slices = {xs}, .reverse = reverse});
              r.carried.insert(r.carried.end(), r.stacked.begin(), r.stacked.end());
              return r.carried;
            }
            RepeatStep s{{t.x[0], t.x[1]}, {}};
            std::vector<Value> stacked(static_cast<std::size_t>(steps));
            for (std::int64_t i = 0; i < steps; ++i) {
              const std::int64_t at = reverse ? steps - 1 - i : i;
              s.slices = {reshape(slice(xs, 0, at, at + 1), {3, 4})};
              const std::vector<Value> next = in_order(t.g, [&] {
                const RepeatNext n = body(s);
                return std::vector<Value>{n.carried[0], n.carried[1], n.stacked[0]};
              });
              s.carried = {next[0], next[1]};
              stacked[static_cast<std::size_t>(at)] = reshape(next[2], {1, 3, 4});
            }
            return std::vector<Value>{s.carried[0], s.carried[1], steps == 0 ? xs * 0.0 : concat(stacked)};
          });
}

// Of a recurrence whose last state nobody reads, nothing flows to the last step's state.
BOOST_AUTO_TEST_CASE(what_nothing_flows_to_is_not_zero) {
  Graph g;
  const Value h0 = input(g, "h0", f32, {2}), w = input(g, "w", f32, {2});
  const RepeatResult r = repeat(3, {h0}, [&](const RepeatStep& s) {
    return RepeatNext{.carried = {s.carried[0] / w}, .stacked = {s.carried[0] * 2.0}};
  });
  const std::vector<Value> dx = gradients(sum(r.stacked[0]), {h0, w});
  // The last division, by a zero, is not differentiated: 0 * inf would be no number.
  const std::map<std::string, Tensor> feeds{{"h0", Tensor::of<float>({2}, {1, 8})},
                                            {"w", Tensor::of<float>({2}, {2, 4})}};
  Store store(g);
  const std::vector<Tensor> got = compile(dx).run(store, feeds);
  BOOST_TEST(same_bits(got[0], Tensor::of<float>({2}, {2 + 1 + .5, 2 + .5f + .125f})));
  BOOST_TEST(got[1].span<float>()[0] == -2.f / 4 - 2.f * 2 / 8);
}

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

// As the README has it.
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
  BOOST_TEST(has(message([&] { repeat(2, x, [](Value h) { return matmul(h, h); }); }), "matmul: "));
  BOOST_TEST(g.size() == before);  // nothing of what failed is left
  verify(g);
}

BOOST_AUTO_TEST_SUITE_END()
