// Resizing and sampling: against PyTorch 2.15's grid_sample and affine_grid, against convolutions, and their gradients.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_sampling)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr DataFormat first = channels_first;

// ((i * a) % b) / b - 0.5, times `scale`.
Tensor pattern(const Shape& shape, std::int64_t a, std::int64_t b, double scale = 1) {
  Tensor t({f64, shape});
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.data<double>()[i] = (static_cast<double>(i * a % b) / static_cast<double>(b) - 0.5) * scale;
  return t;
}

void check_near(const Tensor& t, const std::vector<double>& wanted, double tolerance, const std::string& what) {
  BOOST_REQUIRE(t.count() == static_cast<std::int64_t>(wanted.size()));
  for (std::int64_t i = 0; i < t.count(); ++i)
    BOOST_TEST(std::abs(t.data<double>()[i] - wanted[static_cast<std::size_t>(i)]) < tolerance,
               what << " at " << i << ": " << t.data<double>()[i]);
}

using enum Interpolation;
using enum GridPadding;

}  // namespace

BOOST_AUTO_TEST_CASE(images_at_places) {
  struct Case {
    Interpolation mode;
    GridPadding padding;
    bool corners;
    std::vector<double> wanted;
  };
  // The cubic ones at a border are those of ONNX, where places are moved to the border first.
  const Case cases[] = {
      {linear, zeros, false, {0, 0.132676170, -0.001348843, -0.197754169, 0, 0.108288058}},
      {linear, zeros, true, {-0.026188811, 0.232865116, -0.013480366, -0.084672539, -0.010430339, 0.297313744}},
      {linear, border, false, {-0.247202797, 0.409090909, -0.041258741, -0.197754169, -0.052097902, 0.409090909}},
      {linear, border, true, {-0.149650350, 0.251223776, -0.019580420, -0.084672539, -0.019580420, 0.333916084}},
      {linear, reflection, false, {-0.143461538, 0.409090909, -0.041258741, -0.197754169, -0.074841313, 0.409090909}},
      {linear, reflection, true, {-0.154554196, 0.236135691, 0.021976197, -0.084672539, -0.133793034, 0.282289537}},
      {nearest, zeros, false, {0, 0, 0, -0.409090909, 0, 0}},
      {nearest, zeros, true, {0, 0.409090909, -0.136363636, 0.227272727, 0.045454545, 0.409090909}},
      {nearest, border, false, {-0.5, 0.409090909, -0.136363636, -0.409090909, 0.045454545, 0.409090909}},
      {nearest, border, true, {0.045454545, 0.409090909, -0.136363636, 0.227272727, 0.045454545, 0.409090909}},
      {nearest, reflection, false, {0.136363636, 0.409090909, -0.136363636, -0.409090909, 0.045454545, 0.409090909}},
      {nearest, reflection, true, {-0.318181818, 0.409090909, -0.136363636, 0.227272727, 0.045454545, 0.409090909}},
      {cubic, zeros, false, {0.018750527, 0.186020143, 0.000200250, -0.253087760, 0.000565916, 0.158805982}},
      {cubic, zeros, true, {-0.016596637, 0.290650672, 0.022269420, -0.110202469, 0.042348383, 0.388230157}},
      {cubic, border, false, {-0.21039, 0.46484, 0.01337, -0.19658, 0.00188, 0.45715}},
      {cubic, border, true, {-0.09043, 0.25356, 0.04711, -0.09618, 0.02286, 0.35220}},
      {cubic, reflection, false, {-0.174319444, 0.576143057, 0.009147806, -0.196580336, -0.034516626, 0.606698547}},
      {cubic, reflection, true, {-0.213952735, 0.318850435, 0.080384713, -0.086547266, -0.152364391, 0.374400451}}};
  Graph g;
  const Value x = input(g, "x", f64, {any(1), 1, 3, 4}), grid = input(g, "grid", f64, {any(1), 2, 3, 2});
  const Tensors feeds{{"x", pattern({1, 1, 3, 4}, 7, 11)}, {"grid", pattern({1, 2, 3, 2}, 5, 13, 3.1)}};
  for (const Case& c : cases) {
    const GridSampleOptions o{.mode = c.mode, .padding = c.padding, .align_corners = c.corners, .data_format = first};
    const Value y = grid_sample(x, grid, o);
    BOOST_TEST(to_string(y.type()) == "f64[1, 1, 2, 3]");
    const std::string what = std::to_string(&c - cases);
    check_near(on_all_threads({y}, feeds)[0], c.wanted, c.mode == cubic && c.padding == border ? 1e-5 : 1e-8, what);
    check_gradients(y, {x}, feeds);
    if (c.mode != nearest && c.padding == zeros) check_gradients(y, {grid}, feeds, 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(images_of_any_size) {
  const Tensor x = draw({2, 5, 4, 3}, -1, 1, 1), places = draw({2, 3, 2, 2}, -1.4, 1.4, 2);
  const Tensor regions = Tensor::of<double>({3, 4}, {0.5, 1, 3, 4.2, -2, 0, 1.5, 2, 1, 1, 2, 3}),
               of = Tensor::of<std::int64_t>({3}, {1, 0, 1});
  std::vector<Tensor> seen;
  for (const bool free : {false, true}) {
    Graph g;
    const Value v = free ? input(g, "x", f64, {any(1), any(2), any(7), 3}) : input(g, "x", f64, x.shape());
    const Value grid = input(g, "grid", f64, {free ? any(1) : Dim(2), 3, 2, 2}),
                rois = input(g, "rois", f64, {free ? any(1) : Dim(3), 4});
    const Value images = input(g, "images", i64, {free ? any(1) : Dim(3)});
    const std::vector<Value> fetches{grid_sample(v, grid, {.padding = reflection}),
                                     grid_sample(v, grid, {.mode = nearest}),
                                     roi_align(v, rois, images, {.height = 2, .width = 3})};
    const auto t = on_all_threads(fetches, {{"x", x}, {"grid", places}, {"rois", regions}, {"images", of}});
    seen.insert(seen.end(), t.begin(), t.end());
  }
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(same_bits(seen[i], seen[i + 3]), "value " << i);
}

BOOST_AUTO_TEST_CASE(means_and_largest_of_regions) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 6, 5, 2}), regions = input(g, "regions", f64, {any(2), 4});
  const Value images = input(g, "images", i64, {any(2)});
  Tensors feeds{{"x", draw({2, 6, 5, 2}, -1, 1, 1)},
                {"regions", Tensor::of<double>({2, 4}, {0.6, 1.1, 3.7, 4.3, 1.2, 0.4, 4.4, 5.7})},
                {"images", Tensor::of<std::int64_t>({2}, {1, 0})}};
  for (const bool half : {false, true}) {
    const RoiAlignOptions o{.height = 2, .width = 3, .spatial_scale = 0.8, .half_pixel = half};
    const Value y = roi_align(x, regions, images, o);
    BOOST_TEST(to_string(y.type()) == "f64[2, 2, 3, 2]");
    const Tensor t = on_all_threads({y}, feeds)[0];
    // By the definition, place by place.
    const double* v = feeds.at("x").data<double>();
    for (int r = 0; r < 2; ++r)
      for (int bin = 0; bin < 6; ++bin)
        for (int c = 0; c < 2; ++c) {
          const double* box = feeds.at("regions").data<double>() + r * 4;
          double sum = 0;
          for (int place = 0; place < 4; ++place) {
            double at[2];
            for (int k = 0; k < 2; ++k) {  // down, across
              const double begin = box[1 - k] * 0.8 - (half ? 0.5 : 0), bins = k == 0 ? 2 : 3;
              const double size = std::max((box[3 - k] - box[1 - k]) * 0.8, half ? 0.0 : 1.0) / bins;
              const double n = k == 0 ? bin / 3 : bin % 3, sample = k == 0 ? place / 2 : place % 2;
              at[k] = std::clamp(begin + size * (n + (sample + 0.5) / 2), 0.0, k == 0 ? 5.0 : 4.0);
            }
            const int i = std::min(static_cast<int>(at[0]), 4), j = std::min(static_cast<int>(at[1]), 3);
            const double a = at[0] - i, b = at[1] - j;
            const auto pixel = [&](int row, int column) { return v[(((1 - r) * 6 + row) * 5 + column) * 2 + c]; };
            sum += (1 - a) * ((1 - b) * pixel(i, j) + b * pixel(i, j + 1)) +
                   a * ((1 - b) * pixel(i + 1, j) + b * pixel(i + 1, j + 1));
          }
          BOOST_TEST(std::abs(t.data<double>()[(r * 6 + bin) * 2 + c] - sum / 4) < 1e-12);
        }
    check_gradients(y, {x, regions}, feeds, 1e-5);
    check_gradients(roi_align(x, regions, images, {.height = 1, .width = 2, .largest = true}), {x}, feeds);
  }
  BOOST_TEST(has(message([&] { roi_align(x, regions, images, {.sampling_ratio = 0}); }),
                 "are not known while a graph is built"));
  BOOST_TEST(has(message([&] { roi_align(x, x, images); }), "Give [n, h, w, c] and [r, 4]"));
}

BOOST_AUTO_TEST_CASE(volumes_at_places_and_several_images) {
  Graph g;
  const Value x = input(g, "x", f64, {1, 2, 3, 2, 1}), grid = input(g, "grid", f64, {1, 1, 2, 2, 3});
  const Tensors feeds{{"x", pattern({1, 2, 3, 2, 1}, 7, 11)}, {"grid", pattern({1, 1, 2, 2, 3}, 5, 13, 2.3)}};
  check_near(on_all_threads({grid_sample(x, grid)}, feeds)[0], {-0.036862964, -0.138299238, -0.025235406, -0.073947423},
             1e-8, "linear");
  check_near(on_all_threads({grid_sample(x, grid, {.mode = nearest})}, feeds)[0],
             {0, -0.409090909, 0.045454545, 0.045454545}, 1e-8, "nearest");
  check_gradients(grid_sample(x, grid), {x, grid}, feeds, 1e-5);
  // Places that are the pixels' own give the images.
  Graph h;
  const Value v = input(h, "v", f64, {any(1), 3, 4, 2}), theta = input(h, "theta", f64, {any(1), 2, 3});
  for (const bool corners : {false, true}) {
    const Value same = grid_sample(v, affine_grid(theta, {3, 4}, corners), {.align_corners = corners});
    const Tensor images = draw({3, 3, 4, 2}, -1, 1, 1);
    Tensor identity({f64, {3, 2, 3}});
    for (int n = 0; n < 3; ++n) identity.data<double>()[n * 6] = identity.data<double>()[n * 6 + 4] = 1;
    Store store(h);
    const Tensor t = compile({same}).run(store, {{"v", images}, {"theta", identity}})[0];
    for (std::int64_t i = 0; i < t.count(); ++i)
      BOOST_TEST(std::abs(t.data<double>()[i] - images.data<double>()[i]) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(grids_of_transformations) {
  Graph g;
  const Value theta = input(g, "theta", f64, {1, 2, 3}), deep = input(g, "deep", f64, {1, 3, 4});
  const Tensor flat = Tensor::of<double>({1, 2, 3}, {1, 0.5, 0.1, -0.25, 0.75, -0.2});
  const auto t =
      on_all_threads({affine_grid(theta, {2, 3}), affine_grid(theta, {2, 3}, true), affine_grid(deep, {2, 1, 2})},
                     {{"theta", flat}, {"deep", pattern({1, 3, 4}, 5, 13)}});
  check_near(t[0],
             {-0.816666667, -0.408333333, -0.15, -0.575, 0.516666667, -0.741666667, -0.316666667, 0.341666667, 0.35,
              0.175, 1.016666667, 0.008333333},
             1e-8, "edges");
  check_near(t[1], {-1.4, -0.7, -0.4, -0.95, 0.6, -1.2, -0.4, 0.8, 0.6, 0.55, 1.6, 0.3}, 1e-8, "corners");
  check_near(t[2],
             {-0.230769231, 0.269230769, -0.230769231, -0.730769231, 0.307692308, -0.653846154, 0.038461538,
              0.076923077, 0.115384615, -0.461538462, 0.115384615, -0.307692308},
             1e-8, "volumes");
  check_gradients(affine_grid(theta, {2, 3}), {theta}, {{"theta", flat}});
}

BOOST_AUTO_TEST_CASE(resized_images) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 2, any(4), 3});
  const Value up = resize(x, {.scales = {2, 1.5}, .axes = {2, 3}, .mode = linear});
  const Value fit =
      resize(x, {.sizes = {7, 8}, .axes = {2, 3}, .mode = cubic, .keep_aspect = AspectPolicy::not_larger});
  BOOST_TEST(to_string(up.type()) == "f64[2, 2, 8, 4]");
  BOOST_TEST(to_string(fit.type()) == "f64[2, 2, 7, 5]");
  BOOST_TEST(resize(x, {.scales = {1, 1, 1, 1}}).same(x));
  const Tensors feeds{{"x", draw({2, 2, 4, 3}, -1, 1, 1)}};
  on_all_threads({up, fit}, feeds);
  check_gradients(up, {x}, feeds);
  check_gradients(gradients(sum(square(up)), {x})[0], {x}, feeds);
  Store store(g);
  BOOST_TEST(to_string(compile({up}).run(store, {{"x", draw({1, 2, 5, 3}, -1, 1, 1)}})[0].type()) ==
             "f64[1, 2, 10, 4]");
  // Nearest ones of any dtype; halves are interpolated in f32.
  const Value whole = constant(g, Tensor::of<std::int8_t>({2}, {-3, 7})),
              truth = constant(g, Tensor::of<bool>({2}, {true, false}));
  const auto t = compile({resize(whole, {.scales = {2}}), resize(truth, {.sizes = {3}}),
                          resize(cast(x, f16), {.scales = {2}, .axes = {3}, .mode = linear})})
                     .run(store, feeds);
  BOOST_TEST(same_bits(t[0], Tensor::of<std::int8_t>({4}, {-3, -3, 7, 7})));
  BOOST_TEST(same_bits(t[1], Tensor::of<bool>({3}, {true, true, false})));
  BOOST_TEST(to_string(t[2].type()) == "f16[2, 2, 4, 6]");
}

BOOST_AUTO_TEST_CASE(deformed_convolutions) {
  for (const std::int64_t groups : {1, 2})
    for (const std::int64_t moved : {1, 2}) {
      Graph g;
      const Value x = input(g, "x", f64, {any(2), 4, 5, 4}), w = input(g, "w", f64, {2, 4 / groups, 3, 2});
      const Value offsets = input(g, "offsets", f64, {any(2), moved * 12, 3, 3}),
                  mask = input(g, "mask", f64, {any(2), moved * 6, 3, 3});
      const Value bias = input(g, "bias", f64, {2});
      const DeformConvOptions o{.stride = {2, 1},
                                .padding = Padding(1, 1, 0, 1),
                                .dilation = {1, 2},
                                .groups = groups,
                                .offset_groups = moved,
                                .mask = mask,
                                .bias = bias};
      const Value y = deform_conv(x, w, offsets, o);
      BOOST_TEST(to_string(y.type()) == "f64[2, 2, 3, 3]");
      // Whole offsets of (1, -1) are the convolution of the moved image; the mask scales it.
      Tensors feeds{{"x", draw({2, 4, 5, 4}, -1, 1, 1)},
                    {"w", draw(w.shape(), -1, 1, 2)},
                    {"bias", draw({2}, -1, 1, 3)},
                    {"offsets", Tensor({f64, {2, moved * 12, 3, 3}})},
                    {"mask", Tensor::of<double>({2, moved * 6, 3, 3},
                                                std::vector<double>(static_cast<std::size_t>(moved) * 108, 0.5))}};
      for (std::int64_t i = 0; i < moved * 216; ++i) feeds.at("offsets").data<double>()[i] = i / 9 % 2 == 0 ? 1 : -1;
      const Value pushed = pad(slice(slice(x, 2, 1), 3, 0, -1), {{0, 0}, {0, 0}, {0, 1}, {1, 0}});
      const Value plain = conv2d(pushed, w,
                                 {.stride = {2, 1},
                                  .padding = Padding(1, 1, 0, 1),
                                  .dilation = {1, 2},
                                  .groups = groups,
                                  .data_format = first});
      const auto t = on_all_threads({y, plain * 0.5 + reshape(bias, {2, 1, 1})}, feeds);
      // Where the moved image has its edge, padding and image differ: only what is inside is compared.
      double most = 0;
      for (std::int64_t n = 0; n < 4; ++n)
        most = std::max(most, std::abs(t[0].data<double>()[n * 9 + 4] - t[1].data<double>()[n * 9 + 4]));
      BOOST_TEST(most < 1e-12);
      feeds.insert_or_assign("offsets", draw({2, moved * 12, 3, 3}, 0.1, 0.9, 5));
      check_gradients(y, {x, w, offsets, mask, bias}, feeds, 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(cut_and_padded_about_the_middle) {
  Graph g;
  const Value x = constant(g, Tensor::of<std::int64_t>({5}, {1, 2, 3, 4, 5}));
  Store store(g);
  const auto t =
      compile({center_crop_pad(x, {2}), center_crop_pad(x, {8}), center_crop_pad(reshape(x, {1, 5}), {3}, {-1})})
          .run(store, {});
  BOOST_TEST(same_bits(t[0], Tensor::of<std::int64_t>({2}, {2, 3})));
  BOOST_TEST(same_bits(t[1], Tensor::of<std::int64_t>({8}, {0, 1, 2, 3, 4, 5, 0, 0})));
  BOOST_TEST(same_bits(t[2], Tensor::of<std::int64_t>({1, 3}, {2, 3, 4})));
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 6, 6}), whole = input(g, "whole", i32, {4});
  BOOST_TEST(has(message([&] { resize(x, {}); }), "resize: it takes either scales or sizes"));
  BOOST_TEST(has(message([&] { resize(x, {.scales = {2}}); }), "there are 1 numbers for 4 axes of f32[2, 3, 6, 6]"));
  BOOST_TEST(has(message([&] { resize(x, {.scales = {-2}, .axes = {2}}); }), "the scale is not above 0"));
  BOOST_TEST(has(message([&] { resize(x, {.sizes = {-2}, .axes = {2}}); }), "the sizes are [-2]"));
  BOOST_TEST(has(message([&] { resize(x, {.sizes = {2}, .axes = {4}}); }), "resize: "));
  BOOST_TEST(
      has(message([&] { resize(whole, {.sizes = {2}, .mode = linear}); }), "x is i32[4], but must be one of: f32"));
  BOOST_TEST(
      has(message([&] { resize(x, {.sizes = {2}, .axes = {2}, .coordinates = Coordinates::tf_crop_and_resize}); }),
          "it has no region of interest"));
  BOOST_TEST(has(message([&] { grid_sample(x, x); }), "grid_sample: x is f32[2, 3, 6, 6] and the grid"));
  BOOST_TEST(has(message([&] { affine_grid(x, {2, 2}); }), "Give [n, 2, 3] of floating point"));
  BOOST_TEST(has(message([&] { center_crop_pad(x, {2}); }), "the shape is [2] for 4 axes"));
  BOOST_TEST(has(message([&] { deform_conv(x, x, Value()); }), "there are no offsets"));
}

BOOST_AUTO_TEST_SUITE_END()
