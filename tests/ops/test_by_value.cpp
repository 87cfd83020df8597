// Shapes that follow from values: right at every size of a free axis, and an error that says why where a value is not
// known.
#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/interpreter.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_by_value)

using namespace oxbow;
using namespace oxbow::ops;
using namespace oxbow::test;

namespace {

Value whole(Graph& g, std::initializer_list<std::int64_t> values) {
  return constant(g, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

std::vector<std::int64_t> elements(Value v) {
  const std::optional<Tensor> t = known_value(v);
  BOOST_REQUIRE(t.has_value());
  return {t->span<std::int64_t>().begin(), t->span<std::int64_t>().end()};
}

// A graph in which every shape is computed from that of x, f32[any, 6].
struct Computed {
  Graph g;
  Value x = input(g, "x", f32, {any(4), 6}), shape = shape_of(x), rows = slice(shape, 0, 0, 1);
  std::vector<Value> values;
  Computed() {
    values.push_back(reshape(x, concat({whole(g, {3}), rows, whole(g, {-1})})));
    values.push_back(broadcast_to(constant(g, 2.5), shape));
    values.push_back(slice(x, whole(g, {1, -2}), shape));
    values.push_back(tile(x, concat({rows, whole(g, {1})})));
    values.push_back(pad(x, reshape(concat({rows, whole(g, {0, 1, 0})}), {2, 2}), -1));
    const Value zero = constant(g, 0, i64), count = reshape(rows, {}), one = constant(g, 1, i64);
    values.push_back(cast(arange(zero, count * 2, one), f32));
    values.push_back(one_hot(cast(sum(x, {1}) * 0.0, i64), count));
    values.push_back(top_k(x, count - 1, 0).values);
  }
};

const Shape at_four[] = {{3, 4, 2}, {4, 6}, {3, 2}, {16, 6}, {8, 7}, {8}, {4, 4}, {3, 6}};
const Shape at_two[] = {{3, 2, 2}, {2, 6}, {1, 2}, {4, 6}, {4, 7}, {4}, {2, 2}, {1, 6}};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_computed_from_constants_and_shapes_is_known) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 6});
  const Value w = variable(g, "w", {i64, {2}});
  BOOST_TEST(elements(shape_of(x)) == (std::vector<std::int64_t>{4, 6}));
  BOOST_TEST(elements(shape_of(x) * 2 + whole(g, {1, 0})) == (std::vector<std::int64_t>{9, 12}));
  BOOST_TEST(elements(slice(shape_of(x), 0, 1)) == std::vector<std::int64_t>{6});
  BOOST_TEST(elements(reshape(shape_of(reshape(x, {-1})), {})) == std::vector<std::int64_t>{24});
  BOOST_TEST(elements(shape_of(w)) == std::vector<std::int64_t>{2});
  BOOST_TEST(known_value(count_like(x))->item<float>() == 24);
  BOOST_TEST(!known_value(x));
  BOOST_TEST(!known_value(w + shape_of(x)));
  BOOST_TEST(!known_value(broadcast_to(constant(g, 1), {200, 200})));  // too many to be asked for
  Value sum = constant(g, 0, i64);
  for (int i = 0; i < 20000; ++i) sum = sum + 1;  // a long way back
  BOOST_TEST(known_value(sum)->item<std::int64_t>() == 20000);
}

BOOST_AUTO_TEST_CASE(places_are_numbered_from_0_on) {
  Graph g;
  BOOST_TEST(elements(arange(g, 4)) == (std::vector<std::int64_t>{0, 1, 2, 3}));
  BOOST_TEST(elements(arange(g, 0)).empty());
}

// The moments of an empty batch are the running ones, of which others read the shape only.
BOOST_AUTO_TEST_CASE(what_depends_on_a_variable_after_all_is_not_known) {
  for (const DType dtype : {f32, bf16})
    for (const std::int64_t rows : {0, 2}) {
      Graph g;
      const Value x = constant(g, Tensor({dtype, {rows, 1}}));
      const Value mean = variable(g, "mean", {dtype, {1}}), variance = variable(g, "variance", {dtype, {1}});
      const Moments m = batch_moments(x, mean, variance);
      BOOST_TEST(known_value(m.mean).has_value() == (rows > 0), name(dtype) << ", " << rows << " rows");
      BOOST_TEST(known_value(m.variance).has_value() == (rows > 0), name(dtype) << ", " << rows << " rows");
      if (rows > 0) continue;
      const std::string said = message([&] { reshape(x, cast(m.mean, i64)); });
      BOOST_TEST(has(said, "depends on the variable mean, which may change"), said);
    }
}

BOOST_AUTO_TEST_CASE(shapes_follow_a_free_axis_at_each_specialisation) {
  Computed c;
  for (std::size_t i = 0; i < c.values.size(); ++i) BOOST_TEST(c.values[i].shape() == at_four[i], "value " << i);
  std::vector<Value> fetches = c.values;
  Value loss;
  for (const Value& v : c.values) loss = loss ? loss + sum(v * v) : sum(v * v);
  fetches.push_back(gradients(loss, {c.x})[0]);
  for (const int threads : {1, 2}) {
    const Program program = compile(fetches, {.pool = Pool(threads)});
    Store store(c.g);
    for (const std::int64_t rows : {4, 2, 3, 2}) {
      Tensor x({f32, {rows, 6}});
      const Tensor drawn = draw(x.shape(), -1, 1, 7);
      for (std::int64_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(drawn.data<double>()[i]);
      const std::map<std::string, Tensor> feeds{{"x", x}};
      const std::vector<Tensor> got = program.run(store, feeds), want = interpret(fetches, feeds);
      for (std::size_t i = 0; i < got.size(); ++i) {
        BOOST_TEST(same_bits(got[i], want[i]), "value " << i << " of " << rows << " rows");
        if (rows == 2 && i < c.values.size()) BOOST_TEST(got[i].shape() == at_two[i], "value " << i);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_asks_for_values_becomes_what_has_numbers) {
  Computed c;
  const internal::Rewritten r =
      internal::rewrite(*internal::specialise(c.g, c.values, {{"x", {2, 6}}}, Mode::training).graph);
  for (NodeId i = 0; i < r.graph->size(); ++i) {
    const Op& op = r.graph->node(i).op();
    BOOST_TEST(op.info().by_value.empty(), op.name());
    BOOST_TEST(!op.is<ShapeOf>());
    BOOST_TEST((op.name() != "concat" || r.graph->node(i).output().dtype() == f32));  // of sizes: folded
  }
  const std::vector<std::string> without{"simplify", "fold"};
  Store store(c.g);
  const std::map<std::string, Tensor> feeds{{"x", Tensor({f32, {2, 6}})}};
  const std::vector<Tensor> all = compile(c.values).run(store, feeds),
                            some = compile(c.values, {.disable = without}).run(store, feeds);
  for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(same_bits(all[i], some[i]));
}

BOOST_AUTO_TEST_CASE(graphs_with_computed_shapes_read_back) {
  Computed c;
  for (std::size_t i = 0; i < c.values.size(); ++i) c.g.add_output("y" + std::to_string(i), c.values[i]);
  const std::string text = print(c.g);
  BOOST_TEST(print(*parse(text, catalog())) == text);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_known_is_an_error_that_says_why) {
  Graph g;
  const Value x = input(g, "x", f32, {4, 6}), sizes = input(g, "sizes", i64, {2}), w = variable(g, "w", {i64, {2}});
  BOOST_TEST(has(message([&] { reshape(x, sizes + 1); }),
                 "reshape: the value of shape must be known before the graph runs, but depends on the input sizes, "
                 "which is fed\n  x: f32[4, 6] from x\n  shape: i64[2] from add_4\n"));
  BOOST_TEST(
      has(message([&] { reshape(x, sizes + 1); }), "\n  Compute it from constants and from shape_of of other values"));
  BOOST_TEST(has(message([&] { broadcast_to(x, w); }), "depends on the variable w, which may change"));
  const Value checked = require_finite(constant(g, 2.0), "the number", "Look.");
  BOOST_TEST(has(message([&] { top_k(x, cast(checked, i64)); }), "which is computed when the graph runs"));
  BOOST_TEST(has(message([&] { reshape(x, shape_of(x) * 2); }),
                 "reshape: [4, 6] (24 elements) cannot take the shape [8, 12]"));
  BOOST_TEST(has(message([&] { tile(x, {2}); }), "tile: repeats has 1 numbers, but x has the shape [4, 6]"));
  BOOST_TEST(has(message([&] { tile(x, {2, -1}); }), "tile: x cannot be repeated -1 times"));
  BOOST_TEST(has(message([&] { pad(x, {{1, 1}}); }), "pad: pads has the shape [1, 2], but x has the shape [4, 6]"));
  BOOST_TEST(has(message([&] { pad(x, {{1, 1}, {-7, 0}}); }), "pad: axis 1 of [4, 6] is padded by -7 and 0"));
  BOOST_TEST(has(message([&] {
                   slice(x, whole(g, {1}), whole(g, {2, 3}));
                 }),
                 "slice: 1 begins and 2 ends for x of shape [4, 6]"));
  BOOST_TEST(
      has(message([&] { reshape(x, constant(g, 2.5)); }), "reshape: shape is f32[], not a list of whole numbers"));
  const Value zero = constant(g, 0, i64);
  BOOST_TEST(has(message([&] { arange(zero, zero, zero); }), "arange: its step is 0"));
  BOOST_TEST(has(message([&] { top_k(x, 7); }), "top_k: 7 elements cannot be chosen of 6"));
  BOOST_TEST(has(message([&] { top_k(x, 1, 2); }), "top_k: there is no axis 2 in shape [4, 6]"));
}

// At a size that is fed, the error says so too.
BOOST_AUTO_TEST_CASE(a_shape_that_does_not_fit_at_another_size_is_an_error_then) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = top_k(x, reshape(slice(shape_of(x), 0, 0, 1), {}) - 1).values;
  const Program program = compile({y});
  Store store(g);
  BOOST_TEST(has(message([&] {
                   program.run(store, {{"x", Tensor({f32, {9, 3}})}});
                 }),
                 "top_k_of: 8 elements cannot be chosen of 3"));
}

BOOST_AUTO_TEST_SUITE_END()
