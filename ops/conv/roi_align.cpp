#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/interpolate.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/resize.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

namespace oxbow {

using namespace ops;

namespace {

// Places [r, count * samples] along an axis of regions from `begin` to `end`, both [r, 1], cut into `count` bins.
Value places_along(Value begin, Value end, std::int64_t count, const RoiAlignOptions& o, At at) {
  const double scale = o.spatial_scale, before = o.half_pixel ? 0.5 : 0;
  const Value start = subtract(multiply(begin, scale, at), before, at);
  Value size = multiply(subtract(end, begin, at), scale, at);
  if (!o.half_pixel) size = maximum(size, 1, at);
  const std::int64_t n = count * o.sampling_ratio;
  Tensor shares({begin.dtype(), {n}});  // of a region, up to the middle of each sample
  dispatch(begin.dtype(), [&]<class T>(std::type_identity<T>) {
    if constexpr (dtypes::Floats::has<T>)
      for (std::int64_t i = 0; i < n; ++i)
        shares.data<T>()[i] = static_cast<T>((static_cast<double>(i) + 0.5) / static_cast<double>(n));
  });
  return add(start, multiply(size, constant(begin.graph(), shares, at), at), at);
}

Value inside(Value places, Value size, At at) {
  return logical_and(greater_equal(places, -1, at), less_equal(places, cast(size, places.dtype(), at), at), at);
}

}  // namespace

Value roi_align(Value x, Value regions, Value images, RoiAlignOptions o, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("roi_align", problem + at_line(at) + "\n  " + remedy);
  };
  if (!x || !regions || !images)
    refuse(std::string(!x ? "x is" : !regions ? "regions are" : "images are") + " an empty Value", "Build it first");
  if (x.rank() != 4 || regions.rank() != 2 || regions.shape()[1] != 4 || images.rank() != 1 || !is_float(x.dtype()) ||
      !is_float(regions.dtype()) || !is_integer(images.dtype()))
    refuse("x is " + to_string(x.type()) + ", regions are " + to_string(regions.type()) + ", images " +
               to_string(images.type()),
           "Give [n, h, w, c] and [r, 4] of floating point, and integers [r]");
  const auto known = [](std::int64_t n) { return n >= 1 && n <= 1024; };
  if (!known(o.height) || !known(o.width) || !known(o.sampling_ratio))
    refuse("it has " + std::to_string(o.height) + " by " + std::to_string(o.width) + " bins of " +
               std::to_string(o.sampling_ratio) + " places along each axis",
           "Give 1 to 1024 of each: places that follow from a region's size are not known while a graph is built");
  return as_called("roi_align", [&] {
    const Value last = to_channels_last(x, 4, o.data_format, at);
    const Shape s = last.shape();
    const DType dtype = compute_type(x.dtype());
    const Value corners = cast(regions, dtype, at);
    const auto side = [&](std::int64_t i) { return slice(corners, 1, i, i + 1, at); };
    const Value across = places_along(side(0), side(2), o.width, o, at);
    const Value down = places_along(side(1), side(3), o.height, o, at);
    const std::int64_t rows = o.height * o.sampling_ratio, columns = o.width * o.sampling_ratio;
    const Value y = reshape(down, {-1, rows, 1}, at), z = reshape(across, {-1, 1, columns}, at);
    const Value height = size_of_axis(last, 1, at), width = size_of_axis(last, 2, at);
    const Value seen = logical_and(inside(y, height, at), inside(z, width, at), at);
    const Value image = require_within(images, size_of_axis(last, 0, at), "image", at);
    const Value first = reshape(multiply(image, height, at), {-1, 1, 1}, at);
    const Value table = cast(reshape(last, {-1, s[3]}, at), dtype, at);
    // Of a sum beside the largest of its parts: ONNX's.
    const std::vector<Value> parts =
        weighted(table, first, {{y, height}, {z, width}}, {}, 1, {.padding = GridPadding::border}, at);
    Value value = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i)
      value = o.largest ? maximum(value, parts[i], at) : add(value, parts[i], at);
    const Value mask = cast(reshape(seen, {-1, rows, columns, 1}, at), dtype, at);
    const std::int64_t n = o.sampling_ratio;
    const Value bins = reshape(multiply(value, mask, at), {-1, o.height, n, o.width, n, s[3]}, at);
    const Value result = o.largest ? max(bins, {2, 4}, false, at) : mean(bins, {2, 4}, false, at);
    return from_channels_last(cast(result, x.dtype(), at), o.data_format, at);
  });
}

}  // namespace oxbow
