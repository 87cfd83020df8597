// Builders of what samples images between their pixels.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/interpolate.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/resize.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

#include <algorithm>

namespace oxbow {

using namespace ops;

namespace {

// 0, `step`, 2 step, ... for each element of x's first axis, as i64 [n, 1, ...] of `rank` axes.
Value along_batch(Value x, Value step, int rank, At at) {
  Graph& g = x.graph();
  const Value count = size_of_axis(x, 0, at);
  const auto whole = [&](std::int64_t n) { return constant(g, Tensor::scalar(n), at); };
  const Value start = whole(0), one = whole(1), numbers = arange(start, count, one, at);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[0] = -1;
  return reshape(multiply(numbers, step, at), shape, at);
}

// The constant numbers begin, begin + step, ... of floating point, along `axis` of `rank` axes.
Value ramp(Value like, std::int64_t count, double begin, double step, int axis, int rank, At at) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = count;
  Tensor numbers({like.dtype(), Shape(shape)});
  dispatch(like.dtype(), [&]<class T>(std::type_identity<T>) {
    if constexpr (dtypes::Floats::has<T>)
      for (std::int64_t i = 0; i < count; ++i)
        numbers.data<T>()[i] = static_cast<T>(begin + static_cast<double>(i) * step);
  });
  return constant(like.graph(), numbers, at);
}

[[noreturn]] void refuse(const char* builder, const std::string& problem, At at, const std::string& remedy) {
  throw BuildError(builder, problem + at_line(at) + "\n  " + remedy);
}

}  // namespace

Value grid_sample(Value x, Value grid, GridSampleOptions options, At at) {
  if (!x || !grid)
    refuse("grid_sample", std::string(x ? "the grid" : "x") + " is an empty Value", at, "Build it first");
  const int axes = x.rank() - 2;
  if ((axes != 2 && axes != 3) || grid.rank() != x.rank() || grid.shape()[-1] != axes || !is_float(x.dtype()) ||
      !is_float(grid.dtype()))
    refuse("grid_sample", "x is " + to_string(x.type()) + " and the grid " + to_string(grid.type()), at,
           "Give images [n, h, w, c] and a grid [n, oh, ow, 2], or volumes and [n, od, oh, ow, 3], of floating point");
  if (axes == 3 && options.mode == Interpolation::cubic)
    refuse("grid_sample", "volumes cannot be sampled cubically", at, "Use Interpolation::linear");
  return as_called("grid_sample", [&] {
    const Value last = to_channels_last(x, x.rank(), options.data_format, at);
    const DType dtype = compute_type(x.dtype());
    const Shape s = last.shape();
    std::vector<PlacesAlong> places;
    for (int a = 0; a < axes; ++a) {
      const Value size = size_of_axis(last, a + 1, at), number = cast(size, dtype, at);
      if (s[a + 1] == 0) refuse("grid_sample", "x is " + to_string(x.type()), at, "Give images with pixels");
      const Value place = squeeze(slice(grid, -1, axes - 1 - a, axes - a, at), {-1}, at);
      const Value unit = add(cast(place, dtype, at), 1, at);
      const Value reach = options.align_corners ? multiply(unit, subtract(number, 1, at), at)
                                                : subtract(multiply(unit, number, at), 1, at);
      places.push_back({multiply(reach, 0.5, at), size});
    }
    const Value table = cast(reshape(last, {-1, s[-1]}, at), dtype, at);
    const Value y = interpolated(table, along_batch(last, places[0].size, axes + 1, at), places, {}, 1,
                                 {options.mode, options.padding, options.align_corners}, at);
    return from_channels_last(cast(y, x.dtype(), at), options.data_format, at);
  });
}

Value affine_grid(Value theta, std::vector<std::int64_t> size, bool align_corners, At at) {
  if (!theta) refuse("affine_grid", "theta is an empty Value", at, "Build it first");
  const auto axes = static_cast<std::int64_t>(size.size());
  if ((axes != 2 && axes != 3) || theta.rank() != 3 || theta.shape()[1] != axes || theta.shape()[2] != axes + 1 ||
      !is_float(theta.dtype()))
    refuse("affine_grid", "theta is " + to_string(theta.type()) + " for a size " + print(to_attr(size)), at,
           "Give [n, 2, 3] of floating point and {h, w}, or [n, 3, 4] and {d, h, w}");
  if (std::any_of(size.begin(), size.end(), [](auto n) { return n < 1 || n > (1 << 20); }))
    refuse("affine_grid", "the size is " + print(to_attr(size)), at, "Give at least 1");
  return as_called("affine_grid", [&] {
    const int rank = static_cast<int>(axes) + 1;
    std::vector<std::int64_t> whole = size;
    whole.push_back(1);
    std::vector<Value> columns;
    for (std::int64_t a = axes - 1; a >= 0; --a) {
      const auto n = static_cast<double>(size[static_cast<std::size_t>(a)]);
      const double step = align_corners ? (n > 1 ? 2 / (n - 1) : 0) : 2 / n;
      const double begin = align_corners ? (n > 1 ? -1 : 0) : -1 + step / 2;
      const Value own = ramp(theta, size[static_cast<std::size_t>(a)], begin, step, static_cast<int>(a), rank, at);
      columns.push_back(broadcast_to(own, Shape(whole), at));
    }
    columns.push_back(broadcast_to(ramp(theta, 1, 1, 0, 0, rank, at), Shape(whole), at));
    const Value points = reshape(concat(columns, -1, at), {-1, axes + 1}, at);
    std::vector<std::int64_t> shape{-1};
    shape.insert(shape.end(), size.begin(), size.end());
    shape.push_back(axes);
    return reshape(matmul(points, theta, {.transpose_b = true}, at), shape, at);
  });
}

Value deform_conv(Value x, Value weights, Value offsets, DeformConvOptions options, At at) {
  check_ranks("deform_conv", x, weights, 4, "[images, channels, height, width]",
              "[kernels, channels / groups, kernel height, kernel width]", at);
  const Shape s = x.shape(), w = weights.shape();
  const std::int64_t taps = w[2] * w[3], moved = options.offset_groups;
  if (!offsets || offsets.rank() != 4 || moved < 1 || s[1] % moved != 0 || offsets.shape()[1] != moved * taps * 2)
    refuse_convolution("deform_conv", offsets ? "the offsets are " + to_string(offsets.type()) : "there are no offsets",
                       x, weights, at,
                       "Give [n, offset_groups * kh * kw * 2, oh, ow], and offset groups that divide the channels");
  if (options.mask && (options.mask.rank() != 4 || options.mask.shape()[1] != moved * taps))
    refuse_convolution("deform_conv", "the mask is " + to_string(options.mask.type()), x, weights, at,
                       "Give [n, offset_groups * kh * kw, oh, ow]");
  return as_called("deform_conv", [&] {
    const ConvShape geometry =
        conv_shape({s[0], s[2], s[3], s[1]}, {w[2], w[3], w[1], w[0]},
                   {options.stride, options.padding.of_images(), options.dilation, options.groups});
    const Shape o = offsets.shape();
    if (o[2] != geometry.rows || o[3] != geometry.columns)
      refuse_convolution(
          "deform_conv", "the offsets are " + to_string(offsets.type()), x, weights, at,
          "Give them for " + std::to_string(geometry.rows) + " by " + std::to_string(geometry.columns) + " results");
    // Places [n, oh, ow, offset group, kh, kw] along each of both axes.
    const Value apart =
        transpose(reshape(offsets, {-1, moved, w[2], w[3], 2, o[2] * o[3]}, at), {0, 5, 1, 2, 3, 4}, at);
    const Value pairs = reshape(apart, {-1, o[2], o[3], moved, w[2], w[3] * 2}, at);
    std::vector<PlacesAlong> places;
    for (int a = 0; a < 2; ++a) {
      const bool down = a == 0;
      const Value own = slice(pairs, -1, a, to_end, 2, at);
      const double stride = static_cast<double>(down ? geometry.stride.down : geometry.stride.across);
      const double dilation = static_cast<double>(down ? geometry.dilation.down : geometry.dilation.across);
      const double before = static_cast<double>(down ? geometry.top : geometry.left);
      const Value windows = ramp(own, o[2 + a], -before, stride, 1 + a, 6, at);
      const Value taps_of = ramp(own, w[2 + a], 0, dilation, 4 + a, 6, at);
      places.push_back({add(add(own, windows, at), taps_of, at), size_of_axis(x, 2 + a, at)});
    }
    const Value last = transpose(x, {0, 2, 3, 1}, at), table = reshape(last, {-1, s[1] / moved}, at);
    std::vector<std::int64_t> groups(static_cast<std::size_t>(moved));
    for (std::int64_t g = 0; g < moved; ++g) groups[static_cast<std::size_t>(g)] = g;
    const Value group = reshape(whole_numbers(x, groups, at), {1, 1, 1, moved, 1, 1}, at);
    Value seen = interpolated(table, along_batch(last, places[0].size, 6, at), places, group, moved, {}, at);
    if (options.mask) {
      const Value mask = transpose(reshape(options.mask, {-1, moved, taps, o[2] * o[3]}, at), {0, 3, 1, 2}, at);
      seen = multiply(seen, reshape(mask, {-1, o[2], o[3], moved, w[2], w[3], 1}, at), at);
    }
    // A convolution of single pixels, whose channels are all that a result sees, group by group.
    const std::int64_t each = s[1] / options.groups;
    const Value by_tap =
        transpose(reshape(seen, {-1, o[2] * o[3], moved, taps, s[1] / moved}, at), {0, 1, 3, 2, 4}, at);
    const Value by_group =
        transpose(reshape(by_tap, {-1, o[2] * o[3], taps, options.groups, each}, at), {0, 1, 3, 2, 4}, at);
    const Value columns = reshape(by_group, {-1, o[2], o[3], options.groups * taps * each}, at);
    const Value kernel = reshape(transpose(weights, {2, 3, 1, 0}, at), {1, 1, taps * each, w[0]}, at);
    const Value y =
        conv2d(columns, kernel, {.padding = Padding::valid, .groups = options.groups, .bias = options.bias}, at);
    return from_channels_last(y, channels_first, at);
  });
}

}  // namespace oxbow
