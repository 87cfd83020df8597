// Layers for images, beyond Conv2D: the graphs that they stand for, shared weights, gradients, their summary, and what
// they refuse.
#include <oxbow/graph/text.h>
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_images)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string type_text(const Value& v) { return to_string(v.type()); }

// Two calls of a layer, on images of different batches, and their gradients to its variables and to both.
void check_shared(const Layer& layer, Value x, Value y, const Tensors& feeds) {
  const Value a = layer(x), b = layer(y);
  std::vector<Value> all = layer.variables();
  const std::size_t own = all.size();
  all.insert(all.end(), {x, y});
  check_gradients(concat({a, b}), all, feeds);
  BOOST_TEST(layer.variables().size() == own);
  on_all_threads({a, b}, feeds);
}

struct Images {
  Graph g;
  Value x = input(g, "x", f64, {any(2), 5, 4, 3}), y = input(g, "y", f64, {any(1), 5, 4, 3});
  Tensors feeds{{"x", draw({2, 5, 4, 3}, -1, 1, 1)}, {"y", draw({1, 5, 4, 3}, -1, 1, 2)}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_depthwise_layer) {
  Images i;
  const DepthwiseConv2D each(
      {.stride = 2, .depth_multiplier = 2, .activation = tanh, .bias_init = init::constant(0.1)});
  check_shared(each, i.x, i.y, i.feeds);
  BOOST_TEST(each.name() == "depthwise_conv");
  BOOST_TEST(type_text(each.kernel()) == "f64[3, 3, 3, 2]");
  BOOST_TEST(type_text(each.bias()) == "f64[6]");
  const Value by_hand = tanh(depthwise_conv2d(i.x, each.kernel(), {.stride = 2}) + each.bias());
  const std::vector<Tensor> t = on_all_threads({each(i.x), by_hand}, {{"x", i.feeds.at("x")}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(to_string(t[0].shape()) == "[2, 3, 2, 6]");
}

BOOST_AUTO_TEST_CASE(a_separable_layer) {
  Images i;
  const SeparableConv2D both(4, {.padding = Padding::valid, .depth_multiplier = 2, .activation = tanh});
  check_shared(both, i.x, i.y, i.feeds);
  BOOST_TEST(both.name() == "separable_conv");
  BOOST_TEST(type_text(both.depthwise_kernel()) == "f64[3, 3, 3, 2]");
  BOOST_TEST(type_text(both.pointwise_kernel()) == "f64[1, 1, 6, 4]");
  BOOST_TEST(both.parameter_count() == 54 + 24 + 4);
  const Value each = depthwise_conv2d(i.x, both.depthwise_kernel(), {.padding = Padding::valid});
  const Value by_hand = tanh(conv2d(each, both.pointwise_kernel()) + both.bias());
  const std::vector<Tensor> t = on_all_threads({both(i.x), by_hand}, {{"x", i.feeds.at("x")}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(to_string(t[0].shape()) == "[2, 3, 2, 4]");
}

BOOST_AUTO_TEST_CASE(a_transposed_layer) {
  Images i;
  const Conv2DTranspose larger(2, {.stride = 2, .activation = tanh});
  check_shared(larger, i.x, i.y, i.feeds);
  BOOST_TEST(larger.name() == "conv_transpose");
  BOOST_TEST(type_text(larger.kernel()) == "f64[3, 3, 2, 3]");
  const Value by_hand = tanh(conv2d_transpose(i.x, larger.kernel(), {.stride = 2}) + larger.bias());
  const std::vector<Tensor> t = on_all_threads({larger(i.x), by_hand}, {{"x", i.feeds.at("x")}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(to_string(t[0].shape()) == "[2, 10, 8, 2]");
  BOOST_TEST(type_text(Conv2DTranspose(2, {.size = 4, .stride = 2, .padding = 1})(i.x)) == "f64[2, 10, 8, 2]");
  BOOST_TEST(type_text(Conv2DTranspose(2, {.stride = 2, .output_padding = 0})(i.x)) == "f64[2, 9, 7, 2]");
}

BOOST_AUTO_TEST_CASE(a_layer_for_sequences) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), any(6), 4}), y = input(g, "y", f64, {any(1), any(6), 4});
  const Tensors feeds{{"x", draw({2, 6, 4}, -1, 1, 1)}, {"y", draw({1, 6, 4}, -1, 1, 2)}};
  const Conv1D layer(6, {.stride = 2, .groups = 2, .activation = tanh});
  check_shared(layer, x, y, feeds);
  BOOST_TEST(layer.name() == "conv1d");
  BOOST_TEST(type_text(layer.kernel()) == "f64[3, 2, 6]");
  const Value by_hand = tanh(conv1d(x, layer.kernel(), {.stride = 2, .groups = 2}) + layer.bias());
  const std::vector<Tensor> t = on_all_threads({layer(x), by_hand}, {{"x", feeds.at("x")}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(to_string(t[0].shape()) == "[2, 3, 6]");

  // Causal: what comes later changes nothing.
  const Value causal = Conv1D(3, {.padding = Padding(0, 0, 4, 0), .dilation = 2})(x);
  const Value before = gradients(sum(causal[{range(), range(0, 3)}]), {x})[0];
  const Tensor slope = on_all_threads({before}, {{"x", draw({2, 9, 4}, -1, 1, 1)}})[0];
  BOOST_TEST(to_string(slope.shape()) == "[2, 9, 4]");
  for (std::int64_t i = 0; i < slope.count(); ++i) BOOST_TEST((slope.data<double>()[i] == 0) == (i / 4 % 9 > 2), i);
}

BOOST_AUTO_TEST_CASE(dilation_and_groups_of_a_convolution) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 5, 4, 4}), y = input(g, "y", f64, {any(1), 5, 4, 4});
  const Conv2D layer(6, {.padding = Padding::same, .dilation = 2, .groups = 2, .activation = tanh});
  check_shared(layer, x, y, {{"x", draw({2, 5, 4, 4}, -1, 1, 1)}, {"y", draw({1, 5, 4, 4}, -1, 1, 2)}});
  BOOST_TEST(type_text(layer.kernel()) == "f64[3, 3, 2, 6]");
}

BOOST_AUTO_TEST_CASE(their_summary) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 8, 8, 4});
  Value h = DepthwiseConv2D()(x);
  h = SeparableConv2D(8, {.name = "mixed"})(h);
  h = DepthwiseConv2D({.stride = 2, .name = "each"})(h);
  h = Conv2DTranspose(3, {.stride = 2, .name = "larger"})(h);
  h = Conv1D(5, {.size = 1, .name = "steps"})(reshape(h, {0, 64, 3}));
  BOOST_TEST(summary(g) ==
             "Layer (kind)                      Output           Parameters\n"
             "=============================================================\n"
             "depthwise_conv (DepthwiseConv2D)  f32[2, 8, 8, 4]          40\n"
             "mixed (SeparableConv2D)           f32[2, 8, 8, 8]          76\n"
             "each (DepthwiseConv2D)            f32[2, 4, 4, 8]          80\n"
             "larger (Conv2DTranspose)          f32[2, 8, 8, 3]         219\n"
             "steps (Conv1D)                    f32[2, 64, 5]            20\n"
             "=============================================================\n"
             "Parameters: 435, trainable 435, not trainable 0\n");
}

BOOST_AUTO_TEST_CASE(max_pool_as_a_layer_is_the_function) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 5, 4, 3});
  const Value halves = MaxPool2D()(x), rows = MaxPool2D({.size = 3, .stride = 1})(x);
  BOOST_TEST(type_text(halves) == "f64[2, 2, 2, 3]");
  BOOST_TEST(type_text(rows) == "f64[2, 3, 2, 3]");
  const Tensors feeds{{"x", draw({2, 5, 4, 3}, -1, 1, 1)}};
  const std::vector<Tensor> t =
      on_all_threads({halves, max_pool(x), rows, max_pool(x, {.size = 3, .stride = 1})}, feeds);
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(same_bits(t[2], t[3]));
  BOOST_TEST(has(message([&] { MaxPool2D({.size = 6})(x); }), "max_pool: "));
}

BOOST_AUTO_TEST_CASE(what_they_refuse) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 10}), image = input(g, "image", f32, {any(2), 5, 4, 3});
  BOOST_TEST(has(message([&] { DepthwiseConv2D()(x); }), "depthwise_conv: x has 2 axes, fewer than 4"));
  BOOST_TEST(has(message([&] { SeparableConv2D(0)(image); }), "separable_conv: it cannot have 0 filters"));
  BOOST_TEST(has(message([&] { DepthwiseConv2D({.depth_multiplier = 0})(image); }),
                 "depthwise_conv: it cannot have 0 kernels a channel"));
  BOOST_TEST(has(message([&] { Conv1D(4)(x); }), "conv1d: x has 2 axes, fewer than 3"));
  BOOST_TEST(has(message([&] { Conv2DTranspose(4, {.size = 0})(image); }),
                 "conv_transpose: it cannot have 0 rows and columns of its window"));
  BOOST_TEST(has(message([&] { Conv2D(4, {.groups = 0})(image); }), "conv: it cannot have 0 groups"));
  BOOST_TEST(variables(g).empty());  // what was refused made nothing
  BOOST_TEST(message([&] { DepthwiseConv2D({.stride = 0})(image); }) ==
             "depthwise_conv: the stride is 0\n  x: f32[2, 5, 4, 3] from image\n"
             "  weights: f32[3, 3, 1, 3] from depthwise_conv/reshape_3\n  at HERE\n  in scope depthwise_conv\n"
             "  It is at least 1 and at most 1073741824");
  BOOST_TEST(has(message([&] { Conv2DTranspose(4, {.stride = 2, .output_padding = 2})(image); }),
                 "conv_transpose: the output padding is 2 and the stride 2\n"));
}

BOOST_AUTO_TEST_SUITE_END()
