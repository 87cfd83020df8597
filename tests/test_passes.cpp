// Each pass does what it says: node counts and ops after it, and the same bits, NaN, infinities and signed zeros
// included.
#include <oxbow/graph/common_subexpressions.h>
#include <oxbow/graph/dead_code.h>
#include <oxbow/graph/epilogue.h>
#include <oxbow/graph/evaluate.h>
#include <oxbow/graph/fold.h>
#include <oxbow/graph/fuse.h>
#include <oxbow/graph/fused.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/lower.h>
#include <oxbow/graph/passes.h>
#include <oxbow/graph/simplify.h>
#include <oxbow/graph/specialise.h>
#include <oxbow/graph/verify.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/small_ops.h"

using namespace oxbow;
using namespace oxbow::test;

namespace {

Value scaled(Value x, Value y, double scale = 1) { return apply(Scaled{scale}, {x, y}, At::current()); }
Value wall(Value x) { return apply(Wall{}, {x}, At::current()); }
Value chunk_max(Value x, std::int64_t chunk = 96) { return apply(ChunkMax{chunk}, {x}, At::current()); }

std::vector<std::string> ops(const Graph& g) {
  std::vector<std::string> names;
  for (NodeId i = 0; i < g.size(); ++i) names.emplace_back(g.node(i).op().name());
  return names;
}
int count(const Graph& g, std::string_view op) {
  int n = 0;
  for (NodeId i = 0; i < g.size(); ++i) n += g.node(i).op().name() == op;
  return n;
}

// Numbers in which what is special is not rare.
Tensor awkward(const Shape& shape, std::uint64_t seed) {
  using Limits = std::numeric_limits<float>;
  const float special[] = {0.f, -0.f, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(), 1.f};
  const Tensor drawn = draw(shape, -2, 2, seed);
  Tensor t({f32, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const double d = drawn.data<double>()[i];
    t.data<float>()[i] = i % 5 == 3 ? special[static_cast<std::size_t>((d + 2) * 1.7)] : static_cast<float>(d);
  }
  return t;
}

// The graph's outputs, node by node, inputs drawn by their place in the graph.
std::vector<Tensor> values_of(const Graph& g) {
  std::vector<std::vector<Tensor>> values(static_cast<std::size_t>(g.size()));
  const auto value = [&](const Value& v) {
    return values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())];
  };
  for (NodeId i = 0; i < g.size(); ++i) {
    const Node node = g.node(i);
    std::vector<Tensor> in;
    for (int k = 0; k < node.input_count(); ++k) in.push_back(value(node.input(k)));
    auto& out = values[static_cast<std::size_t>(i)];
    if (const auto* input = node.op().as<Input>())
      out = {awkward(input->type.shape, std::hash<std::string>()(input->name))};
    else if (const auto* constant = node.op().as<Constant>())
      out = {constant->value};
    else
      out = evaluate(node.op(), in);
  }
  std::vector<Tensor> outputs;
  for (const auto& [name, v] : g.outputs()) outputs.push_back(value(v));
  return outputs;
}

void check_same(const Graph& before, const Graph& after) {
  verify(after);
  const auto a = values_of(before), b = values_of(after);
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(before.outputs()[i].first == after.outputs()[i].first);
    BOOST_TEST(same_bits(a[i], b[i]), "output " << i);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(specialise_takes_fed_shapes_and_names_the_fetches) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {3});
  const Value z = scaled(x, y), unused = scaled(y, y);
  g.add_output("z", z);
  const Rewritten s = specialise(g, {z, z, x}, {{"x", Shape{9, 3}}}, Mode::training);
  BOOST_TEST(to_string(s(z).type()) == "f32[9, 3]");
  BOOST_TEST(!s(unused));
  BOOST_REQUIRE_EQUAL(s.graph->outputs().size(), 3u);
  BOOST_TEST(s.graph->outputs()[0].first == "z");
  BOOST_TEST(s.graph->outputs()[1].first == "1");
  BOOST_TEST(s.graph->outputs()[2].first == "2");
  BOOST_TEST(s.graph->outputs()[2].second.same(s(x)));

  g.add_output("0", y);
  const Rewritten clash = specialise(g, {x, y}, {}, Mode::training);  // x's place is y's name
  BOOST_TEST(clash.graph->outputs()[0].first == "0_");
  BOOST_TEST(clash.graph->outputs()[1].first == "0");
}

BOOST_AUTO_TEST_CASE(specialise_refuses_what_does_not_fit) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const auto says = [&](const std::map<std::string, Shape>& shapes, const std::string& text) {
    BOOST_CHECK_EXCEPTION(specialise(g, {x}, shapes, Mode::training), Error, [&](const Error& e) {
      BOOST_TEST_MESSAGE(e.what());
      return std::string(e.what()).find(text) == 0;
    });
  };
  says({{"x", Shape{9, 4}}},
       "input \"x\" expects shape [any(4), 3], but was fed [9, 4]\n  declared at tests/test_passes.cpp:");
  says({{"x", Shape{9}}}, "input \"x\" expects shape [any(4), 3], but was fed [9]");
  says({{"image", Shape{9}}}, "no input is named \"image\"\n  The graph's inputs: \"x\"");
  BOOST_CHECK_THROW(specialise(g, {}, {}, Mode::training), Error);
}

BOOST_AUTO_TEST_CASE(dead_code_goes) {
  Graph g;
  const Value x = input(g, "x", f32, {5}), y = scaled(x, x, 2);
  scaled(y, x);
  g.add_output("y", y);
  const auto r = dead_code(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(r->graph->size() == 2);
  BOOST_TEST(!dead_code(*r->graph).has_value());
}

BOOST_AUTO_TEST_CASE(equal_nodes_become_one_exactly) {
  Graph g;
  const Value x = input(g, "x", f32, {100});
  const Value a = scaled(x, x, 2), b = scaled(x, x, 2), c = scaled(x, x, 3), d = scaled(a, c), e = scaled(b, c);
  const Value plus = scaled(x, x, 0.0), minus = scaled(x, x, -0.0);
  const Value one = constant(g, 1.0), same = constant(g, 1.0), zero = constant(g, 0.0), negative = constant(g, -0.0);
  for (const Value& v : {d, e, plus, minus, one, same, zero, negative}) g.add_output(std::to_string(v.node_id()), v);
  const auto r = common_subexpressions(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST((*r)(a).same((*r)(b)));
  BOOST_TEST((*r)(d).same((*r)(e)));
  BOOST_TEST((*r)(one).same((*r)(same)));
  BOOST_TEST(!(*r)(a).same((*r)(c)));
  BOOST_TEST(!(*r)(plus).same((*r)(minus)));
  BOOST_TEST(!(*r)(zero).same((*r)(negative)));
  check_same(g, *r->graph);
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(equal_tapes_with_reductions_of_other_values_are_told_apart) {
  Graph g;
  for (const std::string name : {"x", "y"}) {
    const Value x = input(g, name, f32, {40, 30}), a = scaled(x, x, -2), b = scaled(a, x, 3);
    g.add_output(name + " b", b);
    g.add_output(name + " largest", chunk_max(name == "x" ? a : b));
  }
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(a_thousand_alike_are_told_apart) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  for (int i = 0; i < 1000; ++i) g.add_output(std::to_string(i), scaled(x, x, i % 500));
  const auto r = common_subexpressions(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(r->graph->size() == 501);
}

BOOST_AUTO_TEST_CASE(constants_fold_and_large_results_do_not) {
  Graph g;
  const Value one = constant(g, 1.0), two = constant(g, 2.0);
  const Value five = scaled(two, one, 2), x = input(g, "x", f32, {3});
  g.add_output("y", scaled(x, scaled(five, one, 4)));
  const Value wide = constant(g, Tensor({f32, {200, 1}})), long_ = constant(g, Tensor({f32, {200}}));
  g.add_output("z", scaled(wide, long_));
  const auto r = fold(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST((*r)(five).node().op().as<Constant>()->value.item<float>() == 5);
  BOOST_TEST(count(*r->graph, "scaled") == 2);
  check_same(g, *r->graph);
}

BOOST_AUTO_TEST_CASE(lowering_leaves_only_what_runs) {
  Graph g;
  const Value x = input(g, "x", f32, {5});
  g.add_output("y", chunk_max(scaled(x, x)));
  const auto r = lower(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(ops(*r->graph) == (std::vector<std::string>{"input", "fused", "fused"}), boost::test_tools::per_element());
  BOOST_TEST(r->graph->node(1).input_count() == 1);  // x + x reads x once
  check_same(g, *r->graph);
}

BOOST_AUTO_TEST_CASE(chains_branches_and_reductions_fuse) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Value a = scaled(x, row, 2), b = scaled(a, x, 3), c = scaled(a, row, -1), d = scaled(b, c, .5);
  g.add_output("d", d);
  g.add_output("b", b);
  g.add_output("largest", chunk_max(d));
  const auto r = rewrite(g);
  BOOST_TEST(ops(*r.graph) == (std::vector<std::string>{"input", "input", "fused"}), boost::test_tools::per_element());
  const auto& f = *r.graph->node(2).op().as<Fused>();
  BOOST_TEST(f.tape.steps.size() == 4u);
  BOOST_TEST(f.tape.outputs.size() == 2u);
  BOOST_TEST(f.reductions.size() == 1u);
  check_same(g, *r.graph);
  const std::vector<std::string> off{"fuse"};
  BOOST_TEST(count(*rewrite(g, off).graph, "fused") == 5);
}

BOOST_AUTO_TEST_CASE(more_reductions_than_a_node_takes_are_several_nodes) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30});
  Value y = x;
  for (int i = 0; i < 40; ++i) g.add_output(std::to_string(i), chunk_max(y = scaled(y, x, -.5)));
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(no_cycle_through_an_outsider) {
  Graph g;
  const Value x = input(g, "x", f32, {40});
  const Value a = scaled(x, x, 2), b = wall(a), c = scaled(a, b);  // a before the wall, c after it
  g.add_output("c", c);
  const auto r = rewrite(g);
  BOOST_TEST(count(*r.graph, "fused") == 2);
  check_same(g, *r.graph);
}

BOOST_AUTO_TEST_CASE(a_small_producer_waits_for_its_only_reader) {
  Graph g;
  const Value x = input(g, "x", f32, {40});
  const Value a = scaled(x, x, 2), b = wall(x), c = scaled(a, b);
  g.add_output("c", c);
  const auto r = rewrite(g);
  BOOST_TEST(count(*r.graph, "fused") == 1);
  check_same(g, *r.graph);
}

BOOST_AUTO_TEST_CASE(long_chains_are_cut) {
  Graph g;
  Value x = input(g, "x", f32, {40});
  const Value first = x;
  for (int i = 0; i < 1000; ++i) x = scaled(x, first, i % 2 == 0 ? .5 : -1);
  g.add_output("x", x);
  const auto r = rewrite(g);
  BOOST_TEST(count(*r.graph, "fused") == 4);
  check_same(g, *r.graph);
}

BOOST_AUTO_TEST_CASE(random_chains_keep_their_bits) {
  std::uint64_t state = 1;
  const auto pick = [&](std::uint64_t n) {
    return (state = state * 6364136223846793005u + 1442695040888963407u) / 65536 % n;
  };
  const std::vector<Shape> shapes = {{40, 30}, {30}, {40, 1}, {}, {2, 40, 30}};
  for (int round = 0; round < 300; ++round) {
    Graph g;
    std::vector<Value> values;
    for (std::size_t i = 0; i < shapes.size() - (round % 5 == 0 ? 0 : 1); ++i) {
      std::vector<Dim> dims(shapes[i].begin(), shapes[i].end());
      values.push_back(input(g, "x" + std::to_string(i), f32, dims));
    }
    for (int i = 0; i < 30; ++i) {
      const Value a = values[pick(values.size())],
                  b = values[values.size() - 1 - pick(std::min<std::size_t>(values.size(), 5))];
      if (a.dtype() != f32 || b.dtype() != f32) continue;
      const std::uint64_t kind = pick(20);
      if (kind == 0)
        g.add_output("max" + std::to_string(i), chunk_max(a, pick(2) == 0 ? 96 : 192));
      else if (kind < 3)
        values.push_back(wall(a));
      else if (kind == 3)
        g.add_output("wide" + std::to_string(i), apply(ToDouble{}, {b}, At::current()));
      else
        values.push_back(scaled(a, b, static_cast<double>(pick(4)) - 1.5));
    }
    g.add_output("last", values.back());
    BOOST_TEST_CONTEXT("round " << round) {
      check_same(g, *rewrite(g).graph);
      for (const Pass& p : passes())
        if (p.optional) check_same(g, *rewrite(g, std::vector{std::string(p.name)}).graph);
    }
  }
}

BOOST_AUTO_TEST_CASE(unknown_names_are_refused) {
  Graph g;
  g.add_output("x", input(g, "x", f32, {1}));
  BOOST_CHECK_EXCEPTION(rewrite(g, std::vector<std::string>{"fusion"}), Error, [](const Error& e) {
    return std::string(e.what()) ==
           "\"fusion\" is no rewrite that can be left out\n  These can: dead_code, simplify, "
           "common_subexpressions, fold, fuse, epilogue";
  });
  BOOST_CHECK_THROW(rewrite(g, std::vector<std::string>{"lower"}), Error);
}

namespace {

// A product in miniature, x * 2, that can take over what follows it.
struct Doubled {
  static constexpr OpInfo info{.name = "doubled", .inputs = {"x"}, .variadic = true};
  Tape epilogue = {};
  static constexpr auto attributes = std::tuple{Attribute{"epilogue", &Doubled::epilogue}};
  bool operator==(const Doubled&) const = default;
  std::vector<Type> infer(Types in) const {
    return epilogue.empty() ? std::vector{in[0]} : epilogue_types(epilogue, in[0], in.subspan(1));
  }
  std::optional<Op> with_epilogue(const Tape& tape, Types) const {
    return epilogue.empty() ? std::optional<Op>(Doubled{tape}) : std::nullopt;
  }
  Work work(Types in) const { return {.scratch = in[0].bytes() + (1 << 16)}; }
  void run(const Run& r) const {
    const std::int64_t n = r.in_type(0).count();
    auto* y = epilogue.empty() ? r.out<float>() : reinterpret_cast<float*>(r.scratch);
    for (std::int64_t i = 0; i < n; ++i) y[i] = r.in<float>(0)[i] * 2;
    if (epilogue.empty()) return;
    std::vector<Type> types;
    for (const ConstView& v : r.inputs) types.push_back(*v.type);
    const TapePlan plan(epilogue, types);
    plan.run(r.inputs.subspan(1), r.outputs, {.rows = 1, .columns = n, .stride = n, .result = y, .result_stride = n},
             r.scratch + (r.in_type(0).bytes() + 63) / 64 * 64);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(products_take_over_what_follows_them) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Value product = apply(Doubled{}, {x}, At::current()), biased = scaled(product, row), y = scaled(biased, x, 3);
  g.add_output("y", y);
  g.add_output("biased", biased);
  g.add_output("largest", chunk_max(y));
  const auto r = rewrite(g);
  BOOST_TEST(ops(*r.graph) == (std::vector<std::string>{"input", "input", "doubled", "fused"}),
             boost::test_tools::per_element());
  BOOST_TEST(r.graph->node(2).output_count() == 2);
  BOOST_TEST(r.graph->node(3).op().as<Fused>()->tape.steps.empty());  // the reduction reads what the product stores
  check_same(g, *r.graph);

  Graph h;  // a product that is smaller than what is made of it
  const Value small = apply(Doubled{}, {input(h, "row", f32, {30})}, At::current());
  h.add_output("y", scaled(input(h, "x", f32, {40, 30}), small));
  BOOST_TEST(count(*rewrite(h).graph, "fused") == 1);
  check_same(h, *rewrite(h).graph);

  g.add_output("product", product);  // now stored for its own sake
  BOOST_TEST(count(*rewrite(g).graph, "fused") == 1);
  check_same(g, *rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(backward_nodes_belong_to_what_does_their_forward_nodes_work) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Value product = apply(Doubled{}, {x}, At::current()), y = scaled(product, row);  // y takes product over
  const Value a = scaled(wall(x), row, 2), b = scaled(a, x, 3);                          // a and b become one
  const auto backward_of = [&](Value forward) {
    const OriginGuard guard(g, {.at = {}, .forward = forward.node_id(), .phase = Phase::backward});
    return wall(forward.same(product) ? y : b);
  };
  g.add_output("dproduct", backward_of(product));
  g.add_output("da", backward_of(a));
  const auto r = rewrite(g);
  BOOST_TEST(!r(product));
  BOOST_TEST(!r(a));
  const auto forward = [&](int k) {
    return r.graph->outputs()[static_cast<std::size_t>(k)].second.node().origin().forward;
  };
  BOOST_TEST(forward(0) == r(y).node_id());
  BOOST_TEST(forward(1) == r(b).node_id());
}

// A node of forward and backward work is forward, and the rest of the backward pass belongs to it.
BOOST_AUTO_TEST_CASE(where_forward_and_backward_meet_the_fused_node_is_forward) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30});
  const Value a = [&] {
    const Scope scope(g, "layer");
    return scaled(x, x, 2);
  }();
  {
    const OriginGuard guard(g, {.at = {}, .forward = a.node_id(), .phase = Phase::backward});
    const Value da = scaled(a, x, 3);
    g.add_output("after", wall(da));
    g.add_output("alone", scaled(wall(wall(da)), x));
  }
  const auto r = rewrite(g);
  BOOST_REQUIRE(count(*r.graph, "fused") == 2);
  const Node meeting = r.graph->outputs()[0].second.node().input(0).node();
  BOOST_REQUIRE(meeting.op().is<Fused>());
  BOOST_TEST((meeting.origin().phase == Phase::forward));
  BOOST_TEST(meeting.origin().scope.str() == "layer");
  BOOST_TEST(meeting.origin().forward == -1);
  for (const auto& [name, v] : r.graph->outputs()) {
    BOOST_TEST((v.node().origin().phase == Phase::backward), name);
    BOOST_TEST(v.node().origin().forward == meeting.id(), name);
  }
  check_same(g, *r.graph);
}
