// What fusion and epilogues make of a graph: which nodes become one, and the same bits, NaN, infinities and signed
// zeros included.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fuse.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/passes.h>

#include <boost/test/unit_test.hpp>

#include "support/rewrites.h"

BOOST_AUTO_TEST_SUITE(test_fuse)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(chains_branches_and_reductions_fuse) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Value a = scaled(x, row, 2), b = scaled(a, x, 3), c = scaled(a, row, -1), d = scaled(b, c, .5);
  g.add_output("d", d);
  g.add_output("b", b);
  g.add_output("largest", chunk_max(d));
  const auto r = rewrite(g);
  BOOST_TEST(op_names(*r.graph) == (std::vector<std::string>{"input", "input", "fused"}),
             boost::test_tools::per_element());
  const auto& f = *r.graph->node(2).op().as<Fused>();
  BOOST_TEST(f.tape.steps.size() == 4u);
  BOOST_TEST(f.tape.outputs.size() == 2u);
  BOOST_TEST(f.reductions.size() == 1u);
  check_same(g, *r.graph);
  const std::vector<std::string> off{"fuse"};
  BOOST_TEST(count(*rewrite(g, {.disable = off}).graph, "fused") == 5);
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
        if (p.optional) check_same(g, *rewrite(g, {.disable = {std::string(p.name)}}).graph);
    }
  }
}

namespace {

// A product in miniature, x * 2, that can take over what follows it.
struct Doubled {
  static constexpr OpInfo info{.name = "doubled", .inputs = {"x..."}, .outputs = {"y..."}};
  Tape epilogue = {};
  static void attributes(auto&& visit) { visit("epilogue", &Doubled::epilogue); }
  bool operator==(const Doubled&) const = default;
  std::vector<Type> infer(Types in) const {
    return epilogue.empty() ? std::vector{in[0]} : epilogue_types(epilogue, in[0], in.subspan(1));
  }
  std::optional<Op> with_epilogue(int, const Tape& tape, Types) const {
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

// Three outputs, -x, 2 x and x + 1, of which the second can take over what follows it, but for reductions.
struct Tripled {
  static constexpr OpInfo info{.name = "tripled", .inputs = {"x..."}, .outputs = {"y..."}};
  Tape epilogue = {};
  static void attributes(auto&& visit) { visit("epilogue", &Tripled::epilogue); }
  bool operator==(const Tripled&) const = default;
  std::vector<Type> infer(Types in) const {
    std::vector<Type> out = epilogue.empty() ? std::vector{in[0]} : epilogue_types(epilogue, in[0], in.subspan(1));
    out.insert(out.begin(), in[0]);
    out.push_back(in[0]);
    return out;
  }
  std::optional<Op> with_epilogue(int output, const Tape& tape, Types) const {
    return output == 1 && epilogue.empty() && tape.reductions.empty() ? std::optional<Op>(Tripled{tape}) : std::nullopt;
  }
  Work work(Types in) const { return {.scratch = in[0].bytes() + (1 << 16)}; }
  void run(const Run& r) const {
    Doubled{epilogue}.run(
        {.inputs = r.inputs, .outputs = r.outputs.subspan(1, r.outputs.size() - 2), .scratch = r.scratch});
    for (std::int64_t i = 0; i < r.in_type(0).count(); ++i) {
      r.out<float>(0)[i] = -r.in<float>(0)[i];
      r.out<float>(static_cast<int>(r.outputs.size()) - 1)[i] = r.in<float>(0)[i] + 1;
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(any_output_of_a_product_may_take_over_what_follows_it) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Node tripled = g.append(Tripled{}, {x}, {});
  const Value sum = scaled(tripled.output(1), row), y = scaled(sum, x, 3), after = wall(tripled.output(2));
  for (const auto& [name, v] : {std::pair("sum", sum), {"y", y}, {"negated", tripled.output(0)}, {"after", after}})
    g.add_output(name, v);
  const auto r = rewrite(g);
  BOOST_TEST(count(*r.graph, "fused") == 0);
  BOOST_TEST(r(sum).node().output_count() == 4);
  check_same(g, *r.graph);

  Graph h;  // the node reads another output too, or one is read before it
  const Value a = input(h, "x", f32, {40, 30});
  const Node both = h.append(Tripled{}, {a}, {}), one = h.append(Tripled{}, {wall(a)}, {});
  h.add_output("both", scaled(both.output(1), both.output(0)));
  h.add_output("before", wall(one.output(0)));
  h.add_output("y", scaled(one.output(1), a));
  BOOST_TEST(count(*rewrite(h).graph, "fused") == 2);
  check_same(h, *rewrite(h).graph);
}

BOOST_AUTO_TEST_CASE(products_take_over_what_follows_them) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30}), row = input(g, "row", f32, {30});
  const Value product = apply(Doubled{}, {x}, At::current()), biased = scaled(product, row), y = scaled(biased, x, 3);
  g.add_output("y", y);
  g.add_output("biased", biased);
  g.add_output("largest", chunk_max(y));
  const auto r = rewrite(g);
  BOOST_TEST(op_names(*r.graph) == (std::vector<std::string>{"input", "input", "doubled"}),
             boost::test_tools::per_element());
  BOOST_TEST(r.graph->node(2).output_count() == 3);
  check_same(g, *r.graph);

  Graph f;  // one that takes no reductions
  const Value z = scaled(f.append(Tripled{}, {input(f, "x", f32, {40, 30})}, {}).output(1), input(f, "row", f32, {30}));
  f.add_output("z", z);
  f.add_output("largest", chunk_max(z));
  const auto apart = rewrite(f);
  BOOST_TEST(op_names(*apart.graph) == (std::vector<std::string>{"input", "input", "tripled", "fused"}),
             boost::test_tools::per_element());
  BOOST_TEST(apart.graph->node(3).op().as<Fused>()->tape.steps.empty());  // they read what the product stores
  check_same(f, *apart.graph);

  Graph h;  // a product that is smaller than what is made of it
  const Value small = apply(Doubled{}, {input(h, "row", f32, {30})}, At::current());
  h.add_output("y", scaled(input(h, "x", f32, {40, 30}), small));
  BOOST_TEST(count(*rewrite(h).graph, "fused") == 1);
  check_same(h, *rewrite(h).graph);

  g.add_output("product", product);  // now stored for its own sake
  BOOST_TEST(count(*rewrite(g).graph, "fused") == 1);
  check_same(g, *rewrite(g).graph);
}

// A product whose result others read too gives its reductions beside it.
BOOST_AUTO_TEST_CASE(products_take_reductions_of_what_they_store) {
  Graph g;
  const Value x = input(g, "x", f32, {40, 30});
  const Value product = apply(Doubled{}, {x}, At::current()), largest = chunk_max(product);
  g.add_output("after", wall(product));
  g.add_output("largest", largest);
  g.add_output("again", wall(product));
  const auto r = rewrite(g);
  BOOST_TEST(count(*r.graph, "fused") == 0);
  BOOST_TEST((r(largest).node().id() == r(product).node().id() && r(largest).output() == 1));
  check_same(g, *r.graph);
}

// What takes a row to a large value is computed by each that reads it, and not stored; not for a graph's output, nor
// where a node of another kind reads it, nor with one operand.
BOOST_AUTO_TEST_CASE(light_steps_are_computed_again) {
  const auto fused_outputs = [](auto&& build) {
    Graph g;
    const Value x = wall(input(g, "x", f32, {40, 30})), row = input(g, "row", f32, {30});
    build(g, x, row);
    const auto r = rewrite(g);
    check_same(g, *r.graph);
    int outputs = 0;
    for (NodeId i = 0; i < r.graph->size(); ++i)
      if (r.graph->node(i).op().is<Fused>()) outputs += r.graph->node(i).output_count();
    return outputs;
  };
  const auto twice = [](Graph& g, const Value& light, const Value& x) {
    const Value first = wall(scaled(light, x, 2));  // in another stage than what follows
    g.add_output("y", scaled(first, light, 3));
  };
  BOOST_TEST(fused_outputs([&](Graph& g, const Value& x, const Value& row) { twice(g, scaled(x, row), x); }) == 2);
  BOOST_TEST(fused_outputs([&](Graph& g, const Value& x, const Value& row) {
               const Value light = scaled(x, row);
               g.add_output("light", light);
               twice(g, light, x);
             }) == 3);
  BOOST_TEST(fused_outputs([&](Graph& g, const Value& x, const Value& row) {
               const Value light = scaled(x, row);
               g.add_output("other", wall(light));
               twice(g, light, x);
             }) == 3);
  BOOST_TEST(fused_outputs([&](Graph& g, const Value& x, const Value&) { twice(g, scaled(x, x), x); }) == 3);

  Graph g;  // the result of a product that nobody else reads
  const Value x = input(g, "x", f32, {40, 30}), product = apply(Doubled{}, {x}, At::current());
  twice(g, scaled(product, input(g, "row", f32, {30})), x);
  const auto r = rewrite(g);
  BOOST_TEST(!r(product));
  check_same(g, *r.graph);
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

BOOST_AUTO_TEST_SUITE_END()
