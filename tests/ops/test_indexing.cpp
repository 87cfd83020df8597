// Indexing, patterns and sequences that are made of ops: against values that were written down, at other sizes of a
// free axis, with gradients, by any number of threads, and what they say when they are refused.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/has.h"
#include "support/interpreter.h"
#include "support/message.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_indexing)

using namespace oxbow;
using namespace oxbow::test;

namespace {

using Doubles = std::vector<double>;

Value whole(Graph& g, std::initializer_list<std::int64_t> values) {
  return constant(g, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}
Value scalar(Graph& g, std::int64_t n) { return constant(g, Tensor::scalar(n)); }

// 0, 1, 2, ... of this shape.
Tensor counted(const Shape& shape, DType dtype = f32) {
  Tensor t({dtype, shape});
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < t.count(); ++i) t.data<T>()[i] = static_cast<T>(i);
  });
  return t;
}

Doubles elements(const Tensor& t) {
  Doubles all;
  dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
    for (const T v : t.span<T>()) all.push_back(static_cast<double>(v));
  });
  return all;
}
Doubles elements(Value v, const Tensors& feeds = {}) { return elements(interpret({v}, feeds)[0]); }

}  // namespace

BOOST_AUTO_TEST_CASE(parts_and_orders) {
  Graph g;
  const Value x = constant(g, counted({2, 3}));
  const Value y = expand_dims(x, 1);
  BOOST_TEST((y.shape() == (Shape{2, 1, 3})));
  BOOST_TEST((expand_dims(x, {0, -1}).shape() == (Shape{1, 2, 3, 1})));
  BOOST_TEST((stack({x, x, x}).shape() == (Shape{3, 2, 3})));
  BOOST_TEST(elements(stack({x, x + 6}, -1)) == (Doubles{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
  BOOST_TEST(elements(split(x, 2, 1)[0]) == (Doubles{0, 1, 3, 4}));
  BOOST_TEST(elements(split(x, 2, 1)[1]) == (Doubles{2, 5}));
  BOOST_TEST(elements(split(x, {1, 2}, -1)[1]) == (Doubles{1, 2, 4, 5}));
  BOOST_TEST(split(x, {3}, 1).size() == 1U);
  BOOST_TEST(elements(split(x, whole(g, {2, 0, 1}), 1)[2]) == (Doubles{2, 5}));
  BOOST_TEST(elements(flip(x, {0, 1})) == (Doubles{5, 4, 3, 2, 1, 0}));
  BOOST_TEST(elements(roll(x, 1, 1)) == (Doubles{2, 0, 1, 5, 3, 4}));
  BOOST_TEST(elements(repeat_interleave(x, 2, 1)) == (Doubles{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
  BOOST_TEST(elements(repeat_interleave(x, 2, -2)) == (Doubles{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
  BOOST_TEST(elements(slice(x, whole(g, {-1}), whole(g, {std::numeric_limits<std::int64_t>::min()}), whole(g, {-2}),
                            {1})) == (Doubles{2, 0, 5, 3}));
  BOOST_TEST(elements(pad(x, {{1, 1}}, {.mode = PadMode::wrap, .axes = {1}})) ==
             (Doubles{2, 0, 1, 2, 0, 5, 3, 4, 5, 3}));
  const Value pads = reshape(whole(g, {0, 0, 1, -1}), {2, 2});
  BOOST_TEST(elements(pad(x, pads, {.fill = constant(g, 7)})) == (Doubles{7, 0, 1, 7, 3, 4}));
}

BOOST_AUTO_TEST_CASE(places_of_elements) {
  Graph g;
  const Value x = constant(g, counted({3, 4}));
  BOOST_TEST(elements(gather(x, whole(g, {-1, 0}), 1)) == (Doubles{3, 0, 7, 4, 11, 8}));
  const Value order = argsort(-x, 1);
  BOOST_TEST(elements(order) == (Doubles{3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0}));
  BOOST_TEST(elements(take_along_axis(x, order, 1)) == (Doubles{3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8}));
  BOOST_TEST(elements(sort(x, 0, true).values) == (Doubles{8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3}));
  BOOST_TEST(elements(top_k(x, 2, 0, false).values) == (Doubles{0, 1, 2, 3, 4, 5, 6, 7}));
  BOOST_TEST(elements(gather_nd(x, constant(g, Tensor::of<std::int64_t>({2, 2}, {0, 1, -1, -1})))) == (Doubles{1, 11}));
  const Value places = whole(g, {1, 1});
  BOOST_TEST(elements(scatter_nd(zeros(g, {3}), expand_dims(places, 1), ones(g, {2}) + 1, ScatterReduction::add)) ==
             (Doubles{0, 4, 0}));
  BOOST_TEST(elements(scatter_elements(zeros(g, {3}), places, constant(g, Tensor::of<float>({2}, {5, 6})))) ==
             (Doubles{0, 6, 0}));
  BOOST_TEST(elements(nonzero(whole(g, {0, 3, 0, 1}))) == (Doubles{1, 3}));
  const Value kept = constant(g, Tensor::of<bool>({3}, {true, false, true}));
  BOOST_TEST(elements(compress(x, kept, 0)) == (Doubles{0, 1, 2, 3, 8, 9, 10, 11}));
  BOOST_TEST(elements(compress(x, kept)) == (Doubles{0, 2}));
  const UniqueResult u = unique(whole(g, {5, 2, 5}));
  BOOST_TEST(elements(u.values) == (Doubles{2, 5}));
  BOOST_TEST(elements(u.counts) == (Doubles{1, 2}));
  const Value lengths = whole(g, {1, 2, 3, 0});
  BOOST_TEST(elements(reverse_sequence(x, lengths)) == (Doubles{0, 5, 10, 3, 4, 1, 6, 7, 8, 9, 2, 11}));
  BOOST_TEST(elements(reverse_sequence(x, whole(g, {4, 1, 2}), 1, 0)) ==
             (Doubles{3, 2, 1, 0, 4, 5, 6, 7, 9, 8, 10, 11}));
}

BOOST_AUTO_TEST_CASE(patterns) {
  Graph g;
  BOOST_TEST(elements(eye(g, 2, 3, 1)) == (Doubles{0, 1, 0, 0, 0, 1}));
  BOOST_TEST(elements(eye(g, 2)) == (Doubles{1, 0, 0, 1}));
  BOOST_TEST(elements(tri(g, 3, 2, -1, i32)) == (Doubles{0, 0, 1, 0, 1, 1}));
  const Value x = constant(g, counted({2, 2, 3}));
  BOOST_TEST(elements(triu(x)) == (Doubles{0, 1, 2, 0, 4, 5, 6, 7, 8, 0, 10, 11}));
  BOOST_TEST(elements(tril(x, -1)) == (Doubles{0, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 0}));
  BOOST_TEST(elements(tril(x, scalar(g, 1))) == (Doubles{0, 1, 0, 3, 4, 5, 6, 7, 0, 9, 10, 11}));
  BOOST_TEST(elements(eye_like(x[0], -1, i64)) == (Doubles{0, 0, 0, 1, 0, 0}));
  BOOST_TEST(elements(full(whole(g, {2, 2}), constant(g, 3, i16))) == (Doubles{3, 3, 3, 3}));
  BOOST_TEST((full(g, {2, 0}, 1.5, f64).type() == (Type{f64, {2, 0}})));
  BOOST_TEST(elements(linspace(g, 1, 2, 5)) == (Doubles{1, 1.25, 1.5, 1.75, 2}));
  BOOST_TEST(elements(linspace(g, 1, 2, 1)) == Doubles{1});
  const std::vector<Value> grid = meshgrid({whole(g, {1, 2}), whole(g, {3, 4, 5})});
  BOOST_TEST(elements(grid[0]) == (Doubles{1, 1, 1, 2, 2, 2}));
  BOOST_TEST(elements(grid[1]) == (Doubles{3, 4, 5, 3, 4, 5}));
  BOOST_TEST((meshgrid({whole(g, {1, 2}), whole(g, {3, 4, 5})}, true)[0].shape() == (Shape{3, 2})));
  const Value labels = constant(g, Tensor::of<float>({3}, {0, -1, 7}));
  const Value hot = one_hot(labels, scalar(g, 3), constant(g, 2), constant(g, 5), 0);
  BOOST_TEST(elements(hot) == (Doubles{5, 2, 2, 2, 2, 2, 2, 5, 2}));
  BOOST_TEST((one_hot(labels, scalar(g, 4), constant(g, 0), constant(g, 1)).shape() == (Shape{3, 4})));
}

BOOST_AUTO_TEST_CASE(pixels_become_channels_and_the_other_way_round) {
  Graph g;
  const Value x = constant(g, counted({1, 4, 1, 2}));
  const DepthOptions first{.channels_first = true}, crd{.blocks_first = false, .channels_first = true};
  BOOST_TEST(elements(depth_to_space(x, 2, first)) == (Doubles{0, 2, 1, 3, 4, 6, 5, 7}));
  const Value z = constant(g, counted({1, 8, 1, 1}));
  BOOST_TEST(elements(depth_to_space(z, 2, first)) == (Doubles{0, 2, 4, 6, 1, 3, 5, 7}));
  BOOST_TEST(elements(depth_to_space(z, 2, crd)) == (Doubles{0, 1, 2, 3, 4, 5, 6, 7}));
  for (const bool blocks_first : {true, false})
    for (const bool channels_first : {true, false}) {
      const DepthOptions options{blocks_first, channels_first};
      const Value image = constant(g, counted({2, 8, 4, 12}));
      const Value there = depth_to_space(image, 2, options);
      BOOST_TEST((there.shape() == (channels_first ? Shape{2, 2, 8, 24} : Shape{2, 16, 8, 3})));
      BOOST_TEST(elements(space_to_depth(there, 2, options)) == elements(image));
      // What is last in one is first in the other: the same by a transposition.
      const Value last = channels_first ? transpose(image, {0, 2, 3, 1}) : transpose(image, {0, 3, 1, 2});
      const Value turned = depth_to_space(last, 2, {blocks_first, !channels_first});
      BOOST_TEST(elements(channels_first ? transpose(turned, {0, 3, 1, 2}) : transpose(turned, {0, 2, 3, 1})) ==
                 elements(there));
    }
}

namespace {

// Of x, f64[any, 4].
std::vector<Value> of_a_free_axis(Value x) {
  Graph& g = x.graph();
  std::vector<Value> all = split(x, 3, 0);
  all.push_back(roll(x, 5, 0));
  all.push_back(flip(x, {0}));
  all.push_back(repeat_interleave(x, 3, 0));
  all.push_back(pad(x, {{2, 3}}, {.mode = PadMode::reflect, .axes = {0}}));
  all.push_back(slice(x, whole(g, {-1}), whole(g, {-100}), whole(g, {-2})));
  all.push_back(triu(x));
  all.push_back(cast(eye_like(x), f64) * x);
  all.push_back(sort(x, 0).values);
  all.push_back(take_along_axis(x, argsort(x * x, 0), 0));
  all.push_back(gather_nd(x, whole(g, {-1})));
  all.push_back(scatter_elements(x, zeros(g, {1, 4}, i64), x[{range(0, 1)}], 0, ScatterReduction::mul));
  all.push_back(full(shape_of(x), constant(g, 2, f64)) * x);
  all.push_back(stack({x, x}));
  all.push_back(dft(expand_dims(x, -1), {.axis = 0}));
  all.push_back(stft(reshape(x, {1, -1, 1}), 3, cast(hann_window(g, 4), f64)));
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(they_follow_a_free_axis_with_any_number_of_threads) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 4});
  std::vector<Value> fetches = of_a_free_axis(x);
  Value loss;
  for (const Value& v : fetches) loss = loss ? loss + sum(square(v)) : sum(square(v));
  fetches.push_back(gradients(loss, {x})[0]);
  for (const int threads : {1, 2, 4, 8}) {
    const Program program = compile(fetches, {.pool = Pool(threads)});
    Store store(g);
    for (const std::int64_t rows : {4, 2, 7, 1}) {
      const Tensor fed = draw({rows, 4}, -1, 1, 7);
      const std::vector<Tensor> got = program.run(store, {{"x", fed}});
      // The same, built for this size.
      Graph h;
      std::vector<Value> fixed = of_a_free_axis(input(h, "x", f64, {rows, 4}));
      const std::vector<Tensor> want = interpret(fixed, {{"x", fed}});
      for (std::size_t i = 0; i < want.size(); ++i)
        BOOST_TEST(same_bits(got[i], want[i]), "value " << i << " of " << rows << " rows by " << threads << " threads");
    }
  }
}

// Large enough for several parts, and indices that repeat.
BOOST_AUTO_TEST_CASE(what_meets_one_element_comes_in_the_order_of_the_indices) {
  constexpr std::int64_t n = 200'000, rows = 3'000;
  Graph g;
  const Value x = input(g, "x", f32, {rows, 7}), updates = input(g, "updates", f32, {n, 7});
  const Value indices = input(g, "indices", i64, {n, 1}), along = input(g, "along", i64, {n, 7});
  std::vector<Value> fetches;
  for (const ScatterReduction r : {ScatterReduction::none, ScatterReduction::add, ScatterReduction::mul,
                                   ScatterReduction::max, ScatterReduction::min}) {
    fetches.push_back(scatter_nd(x, indices, updates, r));
    const std::vector<Value> slopes = gradients(sum(square(fetches.back())), {x, updates});
    fetches.insert(fetches.end(), slopes.begin(), slopes.end());
  }
  fetches.push_back(scatter_elements(zeros_like(updates), along, updates, 0, ScatterReduction::add));
  Tensor places({i64, {n, 1}}), all({i64, {n, 7}});
  const Tensor drawn = draw({n, 7}, 0, 1, 3);
  for (std::int64_t i = 0; i < 7 * n; ++i) {
    const double u = drawn.data<double>()[i];
    all.data<std::int64_t>()[i] = static_cast<std::int64_t>(u * n);
    if (i < n) places.data<std::int64_t>()[i] = static_cast<std::int64_t>(u * 2 * rows) - rows;
  }
  const auto f32_of = [](const Tensor& t) {
    Tensor y({f32, t.shape()});
    for (std::int64_t i = 0; i < t.count(); ++i) y.data<float>()[i] = static_cast<float>(t.data<double>()[i]);
    return y;
  };
  const Tensors feeds{{"x", f32_of(draw({rows, 7}, 0.9, 1.1, 1))},
                      {"updates", f32_of(draw({n, 7}, 0.9, 1.1, 2))},
                      {"indices", places},
                      {"along", all}};
  const std::vector<Tensor> want = interpret(fetches, feeds);
  for (const int threads : {1, 2, 4}) {
    Store store(g);
    const std::vector<Tensor> got = compile(fetches, {.pool = Pool(threads)}).run(store, feeds);
    for (std::size_t i = 0; i < want.size(); ++i)
      BOOST_TEST(same_bits(got[i], want[i]), "value " << i << " by " << threads << " threads");
  }
}

BOOST_AUTO_TEST_CASE(every_dtype_moves) {
  for (const DType dtype : all_dtypes) {
    if (dtype == boolean) continue;
    Graph g;
    const Value x = constant(g, counted({2, 3}, dtype)),
                indices = constant(g, Tensor::of<std::int32_t>({2, 1}, {2, -3}));
    BOOST_TEST(elements(take_along_axis(x, indices, 1)) == (Doubles{2, 3}), name(dtype));
    BOOST_TEST(elements(flip(x, {1})) == (Doubles{2, 1, 0, 5, 4, 3}), name(dtype));
    BOOST_TEST(elements(pad(x, {{0, 0}, {1, 0}}, 9)) == (Doubles{9, 0, 1, 2, 9, 3, 4, 5}), name(dtype));
    BOOST_TEST(elements(sort(x, 0, true).values) == (Doubles{3, 4, 5, 0, 1, 2}), name(dtype));
    BOOST_TEST(elements(triu(x)) == (Doubles{0, 1, 2, 0, 4, 5}), name(dtype));
    BOOST_TEST(elements(scatter_elements(x, indices, full_like(x[{range(), range(0, 1)}], 7), 1,
                                         ScatterReduction::max)) == (Doubles{0, 1, 7, 7, 4, 5}),
               name(dtype));
    BOOST_TEST(elements(unique(x).counts).size() == 6U, name(dtype));
    const Value start = constant(g, 1, dtype), limit = constant(g, 6, dtype), step = constant(g, 2, dtype);
    BOOST_TEST(elements(arange(start, limit, step)) == (Doubles{1, 3, 5}), name(dtype));
  }
}

BOOST_AUTO_TEST_CASE(truth_values_move) {
  Graph g;
  const Value x = constant(g, Tensor::of<bool>({2, 2}, {true, true, false, true}));
  BOOST_TEST(elements(triu(x)) == (Doubles{1, 1, 0, 1}));
  BOOST_TEST(elements(sort(x, 1).values) == (Doubles{1, 1, 0, 1}));
  BOOST_TEST(elements(roll(x, 1, 0)) == (Doubles{0, 1, 1, 1}));
  BOOST_TEST(elements(pad(x, {{0, 0}, {1, 0}})) == (Doubles{0, 1, 1, 0, 0, 1}));
  BOOST_TEST(elements(nonzero(x)) == (Doubles{0, 0, 1, 0, 1, 1}));
  BOOST_TEST(elements(unique(x).values) == (Doubles{0, 1}));
  BOOST_TEST(elements(one_hot(constant(g, Tensor::scalar(std::int64_t{1})), scalar(g, 2), constant(g, 0, boolean),
                              constant(g, 1, boolean))) == (Doubles{0, 1}));
}

BOOST_AUTO_TEST_CASE(refusals_of_indexing_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3}), places = input(g, "places", i64, {2, 1});
  says([&] { expand_dims(x, 3); }, "expand_dims: the result, with 3 axes, has no axis 3");
  says([&] { split(x, 0, 1); }, "split: x cannot be split into 0 parts");
  says([&] { split(x, {1, 1}, 1); }, "Give the size of each part; their sum is 3");
  says([&] { pad(x, {{-4, 0}}, {.axes = {1}}); }, "cuts off more than there is");
  says(
      [&] {
        pad(slice(x, 1, 0, 0), {{1, 0}}, {.mode = PadMode::edge, .axes = {1}});
      },
      "pad: an axis without elements is padded with its own");
  says([&] { take_along_axis(x, places, 0); }, "no error");
  says([&] { take_along_axis(x, x, 0); }, "indices are f32");
  says([&] { gather_nd(x, places, 2); }, "gather_nd: indices have the shape [2, 1] with 2 batch axes");
  says([&] { scatter_nd(x, places, x[{range(0, 1)}]); }, "but what is read at the indices has [2, 3]");
  says([&] { nonzero(x); }, "nonzero: the value of x must be known before the graph runs, but depends on the input x");
  says([&] { compress(x, greater(x[0], 0)); }, "depends on the input x");
  says([&] { triu(x[0]); }, "triu: x is f32[3]\n");
  says([&] { sort(x, 2); }, "sort: ");
  says([&] { dft(x, {}); }, "dft: x is f32[2, 3]");
  says([&] { hann_window(x); }, "hann_window: size is f32[2, 3]");
  Store store(g);
  const Value y = gather_nd(x, places);
  const std::string failed = message([&] {
    compile({y}).run(store, {{"x", counted({2, 3})}, {"places", Tensor::of<std::int64_t>({2, 1}, {0, 2})}});
  });
  BOOST_TEST(has(failed, "index 2 at [1, 0] is out of range"), failed);
  BOOST_TEST(has(failed, "It must lie in -2 to 1"), failed);
}

BOOST_AUTO_TEST_SUITE_END()
