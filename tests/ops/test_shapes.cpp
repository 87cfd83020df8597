// Reductions and ops that move elements: values against their samples' references, fixed orders, aliases,
// simplification, and what they say when shapes or indices are wrong.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/reduction/chunks.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/strided_slice.h>
#include <oxbow/ops/shape/transpose.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <tuple>

#include "samples/sample.h"
#include "support/has.h"

BOOST_AUTO_TEST_SUITE(test_shapes)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::ops;
using oxbow::test::has;

namespace {

double number(const Tensor& t, std::int64_t i) {
  return dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(t.data<T>()[i]); });
}

Tensor as_f32(const Tensor& t) {
  Tensor out({f32, t.shape()});
  for (std::int64_t i = 0; i < t.count(); ++i) out.data<float>()[i] = static_cast<float>(number(t, i));
  return out;
}

void check_close(const Tensor& got, const Tensor& expected, double bound) {
  BOOST_REQUIRE(got.shape() == expected.shape());
  for (std::int64_t i = 0; i < got.count(); ++i)
    BOOST_TEST((number(got, i) == number(expected, i) || std::abs(number(got, i) - number(expected, i)) <=
                                                             bound * std::max(1.0, std::abs(number(expected, i)))));
}

template <class... Ops>
void check_samples() {
  const auto check = [](const std::vector<test::Sample>& samples) {
    for (const test::Sample& s : samples) BOOST_TEST_CONTEXT(s.op.name() << ": " << s.what) {
        const Tensor expected = s.reference(s.inputs).at(0);
        check_close(evaluate(s.op, s.inputs).at(0), expected, 1e-13);
        std::vector<Tensor> singles = s.inputs;
        for (Tensor& t : singles)
          if (t.dtype() == f64) t = as_f32(t);
        check_close(evaluate(s.op, singles).at(0), expected, 1e-5);
      }
  };
  (check(test::samples_of(Ops::info.name)), ...);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// By another order of additions than any kernel's, in long double.
double plain_sum(const Tensor& x, std::int64_t first, std::int64_t step, std::int64_t count) {
  long double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += number(x, first + i * step);
  return static_cast<double>(sum);
}

}  // namespace

BOOST_AUTO_TEST_CASE(samples_agree_with_their_references) {
  check_samples<Sum, Max, Min, SumTo, CountLike, ArgMax, OneHot, Gather, ScatterAdd, GatherAdd, Reshape, ReshapeLike,
                Transpose, BroadcastTo, BroadcastLike, Slice, SliceGradient, SliceAdd, StridedSlice,
                StridedSliceGradient, StridedSliceAdd, Concat, ConcatGradient>();
}

BOOST_AUTO_TEST_CASE(sums_of_every_cut_stay_within_the_stated_bound) {
  struct Case {
    Shape shape;
    std::int64_t axis;
  };
  for (const auto& [shape, axis] :
       {Case{{1, 1}, 1}, Case{{1, 16384}, 1}, Case{{1, 16385}, 1}, Case{{1, 100003}, 1}, Case{{1, 1 << 20}, 1},
        Case{{3, 70001}, 1}, Case{{1000, 17}, 1}, Case{{700, 63}, 0}, Case{{5000, 65}, 0}, Case{{999, 1000}, 0},
        Case{{3, 5000}, 0}, Case{{300, 4097}, 0}, Case{{20000, 3}, 0}, Case{{40, 70, 16}, 1}, Case{{2, 3000, 5}, 1}}) {
    BOOST_TEST_CONTEXT("axis " << axis << " of " << to_string(shape)) {
      const Tensor x = as_f32(draw(shape, 0, 1, 7));
      const std::vector<Tensor> in{x};
      const Tensor y = evaluate(Sum{.axes = {axis}}, in).at(0);
      const std::int64_t n = shape[static_cast<int>(axis)],
                         inner = shape.count(static_cast<int>(axis) + 1, shape.rank());
      const double additions =
          16 * std::max(1.0, std::ceil(std::log(static_cast<double>(n) / 64) / std::log(16.0))) + 8;
      for (std::int64_t i = 0; i < y.count(); i += std::max<std::int64_t>(1, y.count() / 50)) {
        const double exact = plain_sum(x, i / inner * n * inner + i % inner, inner, n);
        BOOST_TEST(std::abs(number(y, i) - exact) <= additions * 0x1p-24 * exact);
      }
      const Tensor most = evaluate(Max{.axes = {axis}}, in).at(0);
      for (std::int64_t i = 0; i < y.count(); i += std::max<std::int64_t>(1, y.count() / 50)) {
        double best = -1;
        for (std::int64_t k = 0; k < n; ++k)
          best = std::max(best, number(x, i / inner * n * inner + i % inner + k * inner));
        BOOST_TEST(number(most, i) == best);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_consumer_gives_the_same_bits_however_its_input_arrives) {
  for (const auto& [shape, first, last] : {std::tuple{Shape{40000}, 0, 1},
                                           {Shape{900, 33}, 1, 2},
                                           {Shape{3000, 10}, 0, 1},
                                           {Shape{50, 300}, 0, 1},
                                           {Shape{7, 40, 3}, 1, 2},
                                           {Shape{2, 40000}, 1, 2}}) {
    const Tensor x = as_f32(draw(shape, -1, 1, 3));
    const std::vector<Type> types{x.type()};
    const ReduceChunks<Fold::sum> op{.first = first, .last = last};
    const Consumer c = op.consume(types);
    const std::int64_t chunks = (x.count() + c.chunk - 1) / c.chunk;
    const auto run = [&](std::int64_t tile, bool backward) {
      Tensor y(op.infer(types));
      const auto state = allocate(c.state);
      for (std::int64_t k = 0; k < chunks; ++k) {
        const std::int64_t chunk = backward ? chunks - 1 - k : k, at = chunk * c.chunk;
        const std::int64_t count = std::min(c.chunk, x.count() - at);
        c.begin(c, state.get());
        for (std::int64_t i = 0; i < count; i += tile)
          c.take(c, state.get(), x.data<float>() + at + i, i, std::min(tile, count - i));
        c.end(c, state.get(), chunk, count, y.bytes());
      }
      return y;
    };
    const Tensor whole = run(c.chunk, false);
    for (std::int64_t tile : {1, 7, 64, 100, 512}) BOOST_TEST(same_bits(run(tile, true), whole));
  }
}

BOOST_AUTO_TEST_CASE(integers_wrap_around_and_nan_goes_through) {
  const std::vector<Tensor> big{Tensor::of<std::int32_t>({3}, {2147483647, 1, 5})};
  BOOST_TEST(evaluate(Sum{}, big)[0].item<std::int32_t>() == -2147483647 - 1 + 5);
  for (std::int64_t place : {0, 63, 64, 999}) {
    Tensor x = draw({1000}, -1, 1, 5);
    x.data<double>()[place] = std::nan("");
    const std::vector<Tensor> in{x};
    BOOST_TEST(std::isnan(evaluate(Sum{}, in)[0].item<double>()));
    BOOST_TEST(std::isnan(evaluate(Max{}, in)[0].item<double>()));
    BOOST_TEST(std::isnan(evaluate(Min{}, in)[0].item<double>()));
    BOOST_TEST(evaluate(ArgMax{}, in)[0].item<std::int64_t>() == place);
  }
}

BOOST_AUTO_TEST_CASE(transposing_and_scattering_in_many_parts) {
  const Tensor x = draw({37, 500, 41}, -1, 1, 6, f64);
  const std::vector<Tensor> in{x};
  const Tensor y = evaluate(Transpose{.permutation = {2, 0, 1}}, in).at(0);
  for (std::int64_t i = 0; i < y.count(); i += 997)
    BOOST_REQUIRE(number(y, i) == number(x, i % 18500 * 41 + i / 18500));

  for (const Shape& table : {Shape{50, 300}, Shape{5000, 3}, Shape{2, 70, 200}}) {
    const int axis = table.rank() - 2;
    const Tensor indices = draw({4000}, 0, static_cast<double>(table[axis]), 8, i32);
    const Tensor updates = as_f32(draw(table.with(axis, 4000), -1, 1, 9));
    const std::vector<Tensor> args{Tensor({f32, table}), indices, updates};
    const Tensor sums = evaluate(ScatterAdd{.axis = axis}, args).at(0);
    Tensor expected({f32, table});
    const std::int64_t inner = table[-1], rows = table[axis];
    for (std::int64_t o = 0; o < table.count(0, axis); ++o)
      for (std::int64_t i = 0; i < 4000; ++i)
        for (std::int64_t k = 0; k < inner; ++k)
          expected.data<float>()[(o * rows + indices.data<std::int32_t>()[i]) * inner + k] +=
              updates.data<float>()[(o * 4000 + i) * inner + k];
    BOOST_TEST(same_bits(sums, expected));
  }
}

BOOST_AUTO_TEST_CASE(aliases_and_simplification) {
  Graph g;
  const Value x = input(g, "x", f32, {4, 6});
  const std::vector<Type> types{x.type()};
  BOOST_TEST((Op(Reshape{{24}}).alias(types) == std::vector{Alias{.input = 0}}));
  BOOST_TEST((Op(Slice{.axis = 0, .begin = 2}).alias(types) == std::vector{Alias{.input = 0, .offset = 48}}));
  BOOST_TEST(Op(Slice{.axis = 1, .begin = 2}).alias(types).empty());

  const auto simpler = [](Value v) { return v.node().op().simplify(v.node().inputs()).at(0); };
  BOOST_TEST(simpler(reshape(x, {0, 6})).same(x));
  BOOST_TEST(simpler(reshape(reshape(x, {24}), {4, -1})).same(x));
  BOOST_TEST(simpler(transpose(transpose(x))).same(x));
  BOOST_TEST(simpler(transpose(x, {0, 1})).same(x));
  BOOST_TEST(simpler(slice(x, 1, 0)).same(x));
  BOOST_TEST(simpler(slice(x, 1, 0, 6)).same(x));
  BOOST_TEST(simpler(sum_to(x, x)).same(x));
  BOOST_TEST(simpler(broadcast_to(x, {4, 6})).same(x));
  BOOST_TEST(simpler(broadcast_like(x, x)).same(x));
  BOOST_TEST(simpler(concat({x})).same(x));
  BOOST_TEST(simpler(count_like(x)).node().op().as<ops::Constant>()->value.item<float>() == 24);
  BOOST_TEST(simpler(sum(reshape(x, {24, 1}), {1})).node().op().is<Reshape>());
  BOOST_TEST(simpler(transpose(reshape(x, {24, 1}))).node().op().is<Reshape>());
}

BOOST_AUTO_TEST_CASE(messages_name_shapes_line_and_remedy) {
  Graph g;
  const Value x = input(g, "x", f32, {4, 6}), labels = input(g, "labels", i32, {3}),
              none = input(g, "none", f32, {0, 6});
  const Value flags = input(g, "flags", boolean, {3});
  // The path before the file's name depends on where it is built.
  const auto here = [](int line) { return "tests/ops/test_shapes.cpp:" + std::to_string(line) + "\n  "; };

  int line = __LINE__ + 1;
  std::string m = message_of([&] { reshape(x, {5, -1}); });
  BOOST_TEST(has(m, "reshape: [4, 6] (24 elements) leaves no whole number of elements for the size -1"));
  BOOST_TEST(has(m, "x: f32[4, 6] from x\n  at "));
  BOOST_TEST(has(m, here(line)));
  BOOST_TEST(has(m, "The other sizes must divide the number of elements"));
  m = message_of([&] { reshape(x, {5, 5}); });
  BOOST_TEST(has(m, "[4, 6] (24 elements) cannot take the shape [5, 5] (25 elements)"));
  line = __LINE__ + 1;
  m = message_of([&] { sum(x, {2}); });
  BOOST_TEST(has(m, "sum: there is no axis 2 in shape [4, 6]"));
  BOOST_TEST(has(m, here(line)));
  BOOST_TEST(has(message_of([&] { sum(x, {1, -1}); }), "axis 1 of [4, 6] is named twice"));
  BOOST_TEST(has(message_of([&] { sum(flags); }), "Cast it to f32 to count or average, or to i64 to count"));
  line = __LINE__ + 1;
  m = message_of([&] { mean(labels); });
  BOOST_TEST(has(m, "mean: x is i32[3]\n  at "));
  BOOST_TEST(has(m, here(line)));
  BOOST_TEST(has(m, "Cast it to f32 or f64 first"));
  BOOST_TEST(to_string(max(none, {1}).type()) == "f32[0]");
  BOOST_TEST(has(message_of([&] { argmax(none, 0); }), "axis 0 of [0, 6] is empty"));
  BOOST_TEST(has(message_of([&] { sum_to(x, labels); }), "sum_to: [3] does not broadcast to [4, 6]"));
  BOOST_TEST(has(message_of([&] { broadcast_to(x, {6, 4}); }), "broadcast_to: [4, 6] does not broadcast to [6, 4]"));
  BOOST_TEST(has(message_of([&] { transpose(x, {0, 0}); }), "[0, 0] does not name each axis of [4, 6] once"));
  m = message_of([&] { slice(x, 1, 2, 8); });
  BOOST_TEST(has(m, "slice: the range 2 to 8 does not lie within axis 1 of [4, 6]"));
  BOOST_TEST(has(m, "Use 0 <= begin <= end <= 6"));
  m = message_of([&] { concat({x, none}, 1); });
  BOOST_TEST(has(m, "concat: value 1 has the shape [0, 6] beside [4, 6]"));
  BOOST_TEST(has(m, "All axes but axis 1 must agree"));
  BOOST_TEST(has(message_of([&] { gather(x, x); }),
                 "gather: indices are f32, but must be one of: i8, i16, i32, i64, u8, u16, u32"));
  BOOST_TEST(has(message_of([&] { scatter_add(x, labels, x); }),
                 "updates have the shape [4, 6], but gathering from like gives [3, 6]"));
  BOOST_TEST(has(message_of([&] { one_hot(x, 3); }),
                 "one_hot: labels are f32, but must be one of: i8, i16, i32, i64, u8, u16, u32\n"));
}

BOOST_AUTO_TEST_CASE(an_index_out_of_range_is_named_with_its_place) {
  const Tensor indices = Tensor::of<std::int32_t>({2, 2}, {0, 1, 2, 7}), table({f32, {4, 3}});
  const std::vector<Tensor> pick{table, indices}, add{table, indices, Tensor({f32, {2, 2, 3}})}, labels{indices};
  BOOST_TEST(has(message_of([&] { evaluate(Gather{}, pick); }), "index 7 at [1, 1] is out of range"));
  BOOST_TEST(has(message_of([&] { evaluate(Gather{}, pick); }), "It must lie in -4 to 3"));
  BOOST_TEST(has(message_of([&] { evaluate(ScatterAdd{}, add); }), "index 7 at [1, 1] is out of range"));
  // Also for a table without rows: the gradient gathers by the same indices and must not be the first to fail.
  const std::vector<Tensor> none{Tensor({f32, {0, 2}}), Tensor::of<std::int64_t>({1}, {3}), Tensor({f32, {1, 2}})};
  for (const Op& op : {Op(ScatterAdd{}), Op(GatherAdd{})})
    BOOST_TEST(has(message_of([&] { evaluate(op, none); }), "index 3 at [0] is out of range"), op.name());
  BOOST_TEST(has(message_of([&] { evaluate(OneHot{.classes = 5}, labels); }), "label 7 at [1, 1] is out of range"));
  const std::vector<Tensor> negative{table, Tensor::scalar<std::int64_t>(-5)};
  BOOST_TEST(has(message_of([&] { evaluate(Gather{}, negative); }), "index -5 at [] is out of range"));
}

BOOST_AUTO_TEST_CASE(gradients_of_shapes_follow_other_sizes) {
  // Rules read shapes from values, so a graph built for one size serves another: here only the types are looked at.
  Graph g;
  const Value x = input(g, "x", f32, {4, 6});
  const auto grad_type = [&](Value y) {
    const Value dy =
        input(g, "dy" + std::to_string(g.size()), f32, std::vector<Dim>(y.shape().begin(), y.shape().end()));
    return y.node().op().gradient(y.node(), {dy}).values().at(0).type();
  };
  for (const Value& y : {sum(x), sum(x, {0}), sum(x, {1}, true), sum_to(x, input(g, "l", f32, {6})), reshape(x, {-1}),
                         flatten(x), transpose(x), slice(x, 1, 2, 4), broadcast_to(x, {3, 4, 6}), concat({x, x}, 1)})
    BOOST_TEST(to_string(grad_type(y)) == "f32[4, 6]");
}

BOOST_AUTO_TEST_SUITE_END()
