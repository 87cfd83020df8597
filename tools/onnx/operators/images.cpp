// Convolution, pooling and resizing of [n, c, spatial...].
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <array>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

using Numbers = std::vector<std::int64_t>;

constexpr DataFormat format = DataFormat::channels_first;

int spatial_axes(Context& c) {
  const int axes = c[0].rank() - 2;
  if (axes < 1 || axes > 3) c.fail("x has " + std::to_string(c[0].rank()) + " axes, not three to five");
  return axes;
}

// One number for each axis.
Numbers numbers_of(Context& c, const char* name, int axes, std::int64_t otherwise) {
  const Numbers all = c.integers(name).value_or(Numbers{});
  if (all.empty()) return Numbers(static_cast<std::size_t>(axes), otherwise);
  if (static_cast<int>(all.size()) != axes)
    c.fail(std::string(name) + " has " + std::to_string(all.size()) + " numbers for " + std::to_string(axes) + " axes");
  return all;
}

// Befores and then afters, as ONNX lists them, as padding.
Padding sides(Context& c, Numbers pads, int axes) {
  pads.resize(static_cast<std::size_t>(2 * axes));
  const auto at = [&](int axis, int side) {  // counted from the last axis
    return axis >= axes ? 0 : pads[static_cast<std::size_t>(side * axes + axes - 1 - axis)];
  };
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p < 0; })) c.fail("its pads are negative");
  return Padding(at(2, 0), at(2, 1), at(1, 0), at(1, 1), at(0, 0), at(0, 1));
}

Padding padding_of(Context& c, int axes) {
  const std::string mode = c.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER") return Padding::same;
  if (mode == "SAME_LOWER") return Padding::same_lower;
  if (mode == "VALID") return Padding::valid;
  if (mode != "NOTSET") c.fail("there is no auto_pad " + mode);
  return sides(c, c.integers("pads").value_or(Numbers{}), axes);
}

Outputs convolution(Context& c) {
  const Value x = c[0], w = c[1], bias = c.optional(2);
  const int axes = spatial_axes(c);
  const Numbers stride = numbers_of(c, "strides", axes, 1), dilation = numbers_of(c, "dilations", axes, 1);
  const Padding padding = padding_of(c, axes);
  const std::int64_t groups = c.integer("group", 1);
  if (axes == 1) return conv1d(x, w, {stride[0], padding, dilation[0], groups, bias, format});
  if (axes == 2) return conv2d(x, w, {stride, padding, dilation, groups, bias, format});
  return conv3d(x, w, {stride, padding, dilation, groups, bias, format});
}

Outputs transposed_convolution(Context& c) {
  const Value x = c[0], w = c[1], bias = c.optional(2);
  const int axes = spatial_axes(c);
  const Numbers stride = numbers_of(c, "strides", axes, 1), dilation = numbers_of(c, "dilations", axes, 1);
  Padding padding = padding_of(c, axes);
  const std::int64_t groups = c.integer("group", 1);
  const Numbers shape = c.integers("output_shape").value_or(Numbers{});
  // Without numbers `same` is as large as the stride makes it.
  const bool open = padding.is_same() && !c.has_attribute("output_padding");
  const Numbers added = numbers_of(c, "output_padding", axes, open ? -1 : 0);
  if (axes == 1)
    return conv1d_transpose(x, w, {stride[0], padding, dilation[0], groups, added[0], shape, bias, format});
  if (axes == 2) return conv2d_transpose(x, w, {stride, padding, dilation, groups, added, shape, bias, format});
  return conv3d_transpose(x, w, {stride, padding, dilation, groups, added, shape, bias, format});
}

Outputs deformed_convolution(Context& c) {
  const int axes = spatial_axes(c);
  if (axes != 2) c.fail("only images are convolved so, not " + std::to_string(axes) + " axes");
  return deform_conv(c[0], c[1], c[2],
                     {.stride = numbers_of(c, "strides", axes, 1),
                      .padding = padding_of(c, axes),
                      .dilation = numbers_of(c, "dilations", axes, 1),
                      .groups = c.integer("group", 1),
                      .offset_groups = c.integer("offset_group", 1),
                      .mask = c.optional(4),
                      .bias = c.optional(3)});
}

Outputs columns_to_images(Context& c) {
  const auto image = c.fixed_integers(1), block = c.fixed_integers(2);
  if (!image || !block) c.fail("its input " + std::to_string(image ? 2 : 1) + " is absent");
  const auto axes = static_cast<int>(image->size());
  return col2im(c[0], *image, *block,
                {.stride = numbers_of(c, "strides", axes, 1),
                 .padding = padding_of(c, axes),
                 .dilation = numbers_of(c, "dilations", axes, 1)});
}

// What pools have in common.
template <class Options>
Options windows(Context& c) {
  const int axes = spatial_axes(c);
  Options o;
  o.size = numbers_of(c, "kernel_shape", axes, 1);
  o.stride = numbers_of(c, "strides", axes, 1);
  o.padding = padding_of(c, axes);
  o.dilation = numbers_of(c, "dilations", axes, 1);
  o.ceil_mode = c.flag("ceil_mode") && o.padding.kind == Padding::Kind::sides;
  o.data_format = format;
  return o;
}

Outputs largest_of_windows(Context& c) {
  const auto options = windows<MaxPoolOptions>(c);
  if (!c.wants(1)) return max_pool(c[0], options);
  const MaxPoolResult r = max_pool_with_indices(c[0], options, c.flag("storage_order"));
  return {r.values, r.indices};
}

Outputs mean_of_windows(Context& c) {
  auto options = windows<AveragePoolOptions>(c);
  options.count_include_pad = c.flag("count_include_pad");
  return average_pool(c[0], options);
}

double order_of(Context& c) { return c.opset() < 2 ? c.number("p", 2) : static_cast<double>(c.integer("p", 2)); }

Outputs norm_of_windows(Context& c) {
  auto options = windows<LpPoolOptions>(c);
  options.p = order_of(c);
  return lp_pool(c[0], options);
}

Outputs unpooled(Context& c) {
  const Value x = c[0];
  const int axes = spatial_axes(c);
  const Numbers size = numbers_of(c, "kernel_shape", axes, 1), stride = numbers_of(c, "strides", axes, 1);
  Numbers pads = c.integers("pads").value_or(Numbers{}), shape{x.shape()[0], x.shape()[1]};
  pads.resize(static_cast<std::size_t>(2 * axes));
  for (int a = 0; a < axes; ++a) {
    const auto i = static_cast<std::size_t>(a);
    shape.push_back((x.shape()[a + 2] - 1) * stride[i] + size[i] - pads[i] - pads[i + static_cast<std::size_t>(axes)]);
  }
  Value y = max_unpool(x, c[1], shape);
  if (!c.has(2)) return y;
  // A larger image has zeros behind.
  const Numbers wanted = *c.fixed_integers(2);
  std::vector<std::pair<std::int64_t, std::int64_t>> behind;
  for (std::size_t i = 0; i < wanted.size() && i < shape.size(); ++i) behind.emplace_back(0, wanted[i] - shape[i]);
  return pad(y, behind);
}

Interpolation interpolation_of(Context& c, const std::string& mode) {
  if (mode == "nearest") return Interpolation::nearest;
  if (mode == "linear" || mode == "bilinear") return Interpolation::linear;
  if (mode == "cubic" || mode == "bicubic") return Interpolation::cubic;
  c.fail("there is no mode " + mode);
}

template <class E, std::size_t n>
E choice(Context& c, const char* name, const std::array<const char*, n>& words, E otherwise) {
  const std::string word = c.text(name, words[static_cast<std::size_t>(otherwise)]);
  const auto place = std::find(words.begin(), words.end(), word);
  if (place == words.end()) c.fail("there is no " + std::string(name) + " " + word);
  return static_cast<E>(place - words.begin());
}

constexpr std::array<const char*, 7> rules{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                           "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
constexpr std::array<const char*, 4> nearest_modes{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
constexpr std::array<const char*, 3> policies{"stretch", "not_larger", "not_smaller"};

std::vector<double> given_numbers(Context& c, int i) {
  if (!c.has(i)) return {};
  return c.fixed_numbers(i).value_or(std::vector<double>{});
}

Outputs resized(Context& c) {
  ResizeOptions o{.mode = interpolation_of(c, c.text("mode", "nearest"))};
  if (c.opset() < 11) {
    o.coordinates = Coordinates::asymmetric;
    o.nearest_mode = NearestMode::floor;
    o.scales = given_numbers(c, 1);
    return resize(c[0], o);
  }
  o.scales = given_numbers(c, 2);
  if (c.has(3)) o.sizes = c.fixed_integers(3).value_or(Numbers{});
  if (!o.sizes.empty()) o.scales.clear();
  o.axes = c.integers("axes").value_or(Numbers{});
  o.coordinates = choice(c, "coordinate_transformation_mode", rules, Coordinates::half_pixel);
  o.nearest_mode = choice(c, "nearest_mode", nearest_modes, NearestMode::round_prefer_floor);
  o.keep_aspect = choice(c, "keep_aspect_ratio_policy", policies, AspectPolicy::stretch);
  o.cubic_coefficient = c.number("cubic_coeff_a", -0.75);
  o.exclude_outside = c.flag("exclude_outside");
  o.antialias = c.flag("antialias");
  o.extrapolation_value = c.number("extrapolation_value", 0);
  if (o.coordinates == Coordinates::tf_crop_and_resize) {
    const std::vector<double> roi = given_numbers(c, 1);
    for (std::size_t i = 0; i < roi.size() / 2; ++i) o.roi.emplace_back(roi[i], roi[i + roi.size() / 2]);
  }
  return resize(c[0], o);
}

Outputs upsampled(Context& c) {
  ResizeOptions o{.mode = interpolation_of(c, c.text("mode", "nearest")),
                  .coordinates = Coordinates::asymmetric,
                  .nearest_mode = NearestMode::floor};
  o.scales = c.opset() < 9 ? c.numbers("scales").value_or(std::vector<double>{}) : given_numbers(c, 1);
  return resize(c[0], o);
}

Outputs sampled(Context& c) {
  constexpr std::array<const char*, 3> paddings{"zeros", "border", "reflection"};
  return grid_sample(c[0], c[1],
                     {.mode = interpolation_of(c, c.text("mode", "linear")),
                      .padding = choice(c, "padding_mode", paddings, GridPadding::zeros),
                      .align_corners = c.flag("align_corners"),
                      .data_format = format});
}

Outputs places(Context& c) {
  const auto size = c.fixed_integers(1);
  if (!size || size->size() < 4) c.fail("its size is not known");
  return affine_grid(c[0], {size->begin() + 2, size->end()}, c.flag("align_corners"));
}

Outputs regions(Context& c) {
  const bool half = c.opset() >= 16 && c.text("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  return roi_align(c[0], c[1], c[2],
                   {.height = c.integer("output_height", 1),
                    .width = c.integer("output_width", 1),
                    .sampling_ratio = c.integer("sampling_ratio", 0),
                    .spatial_scale = c.number("spatial_scale", 1),
                    .half_pixel = half,
                    .largest = c.text("mode", "avg") == "max",
                    .data_format = format});
}

constexpr Operator list[] = {
    {"AffineGrid", places},
    {"AveragePool", mean_of_windows},
    {"Col2Im", columns_to_images},
    {"Conv", convolution},
    {"ConvTranspose", transposed_convolution},
    {"DeformConv", deformed_convolution},
    {"GlobalAveragePool", [](Context& c) -> Outputs { return global_average_pool(c[0], format); }},
    {"GlobalLpPool", [](Context& c) -> Outputs { return global_lp_pool(c[0], order_of(c), format); }},
    {"GlobalMaxPool", [](Context& c) -> Outputs { return global_max_pool(c[0], format); }},
    {"GridSample", sampled},
    {"LpPool", norm_of_windows},
    {"MaxPool", largest_of_windows},
    {"MaxUnpool", unpooled},
    {"Resize", resized},
    {"RoiAlign", regions},
    {"Upsample", upsampled},
};

}  // namespace

Operators image_operators() { return list; }

}  // namespace oxbow::onnx
