// Convolution of volumes: against plain loops, its gradients, free axes, the layer, and what it refuses.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_conv3d)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// y [n, od, oh, ow, k] of x and w by its definition; `before` is the padding before each axis.
double element(const Tensor& x, const Tensor& w, const Conv3dOptions& o, std::int64_t n, const std::int64_t (&place)[3],
               std::int64_t kernel, const std::int64_t (&before)[3]) {
  const Shape &xs = x.shape(), &ws = w.shape();
  const std::int64_t each = ws[3], first = kernel / (ws[4] / o.groups) * each;
  double sum = 0;
  for (std::int64_t a = 0; a < ws[0]; ++a)
    for (std::int64_t b = 0; b < ws[1]; ++b)
      for (std::int64_t c = 0; c < ws[2]; ++c) {
        const std::int64_t at[] = {place[0] * o.stride.through() + a * o.dilation.through() - before[0],
                                   place[1] * o.stride.down() + b * o.dilation.down() - before[1],
                                   place[2] * o.stride.across() + c * o.dilation.across() - before[2]};
        if (at[0] < 0 || at[0] >= xs[1] || at[1] < 0 || at[1] >= xs[2] || at[2] < 0 || at[2] >= xs[3]) continue;
        for (std::int64_t k = 0; k < each; ++k)
          sum += x.data<double>()[(((n * xs[1] + at[0]) * xs[2] + at[1]) * xs[3] + at[2]) * xs[4] + first + k] *
                 w.data<double>()[(((a * ws[1] + b) * ws[2] + c) * each + k) * ws[4] + kernel];
      }
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_what_plain_loops_compute) {
  struct Case {
    Shape x, w;
    Conv3dOptions options;
    Shape y;
    std::int64_t before[3];
  };
  const Case cases[] = {{{2, 4, 5, 3, 2}, {3, 3, 3, 2, 3}, {}, {2, 4, 5, 3, 3}, {1, 1, 1}},
                        {{1, 4, 5, 6, 2}, {2, 3, 1, 2, 3}, {.stride = 2}, {1, 2, 3, 3, 3}, {0, 1, 0}},
                        {{2, 5, 4, 5, 1}, {2, 3, 2, 1, 2}, {.padding = Padding::valid}, {2, 4, 2, 4, 2}, {0, 0, 0}},
                        {{1, 4, 4, 3, 2}, {2, 2, 2, 2, 1}, {.padding = 2}, {1, 7, 7, 6, 1}, {2, 2, 2}},
                        {{1, 5, 5, 5, 4}, {2, 2, 2, 2, 6}, {.dilation = 2, .groups = 2}, {1, 5, 5, 5, 6}, {1, 1, 1}},
                        {{1, 5, 6, 7, 2},
                         {2, 3, 2, 2, 2},
                         {.stride = {1, 2, 3}, .padding = Padding(1, 0, 0, 2, 1, 1), .dilation = {3, 1, 2}},
                         {1, 3, 3, 3, 2},
                         {1, 0, 1}},
                        {{0, 3, 3, 3, 1}, {2, 2, 2, 1, 1}, {}, {0, 3, 3, 3, 1}, {0, 0, 0}}};
  for (const Case& c : cases) {
    Graph g;
    const Value x = input(g, "x", f64, {any(1), c.x[1], c.x[2], c.x[3], c.x[4]}), w = input(g, "w", f64, c.w);
    const Value y = conv3d(x, w, c.options);
    const Tensors feeds{{"x", draw(c.x, -1, 1, 1)}, {"w", draw(c.w, -1, 1, 2)}};
    const Tensor t = on_all_threads({y}, feeds)[0];
    BOOST_REQUIRE(to_string(t.type()) == "f64" + to_string(c.y));
    std::int64_t i = 0;
    for (std::int64_t n = 0; n < c.y[0]; ++n)
      for (std::int64_t d = 0; d < c.y[1]; ++d)
        for (std::int64_t row = 0; row < c.y[2]; ++row)
          for (std::int64_t column = 0; column < c.y[3]; ++column)
            for (std::int64_t k = 0; k < c.y[4]; ++k, ++i)
              BOOST_TEST(std::abs(t.data<double>()[i] - element(feeds.at("x"), feeds.at("w"), c.options, n,
                                                                {d, row, column}, k, c.before)) < 1e-12,
                         to_string(c.w) << " at " << i);
  }
}

BOOST_AUTO_TEST_CASE(its_gradients_are_those_of_differences) {
  for (const Conv3dOptions& o : {Conv3dOptions{}, Conv3dOptions{.stride = 2, .groups = 2}}) {
    Graph g;
    const Value x = input(g, "x", f64, {any(2), 3, 4, 2, 4}), w = input(g, "w", f64, {2, 3, 2, 4 / o.groups, 2});
    const Tensors feeds{{"x", draw({2, 3, 4, 2, 4}, -1, 1, 1)}, {"w", draw(w.shape(), -1, 1, 2)}};
    check_gradients(conv3d(x, w, o), {x, w}, feeds);
  }
}

BOOST_AUTO_TEST_CASE(all_axes_but_the_channels_may_be_free) {
  Graph g;
  const Value x = input(g, "x", f64, {any(1), any(3), any(4), any(5), 2}), w = input(g, "w", f64, {2, 2, 2, 2, 3});
  const Value y = conv3d(x, w), valid = conv3d(x, w, {.stride = 2, .padding = Padding::valid});
  Store store(g);
  const auto t =
      compile({y, valid}).run(store, {{"x", draw({3, 6, 5, 4, 2}, -1, 1, 1)}, {"w", draw({2, 2, 2, 2, 3}, -1, 1, 2)}});
  BOOST_TEST(to_string(t[0].type()) == "f64[3, 6, 5, 4, 3]");
  BOOST_TEST(to_string(t[1].type()) == "f64[3, 3, 2, 2, 3]");
}

BOOST_AUTO_TEST_CASE(the_layer_is_the_function_with_a_bias) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3, 4, 4, 2});
  const Conv3D layer(5, {.activation = relu});
  const Value y = layer(x), by_hand = relu(conv3d(x, layer.kernel()) + layer.bias());
  BOOST_TEST(to_string(layer.kernel().type()) == "f32[3, 3, 3, 2, 5]");
  BOOST_TEST(layer.name() == "conv3d");
  const std::vector<Tensor> t = on_all_threads({y, by_hand}, {{"x", draw({2, 3, 4, 4, 2}, -1, 1, 1, f32)}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(has(summary(g), "conv3d (Conv3D)  f32[2, 3, 4, 4, 5]         275\n"), summary(g));
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3, 4, 4, 2}), w = input(g, "w", f32, {3, 3, 3, 2, 4}),
              image = input(g, "image", f32, {any(2), 4, 4, 2});
  const auto refused = [&](const Conv3dOptions& o) { return message([&] { conv3d(x, w, o); }); };
  BOOST_TEST(message([&] { conv3d(image, w); }) ==
             "conv3d: x has 4 axes, not 5\n  x: f32[2, 4, 4, 2] from image\n  weights: f32[3, 3, 3, 2, 4] from w\n"
             "  at HERE\n  Give [n, d, h, w, channels]");
  BOOST_TEST(has(refused({.groups = 2}), "x has 2 channels and the weights take 2 in each of 2 groups"));
  BOOST_TEST(has(refused({.groups = 0}), "in each of 0 groups"));
  BOOST_TEST(has(refused({.stride = 0}), "the stride is 0, and 3 taps are 1 apart"));
  BOOST_TEST(has(refused({.dilation = std::int64_t{1} << 40}), "All are at least 1"));
  BOOST_TEST(has(refused({.padding = {-1, 0, 0, 0, 0, 0}}), "its padding is -1 and 0 slices"));
  BOOST_TEST(has(refused({.stride = {1, 2}}), "[1, 2] is of two axes"));
  BOOST_TEST(has(refused({.padding = Padding::valid, .dilation = 2}),
                 "kernels of a depth of 5 do not fit into padded volumes of 3"));
  BOOST_TEST(has(message([&] { Conv3D(0)(x); }), "conv3d: it cannot have 0 filters"));
  BOOST_TEST(has(message([&] { Conv3D(4)(image); }), "conv3d: x has 4 axes, fewer than 5"));
}

BOOST_AUTO_TEST_SUITE_END()
