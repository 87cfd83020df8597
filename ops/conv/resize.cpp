// Builders of what resizes: axes one after the other, and images cut or padded about their middle.
#include <oxbow/graph/text.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/resize_axis.h>
#include <oxbow/ops/resize.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

constexpr std::array<const char*, 3> modes{"nearest", "linear", "cubic"};
constexpr std::array<const char*, 7> rules{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                           "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
constexpr std::array<const char*, 4> nearest_modes{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

template <class E, std::size_t n>
std::string word(E e, const std::array<const char*, n>& words) {
  return words[static_cast<std::size_t>(e)];
}

std::vector<std::int64_t> axes_or_all(const char* builder, Value x, const std::vector<std::int64_t>& axes, At at) {
  std::vector<std::int64_t> all;
  if (axes.empty()) {
    all.resize(static_cast<std::size_t>(x.rank()));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  try {
    for (const std::int64_t axis : axes) all.push_back(x.shape().axis_of(axis));
  } catch (const Error& e) {
    throw BuildError(builder, e.what() + at_line(at));
  }
  return all;
}

// What an aspect policy makes of the sizes of these axes, and the scale of all of them; 0 where each has its own.
double keep_aspect(ResizeOptions& o, const Shape& x, const std::vector<std::int64_t>& axes) {
  if (o.keep_aspect == AspectPolicy::stretch || o.sizes.empty()) return 0;
  double scale = 0;
  for (const std::int64_t axis : axes)
    if (x[static_cast<int>(axis)] == 0) return 0;  // which the op refuses
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double own = static_cast<double>(o.sizes[i]) / static_cast<double>(x[static_cast<int>(axes[i])]);
    if (i == 0 || (o.keep_aspect == AspectPolicy::not_larger ? own < scale : own > scale)) scale = own;
  }
  for (std::size_t i = 0; i < axes.size(); ++i)
    o.sizes[i] = static_cast<std::int64_t>(std::floor(scale * static_cast<double>(x[static_cast<int>(axes[i])]) + 0.5));
  return scale;
}

}  // namespace

Value resize(Value x, ResizeOptions options, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("resize", problem + at_line(at) + "\n  " + remedy);
  };
  if (!x) refuse("x is an empty Value", "Build it first");
  const std::vector<std::int64_t> axes = axes_or_all("resize", x, options.axes, at);
  if (options.scales.empty() == options.sizes.empty() && !axes.empty())
    refuse("it takes either scales or sizes", "Give a number for each axis of one of them");
  for (const std::size_t given : {options.scales.size(), options.sizes.size(), options.roi.size()})
    if (given != 0 && given != axes.size())
      refuse("there are " + std::to_string(given) + " numbers for " + std::to_string(axes.size()) + " axes of " +
                 to_string(x.type()),
             "Give one for each axis");
  if (std::any_of(options.sizes.begin(), options.sizes.end(), [](auto n) { return n < 0 || n > furthest; }))
    refuse("the sizes are " + print(to_attr(options.sizes)), "Give at least 0");
  const bool cropped = options.coordinates == Coordinates::tf_crop_and_resize;
  if (cropped && options.roi.empty()) refuse("it has no region of interest", "Give where it begins and ends, {0, 1}");
  const double scale = keep_aspect(options, x.shape(), axes);
  return as_called("resize", [&] {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      ResizeAxis op{{.axis = axes[i],
                     .mode = word(options.mode, modes),
                     .coordinates = word(options.coordinates, rules),
                     .nearest_mode = word(options.nearest_mode, nearest_modes),
                     .cubic_coefficient = options.cubic_coefficient,
                     .exclude_outside = options.exclude_outside,
                     .antialias = options.antialias,
                     .outside = options.extrapolation_value}};
      if (!options.sizes.empty()) op.size = options.sizes[i], op.scale = scale;
      if (!options.scales.empty()) op.scale = options.scales[i];
      if (cropped) op.begin = options.roi[i].first, op.end = options.roi[i].second;
      const bool same = options.sizes.empty() ? op.scale == 1 : op.size == x.shape()[static_cast<int>(axes[i])];
      if (!same || (cropped && (op.begin != 0 || op.end != 1))) x = apply(op, {x}, at);
    }
    return x;
  });
}

Value center_crop_pad(Value x, std::vector<std::int64_t> shape, std::vector<std::int64_t> axes, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("center_crop_pad", problem + at_line(at) + "\n  " + remedy);
  };
  if (!x) refuse("x is an empty Value", "Build it first");
  const std::vector<std::int64_t> all = axes_or_all("center_crop_pad", x, axes, at);
  if (shape.size() != all.size() ||
      std::any_of(shape.begin(), shape.end(), [](auto n) { return n < 0 || n > furthest; }))
    refuse("the shape is " + print(to_attr(shape)) + " for " + std::to_string(all.size()) + " axes of " +
               to_string(x.type()),
           "Give a size for each");
  return as_called("center_crop_pad", [&] {
    std::vector<std::pair<std::int64_t, std::int64_t>> pads(static_cast<std::size_t>(x.rank()));
    bool padded = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::int64_t axis = all[i], size = x.shape()[static_cast<int>(axis)], more = shape[i] - size;
      if (more < 0) x = slice(x, axis, -more / 2, -more / 2 + shape[i], at);
      if (more > 0) pads[static_cast<std::size_t>(axis)] = {more / 2, more - more / 2}, padded = true;
    }
    return padded ? pad(x, pads, 0, at) : x;
  });
}

}  // namespace oxbow
