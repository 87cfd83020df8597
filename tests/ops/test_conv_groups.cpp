// Convolutions of groups and with a kernel a channel: every kernel path, at the edges of its blocks, against plain
// loops; the same bits in any batch and on any number of threads; and what their errors say.
// Labels: levels.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"
#include "support/run_op.h"

BOOST_AUTO_TEST_SUITE(test_conv_groups)

using namespace oxbow;
using namespace oxbow::ops;
using namespace oxbow::test;

namespace {

struct Case {
  Shape x, w;
  ConvAttributes options;
  ConvShape shape() const { return conv_shape(x, w, options); }
};

struct Plain {
  std::vector<double> y, dx, dw;
};

template <class T>
std::vector<double> doubles(const Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.count()};
}
std::vector<double> doubles(const Tensor& t) { return t.dtype() == f32 ? doubles<float>(t) : doubles<double>(t); }

Plain plain(const Case& c, const Tensor& x_, const Tensor& w_, const Tensor& dy_) {
  const ConvShape s = c.shape();
  const std::vector<double> x = doubles(x_), w = doubles(w_), dy = doubles(dy_);
  Plain p{std::vector<double>(dy.size()), std::vector<double>(x.size()), std::vector<double>(w.size())};
  const std::int64_t inside = s.channels / s.groups, each = s.kernels / s.groups;
  for (std::int64_t n = 0; n < s.images; ++n)
    for (std::int64_t i = 0; i < s.rows * s.columns; ++i)
      for (std::int64_t tap = 0; tap < s.kh * s.kw; ++tap) {
        const std::int64_t row = i / s.columns * s.stride.down + tap / s.kw * s.dilation.down - s.top;
        const std::int64_t column = i % s.columns * s.stride.across + tap % s.kw * s.dilation.across - s.left;
        if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
        for (std::int64_t k = 0; k < s.kernels; ++k)
          for (std::int64_t j = 0; j < inside; ++j) {
            const auto at_x = static_cast<std::size_t>(((n * s.height + row) * s.width + column) * s.channels +
                                                       k / each * inside + j);
            const auto at_y = static_cast<std::size_t>((n * s.rows * s.columns + i) * s.kernels + k);
            const auto at_w = static_cast<std::size_t>((tap * inside + j) * s.kernels + k);
            p.y[at_y] += x[at_x] * w[at_w];
            p.dx[at_x] += dy[at_y] * w[at_w];
            p.dw[at_w] += dy[at_y] * x[at_x];
          }
      }
  return p;
}

double error(const Tensor& got, const std::vector<double>& wanted) {
  const std::vector<double> values = doubles(got);
  BOOST_REQUIRE(values.size() == wanted.size());
  double most = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double e = std::abs(values[i] - wanted[i]);
    most = std::max(most, std::isnan(e) ? 1e9 : e);
  }
  return most;
}

void check(const Case& c) {
  const ConvShape s = c.shape();
  for (const DType dtype : {f32, f64}) {
    const Tensor x = draw(c.x, -1, 1, 1, dtype), w = draw(c.w, -1, 1, 2, dtype), dy = draw(s.y(), -1, 1, 3, dtype);
    const Plain p = plain(c, x, w, dy);
    const double each = dtype == f32 ? 1e-6 : 1e-14;
    BOOST_TEST_CONTEXT(name(dtype) << " " << to_string(c.x) << " by " << to_string(c.w) << ", stride "
                                   << to_string(c.options.stride) << ", dilation " << to_string(c.options.dilation)
                                   << ", groups " << c.options.groups << ", padding "
                                   << print(to_attr(c.options.padding))) {
      const auto terms = static_cast<double>(s.kh * s.kw * s.channels / s.groups);
      BOOST_TEST(error(internal::evaluate(Conv2d{c.options}, std::vector{x, w})[0], p.y) <= each * terms);
      BOOST_TEST(error(internal::evaluate(Conv2dGradientOfX{c.options}, std::vector{dy, w, x})[0], p.dx) <=
                 each * static_cast<double>(s.kh * s.kw * s.kernels / s.groups));
      BOOST_TEST(error(internal::evaluate(Conv2dGradientOfWeights{c.options}, std::vector{x, dy, w})[0], p.dw) <=
                 each * static_cast<double>(s.images * s.rows * s.columns));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_kernel_a_channel_at_all_sizes) {
  for (const std::int64_t channels : {2, 3, 4, 7, 8, 16, 20, 33, 64, 70})
    for (const std::int64_t size : {1, 2, 4, 9, 15})
      for (const std::int64_t stride : {1, 2})
        check({{2, size + 1, size, channels}, {3, 3, 1, channels}, {.stride = stride, .groups = channels}});
  for (const PerAxis& stride : {PerAxis(1), PerAxis(2), PerAxis(3), PerAxis({1, 2})})
    for (const PerAxis& dilation : {PerAxis(1), PerAxis(2), PerAxis({2, 1})})
      for (const Padding& padding : {Padding(Padding::same), Padding(Padding::valid), Padding(2), Padding(0, 3, 1, 0)})
        for (const Shape& window : {Shape{5, 5}, Shape{2, 3}, Shape{1, 4}, Shape{1, 1}}) {
          const ConvAttributes options{.stride = stride, .padding = padding, .dilation = dilation, .groups = 6};
          check({{3, 9, 14, 6}, {window[0], window[1], 1, 6}, options});
          check({{3, 9, 14, 6}, {window[0], window[1], 1, 12}, options});
        }
  check({{17, 40, 12, 32}, {3, 3, 1, 32}, {.groups = 32}});  // more than a band of rows, and more images than chunks
  check({{40, 3, 3, 16}, {3, 3, 1, 16}, {.groups = 16}});    // several images a band
}

BOOST_AUTO_TEST_CASE(groups_and_dilations) {
  for (const std::int64_t groups : {1, 2, 3})
    for (const PerAxis& dilation : {PerAxis(1), PerAxis({3, 2}), PerAxis(3)})
      for (const PerAxis& stride : {PerAxis(1), PerAxis(2), PerAxis({2, 1})})
        for (const Padding& padding : {Padding(Padding::same), Padding(Padding::valid), Padding(1)}) {
          const ConvAttributes options{.stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
          check({{2, 8, 11, 6}, {3, 2, 6 / groups, 12}, options});
          check({{1, 8, 9, 3},
                 {3, 3, 3 / (groups == 3 ? 3 : 1), 6},
                 {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups == 3 ? 3 : 1}});
        }
}

BOOST_AUTO_TEST_CASE(windows_of_one_pixel) {
  for (const std::int64_t images : {0, 1, 3, 8})
    for (const std::int64_t channels : {1, 3, 16, 70})
      for (const std::int64_t kernels : {1, 20, 130}) {
        check({{images, 3, 5, channels}, {1, 1, channels, kernels}, {}});
        check({{images, 4, 6, channels}, {1, 1, channels, kernels}, {.dilation = 3}});
      }
}

// Where x and dy are large beside the matrix of their products, runs of pixels are summed by themselves.
BOOST_AUTO_TEST_CASE(windows_of_one_pixel_over_many_pixels) {
  const auto runs = [](std::int64_t images, std::int64_t channels, std::int64_t kernels) {
    Graph g;
    const Value x = input(g, "x", f32, {images, 32, 32, channels}), w = input(g, "w", f32, {1, 1, channels, kernels});
    const Value dy = input(g, "dy", f32, {images, 32, 32, kernels});
    const Value dw = gradients(sum(conv2d(x, w) * dy), {w})[0];
    const internal::Rewritten lowered = internal::rewrite(*internal::specialise(g, {{dw}}, {}, Mode::training).graph);
    std::int64_t found = 0;
    for (NodeId id = 0; id < lowered.graph->size(); ++id)
      if (const Node& n = lowered.graph->node(id); n.op().is<Product>())
        found = n.output_types()[0].shape.rank() == 3 ? n.output_types()[0].shape[0] : 1;
    return found;
  };
  BOOST_TEST(runs(1, 128, 128) == 1);
  BOOST_TEST(runs(2, 128, 128) == 2);
  BOOST_TEST(runs(16, 128, 128) == 16);
  BOOST_TEST(runs(16, 256, 512) == 1);  // their sum would take longer than what is saved
  BOOST_TEST(runs(1, 32, 64) == 8);     // for as many threads
  check({{2, 32, 32, 128}, {1, 1, 128, 128}, {}});
}

BOOST_AUTO_TEST_CASE(an_image_has_the_same_bits_in_any_batch) {
  for (const DType dtype : {f32, f64})
    for (const std::int64_t channels : {3, 20, 48}) {
      const ConvAttributes options{.stride = 2, .groups = channels};
      const Tensor x = draw({9, 13, 8, channels}, -1, 1, 1, dtype), w = draw({3, 3, 1, channels}, -1, 1, 2, dtype);
      const Tensor dy = draw({9, 7, 4, channels}, -1, 1, 3, dtype);
      const auto last = [](const Tensor& t) {  // image
        Tensor one({t.dtype(), {1, t.shape()[1], t.shape()[2], t.shape()[3]}});
        std::copy_n(t.bytes() + 8 * one.type().bytes(), one.type().bytes(), one.bytes());
        return one;
      };
      BOOST_TEST(same_bits(run_op(DepthwiseForward{options}, {last(x), w})[0],
                           last(run_op(DepthwiseForward{options}, {x, w})[0])));
      const DepthwiseAdjoint adjoint{options, 13, 8};
      BOOST_TEST(same_bits(run_op(adjoint, {last(dy), w})[0], last(run_op(adjoint, {dy, w})[0])));
    }
}

BOOST_AUTO_TEST_CASE(depthwise_is_a_convolution_of_a_channel_a_group) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), any(5), 4, 3}), w = input(g, "w", f64, {3, 2, 3, 2});
  const Value y = depthwise_conv2d(x, w, {.stride = 2, .padding = 1});
  BOOST_TEST(to_string(y.type()) == "f64[2, 3, 3, 6]");
  std::vector<Value> parts;
  for (std::int64_t c = 0; c < 3; ++c)
    parts.push_back(conv2d(slice(x, 3, c, c + 1), slice(w, 2, c, c + 1), {.stride = 2, .padding = 1}));
  const Tensors feeds{{"x", draw({2, 5, 4, 3}, -1, 1, 1)}, {"w", draw({3, 2, 3, 2}, -1, 1, 2)}};
  const std::vector<Tensor> t = on_all_threads({y, concat(parts, 3)}, feeds);
  BOOST_TEST(error(t[0], doubles(t[1])) <= 1e-14);
  check_gradients(y, {x, w}, feeds);
  check_gradients(gradients(sum(y * y), {x})[0], {x, w}, feeds);
  on_all_threads({y}, {{"x", draw({7, 9, 4, 3}, -1, 1, 1)}, {"w", draw({3, 2, 3, 2}, -1, 1, 2)}});
}

BOOST_AUTO_TEST_CASE(the_bits_do_not_depend_on_threads) {
  Graph g;
  const Value x = input(g, "x", f32, {any(20), 24, 24, 40});
  const Value w = input(g, "w", f32, {3, 3, 40, 1}), v = input(g, "v", f32, {3, 3, 10, 24});
  const Value loss = sum(square(conv2d(relu(depthwise_conv2d(x, w) + 0.1), v, {.stride = 2, .groups = 4})));
  std::vector<Value> all = gradients(loss, {x, w, v});
  all.push_back(loss);
  on_all_threads(all, {{"x", draw({20, 24, 24, 40}, -1, 1, 1, f32)},
                       {"w", draw({3, 3, 40, 1}, -1, 1, 2, f32)},
                       {"v", draw({3, 3, 10, 24}, -1, 1, 3, f32)}});
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f32, {8, 4, 4, 6}), w = input(g, "w", f32, {3, 3, 2, 8});
  const std::string inputs = "  x: f32[8, 4, 4, 6] from x\n  weights: f32[3, 3, 2, 8] from w\n  at HERE\n";
  BOOST_TEST(message([&] { conv2d(x, w, {.groups = 0}); }) ==
             "conv2d: there cannot be 0 groups\n" + inputs + "  1 connects all channels to all kernels");
  BOOST_TEST(message([&] { conv2d(x, w, {.groups = 3}); }) ==
             "conv2d: 3 groups do not divide 6 channels and 8 kernels\n" + inputs +
                 "  Give a number that divides both");
  BOOST_TEST(message([&] { conv2d(x, w, {.groups = 2}); }) ==
             "conv2d: each of 2 groups has 3 of x's channels, and the weights take 2\n" + inputs +
                 "  Images are [n, h, w, channels], weights [kh, kw, channels / groups, kernels]");
  const Value all = input(g, "all", f32, {3, 3, 6, 8});
  BOOST_TEST(message([&] { conv2d(x, all, {.dilation = 0}); }) ==
             "conv2d: the dilation is 0\n  x: f32[8, 4, 4, 6] from x\n  weights: f32[3, 3, 6, 8] from all\n  at HERE\n"
             "  It is at least 1, for taps that touch, and at most 1073741824");
  BOOST_TEST(has(message([&] { conv2d(x, all, {.dilation = 1 << 30}); }), "taps 1073741824 apart reach beyond"));
  BOOST_TEST(message([&] { depthwise_conv2d(x, w); }) ==
             "depthwise_conv2d: x has 6 channels and the weights are for 2\n" + inputs +
                 "  Images are [n, h, w, channels], weights [kh, kw, channels, kernels a channel]");
  BOOST_TEST(has(message([&] { depthwise_conv2d(x, slice(w, 2, 0, 1)); }), "weights are for 1"));
  BOOST_TEST(has(message([&] { depthwise_conv2d(reshape(x, {8, 96}), w); }), "depthwise_conv2d: x has 2 axes, not 4"));
  BOOST_TEST(has(message([&] { depthwise_conv2d(x, Value()); }), "depthwise_conv2d: weights are an empty Value"));
}

BOOST_AUTO_TEST_SUITE_END()
