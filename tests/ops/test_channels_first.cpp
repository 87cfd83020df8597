// Image functions in both data formats, with biases, and one number for each axis: against the same of channels last.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_channels_first)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr DataFormat first = channels_first;

std::vector<std::int64_t> to_last(int rank) {
  return rank == 3   ? std::vector<std::int64_t>{0, 2, 1}
         : rank == 4 ? std::vector<std::int64_t>{0, 2, 3, 1}
                     : std::vector<std::int64_t>{0, 2, 3, 4, 1};
}
std::vector<std::int64_t> weights_to_last(int rank) {
  return rank == 3   ? std::vector<std::int64_t>{2, 1, 0}
         : rank == 4 ? std::vector<std::int64_t>{2, 3, 1, 0}
                     : std::vector<std::int64_t>{2, 3, 4, 1, 0};
}

struct Formats {
  Graph g;
  Value x, w, b;
  Tensors feeds;
  Formats(const Shape& xs, const Shape& ws, std::int64_t biases) {
    x = input(g, "x", f64, xs);
    w = input(g, "w", f64, ws);
    b = input(g, "b", f64, {biases});
    feeds = {{"x", draw(xs, -1, 1, 1)}, {"w", draw(ws, -1, 1, 2)}, {"b", draw({biases}, -1, 1, 3)}};
  }
  void check(Value y, Value last) {
    const auto t = on_all_threads({transpose(y, to_last(y.rank())), last + b}, feeds);
    BOOST_TEST(t[0].shape() == t[1].shape());
    for (std::int64_t i = 0; i < t[0].count(); ++i)
      BOOST_TEST(std::abs(t[0].data<double>()[i] - t[1].data<double>()[i]) < 1e-12);
    check_gradients(y, {x, w, b}, feeds);
  }
  Value last() { return transpose(x, to_last(x.rank())); }
  Value weights() { return transpose(w, weights_to_last(w.rank())); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(convolutions) {
  Formats one({2, 4, 7}, {6, 2, 3}, 6);
  one.check(conv1d(one.x, one.w,
                   {.stride = 2, .padding = Padding(0, 0, 2, 0), .groups = 2, .bias = one.b, .data_format = first}),
            conv1d(one.last(), one.weights(), {.stride = 2, .padding = Padding(0, 0, 2, 0), .groups = 2}));
  Formats two({2, 3, 6, 5}, {4, 3, 2, 3}, 4);
  const Conv2dOptions o{.stride = {1, 2}, .padding = Padding(1, 0, 2, 1), .dilation = {2, 1}};
  Conv2dOptions f = o;
  f.bias = two.b, f.data_format = first;
  two.check(conv2d(two.x, two.w, f), conv2d(two.last(), two.weights(), o));
  Formats three({1, 2, 4, 3, 5}, {3, 2, 2, 3, 2}, 3);
  const Conv3dOptions p{.stride = {2, 1, 2}, .padding = Padding(1, 1, 0, 1, 1, 0), .dilation = {1, 1, 2}};
  Conv3dOptions q = p;
  q.bias = three.b, q.data_format = first;
  three.check(conv3d(three.x, three.w, q), conv3d(three.last(), three.weights(), p));
}

BOOST_AUTO_TEST_CASE(transposed_convolutions) {
  Formats one({2, 4, 5}, {4, 3, 3}, 6);
  const Conv1dTransposeOptions o{.stride = 2, .padding = Padding(0, 0, 1, 0), .groups = 2, .output_padding = 1};
  Conv1dTransposeOptions f = o;
  f.bias = one.b, f.data_format = first;
  one.check(conv1d_transpose(one.x, one.w, f), conv1d_transpose(one.last(), one.weights(), o));
  Formats two({1, 3, 4, 3}, {3, 2, 3, 2}, 2);
  const Conv2dTransposeOptions p{.stride = {3, 2}, .padding = Padding::valid, .output_shape = {13, 7}};
  Conv2dTransposeOptions q = p;
  q.bias = two.b, q.data_format = first;
  BOOST_TEST(to_string(conv2d_transpose(two.x, two.w, q).type()) == "f64[1, 2, 13, 7]");
  two.check(conv2d_transpose(two.x, two.w, q), conv2d_transpose(two.last(), two.weights(), p));
}

BOOST_AUTO_TEST_CASE(transposed_convolutions_of_volumes_are_adjoints) {
  for (const std::int64_t groups : {1, 2})
    for (const PerAxis& stride : {PerAxis(1), PerAxis({2, 1, 3})})
      for (const Padding& padding : {Padding(Padding::valid), Padding(1, 0, 0, 1, 1, 1)}) {
        Graph g;
        const Value v = input(g, "v", f64, {1, 5, 4, 6, 2}), w = input(g, "w", f64, {2, 3, 2, 2 / groups, 4});
        const Conv3dOptions o{.stride = stride, .padding = padding, .dilation = {2, 1, 1}, .groups = groups};
        const Value y = conv3d(v, w, o), x = input(g, "x", f64, y.shape());
        const Value back = conv3d_transpose(
            x, w, {.stride = stride, .padding = padding, .dilation = {2, 1, 1}, .groups = groups, .output_shape = {}});
        // <conv(v), x> = <v, transposed(x)>, where the volumes are those that it gives.
        const Shape s = back.shape();
        if (s != v.shape()) {
          BOOST_TEST(s[1] <= 5);
          continue;
        }
        const Tensors feeds{{"w", draw(w.shape(), -1, 1, 2)}, {"x", draw(x.shape(), -1, 1, 3)}};
        Tensors all = feeds;
        all.emplace("v", draw(v.shape(), -1, 1, 1));
        const auto t = on_all_threads({sum(y * x), sum(v * back)}, all);
        BOOST_TEST(std::abs(t[0].item<double>() - t[1].item<double>()) < 1e-11);
        check_gradients(back, {x, w}, feeds);
      }
  Formats f({1, 2, 3, 2, 2}, {2, 3, 2, 2, 2}, 3);
  const Value y =
      conv3d_transpose(f.x, f.w, {.stride = 2, .padding = 0, .output_padding = 1, .bias = f.b, .data_format = first});
  BOOST_TEST(to_string(y.type()) == "f64[1, 3, 7, 5, 5]");
  f.check(y, conv3d_transpose(f.last(), f.weights(), {.stride = 2, .padding = 0, .output_padding = 1}));
}

BOOST_AUTO_TEST_CASE(pools) {
  for (const Shape& s : {Shape{2, 3, 9}, Shape{2, 3, 7, 6}, Shape{1, 2, 5, 4, 6}}) {
    Graph g;
    const Value x = input(g, "x", f64, s), last = transpose(x, to_last(s.rank()));
    const auto back = [&](Value v) { return transpose(v, to_last(s.rank())); };
    const Value max_ = max_pool(x, {.size = 3, .stride = 2, .padding = 1, .ceil_mode = true, .data_format = first});
    const Value mean_ = average_pool(x, {.size = 2, .padding = 1, .count_include_pad = true, .data_format = first});
    const Value lp = lp_pool(x, {.p = 3, .size = 2, .data_format = first});
    const Value all = global_lp_pool(x, 2, first);
    const auto t = on_all_threads(
        {back(max_), max_pool(last, {.size = 3, .stride = 2, .padding = 1, .ceil_mode = true}), back(mean_),
         average_pool(last, {.size = 2, .padding = 1, .count_include_pad = true}), back(lp),
         lp_pool(last, {.p = 3, .size = 2}), back(all), global_lp_pool(last), back(global_max_pool(x, first)),
         global_max_pool(last), back(global_average_pool(x, first)), global_average_pool(last)},
        {{"x", draw(s, -1, 1, 1)}});
    for (std::size_t i = 0; i < t.size(); i += 2) BOOST_TEST(same_bits(t[i], t[i + 1]), "pool " << i / 2);
    for (const Value& y : {max_, mean_, lp, all}) check_gradients(y, {x}, {{"x", draw(s, -1, 1, 1)}});
  }
}

BOOST_AUTO_TEST_CASE(a_pool_and_back) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3, 6, 4});
  for (const DataFormat format : {channels_first, channels_last}) {
    const MaxPoolResult p = max_pool_with_indices(x, {.size = 2, .data_format = format});
    const Value up = max_unpool(p.values, p.indices, {2, 3, 6, 4});
    const Value seen = where(equal(up, 0), 0, up - x);  // what is there is where it was
    const auto t = on_all_threads({max(abs(seen)), sum(up), sum(p.values)}, {{"x", draw({2, 3, 6, 4}, 0.5, 1, 1)}});
    BOOST_TEST(t[0].item<double>() == 0);
    BOOST_TEST(std::abs(t[1].item<double>() - t[2].item<double>()) < 1e-12);
    check_gradients(up, {x}, {{"x", draw({2, 3, 6, 4}, 0.5, 1, 1)}});
  }
}

BOOST_AUTO_TEST_CASE(columns_to_images) {
  // The sum over windows of what they took out counts each pixel as often as it is in a window.
  Graph g;
  const Value x = input(g, "x", f64, {any(1), 8, 9});
  const Value y = col2im(x, {4, 4}, {2, 2}, {});
  BOOST_TEST(to_string(y.type()) == "f64[1, 2, 4, 4]");
  Store store(g);
  const Tensor t = compile({y}).run(store, {{"x", Tensor::of<double>({1, 8, 9}, std::vector<double>(72, 1.0))}})[0];
  const double counts[] = {1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1};
  for (int i = 0; i < 32; ++i) BOOST_TEST(t.data<double>()[i] == counts[i % 16]);
  check_gradients(y, {x}, {{"x", draw({1, 8, 9}, -1, 1, 1)}});
  BOOST_TEST(has(message([&] { col2im(x, {5, 4}, {2, 2}); }), "the image has [4, 3] windows"));
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 6, 6}), w = input(g, "w", f32, {4, 3, 3, 3}), b = input(g, "b", f32, {3});
  BOOST_TEST(has(message([&] { conv2d(x, w, {.bias = b, .data_format = first}); }), "the bias is f32[3]"));
  BOOST_TEST(has(message([&] {
                   conv2d(x, w, {.stride = {1, 2, 3}, .data_format = first});
                 }),
                 "the stride is [1, 2, 3]"));
  BOOST_TEST(has(message([&] { max_pool(x, {.size = 9}); }), "a window of 9 does not fit into images of [3, 6]"));
  BOOST_TEST(has(message([&] { max_pool(x, {.size = {1, 2, 3}}); }), "the size is [1, 2, 3]"));
  BOOST_TEST(has(message([&] { average_pool(b); }), "x has 1 axes where"));
  BOOST_TEST(has(message([&] { lp_pool(x, {.p = 0}); }), "p is 0"));
  BOOST_TEST(has(message([&] { global_max_pool(b); }), "global_max_pool: x is f32[3]"));
  BOOST_TEST(has(message([&] { max_unpool(x, b, {2, 3}); }), "Give an index for each element"));
  BOOST_TEST(has(message([&] { PerAxis({1, 2, 3, 4}); }), "not 4"));
}

BOOST_AUTO_TEST_SUITE_END()
