// Builders of transposed convolutions: the padding that an output shape asks for, and other shapes of x.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/transpose.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

// What is cut off before and after a result, or added after it, so that it has the size that is asked for.
struct Cut {
  std::int64_t before = 0, after = 0, added = 0;
};

Cut cut_to(std::int64_t wanted, std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t dilation,
           Padding::Kind kind) {
  const std::int64_t whole = (size - 1) * stride + (taps - 1) * dilation + 1;
  if (whole < wanted) return {.added = wanted - whole};
  const std::int64_t half = (whole - wanted) / 2, rest = whole - wanted - half;
  return kind == Padding::same ? Cut{half, rest} : Cut{rest, half};
}

void check_output_shape(const char* builder, const std::vector<std::int64_t>& shape, std::size_t axes, Value x,
                        Value weights, At at) {
  if (shape.size() != axes || std::any_of(shape.begin(), shape.end(), [](auto n) { return n < 0 || n > furthest; }))
    refuse_convolution(builder, "its output shape is " + print(to_attr(shape)), x, weights, at,
                       "Give a size for each of " + std::to_string(axes) + " axes, without those of the channels");
}

}  // namespace

Value conv2d_transpose(Value x, Value weights, Conv2dTransposeOptions options, At at) {
  const DataFormat format = options.data_format;
  x = to_channels_last(x, 4, format, at);
  weights = weights_last(weights, 4, format, at);
  Conv2dTranspose op{{options.stride, options.padding.of_images(), options.dilation, options.groups},
                     options.output_padding};
  if (!options.output_shape.empty()) {
    check_ranks("conv2d_transpose", x, weights, 4, "[images, height, width, channels]",
                "[kernel height, kernel width, channels of the result, channels of x]", at);
    check_output_shape("conv2d_transpose", options.output_shape, 2, x, weights, at);
    const auto cut = [&](int axis, std::int64_t stride, std::int64_t dilation) {
      return cut_to(options.output_shape[static_cast<std::size_t>(axis)], x.shape()[axis + 1], weights.shape()[axis],
                    stride, dilation, options.padding.kind);
    };
    const Cut down = cut(0, options.stride.down(), options.dilation.down());
    const Cut across = cut(1, options.stride.across(), options.dilation.across());
    op.padding = Padding(down.before, down.after, across.before, across.after);
    op.output_padding = {down.added, across.added};
  }
  const Value y = apply(std::move(op), {x, weights}, at);
  return with_bias("conv2d_transpose", y, options.bias, format, at);
}

Value conv1d_transpose(Value x, Value weights, Conv1dTransposeOptions options, At at) {
  check_ranks("conv1d_transpose", x, weights, 3, "[sequences, length, channels]",
              "[kernel length, channels of the result, channels of x]", at);
  const DataFormat format = options.data_format;
  x = to_channels_last(x, 3, format, at);
  weights = weights_last(weights, 3, format, at);
  Padding padding = options.padding;
  padding.top = padding.bottom = 0;
  if (!options.output_shape.empty()) options.output_shape.insert(options.output_shape.begin(), 1);
  const Shape w = weights.shape();
  return as_called("conv1d_transpose", [&] {
    const Value y =
        conv2d_transpose(reshape(x, {0, 1, -1, x.shape()[2]}, at), reshape(weights, {1, w[0], w[1], w[2]}, at),
                         {.stride = {1, options.stride},
                          .padding = padding,
                          .dilation = {1, options.dilation},
                          .groups = options.groups,
                          .output_padding = {std::min<std::int64_t>(0, options.output_padding), options.output_padding},
                          .output_shape = options.output_shape},
                         at);
    return with_bias("conv1d_transpose", squeeze(y, {1}, at), options.bias, format, at);
  });
}

namespace {

// How the depth of volumes is enlarged: the padding in numbers, and how much is added at the back.
Cut depth_of(const Conv3dTransposeOptions& o, std::int64_t size, std::int64_t taps) {
  const std::int64_t stride = o.stride.through(), reach = (taps - 1) * o.dilation.through() + 1;
  const std::int64_t whole = (size - 1) * stride + reach, added = o.output_padding.through();
  if (!o.output_shape.empty())
    return cut_to(o.output_shape[0], size, taps, stride, o.dilation.through(), o.padding.kind);
  if (o.padding.kind == Padding::sides) return {o.padding.front, o.padding.back, std::max<std::int64_t>(0, added)};
  if (o.padding.kind == Padding::valid) return {.added = added >= 0 ? added : std::max(reach, stride) - reach};
  return cut_to(added < 0 ? size * stride : whole - reach + reach % 2 + added, size, taps, stride, o.dilation.through(),
                o.padding.kind);
}

// x [n, d, ...] with `stride` - 1 slices of zeros after each of its slices but the last.
Value spread(Value x, std::int64_t stride, At at) {
  if (stride == 1) return x;
  const Shape s = x.shape();
  const Value apart = reshape(x, {0, s[1], 1, s[2], s[3], s[4]}, at);
  const Value padded = pad(apart, {{0, 0}, {0, 0}, {0, stride - 1}, {0, 0}, {0, 0}, {0, 0}}, 0, at);
  return slice(reshape(padded, {-1, s[1] * stride, s[2], s[3], s[4]}, at), 1, 0, (s[1] - 1) * stride + 1, at);
}

}  // namespace

Value conv3d_transpose(Value x, Value weights, Conv3dTransposeOptions options, At at) {
  check_ranks("conv3d_transpose", x, weights, 5, "[volumes, depth, height, width, channels]",
              "[kernel depth, height, width, channels of the result, channels of x]", at);
  const DataFormat format = options.data_format;
  x = to_channels_last(x, 5, format, at);
  weights = weights_last(weights, 5, format, at);
  if (!options.output_shape.empty()) check_output_shape("conv3d_transpose", options.output_shape, 3, x, weights, at);
  for (const PerAxis* v : {&options.stride, &options.dilation, &options.output_padding})
    if (v->count() == 2)
      refuse_convolution("conv3d_transpose", to_string(*v) + " is of two axes", x, weights, at,
                         "Give one number, or one for each of three axes");
  const std::int64_t stride = options.stride.through(), dilation = options.dilation.through();
  if (stride < 1 || stride > furthest || dilation < 1 || dilation > furthest || weights.shape()[0] < 1 ||
      weights.shape()[0] > furthest / dilation || x.shape()[1] < 1 || x.shape()[1] > furthest / stride)
    refuse_convolution(
        "conv3d_transpose",
        "its stride is " + to_string(options.stride) + " and its dilation " + to_string(options.dilation), x, weights,
        at, "Both are at least 1, for volumes and kernels of at least one slice");
  const Cut depth = depth_of(options, x.shape()[1], weights.shape()[0]);
  const std::int64_t reach = (weights.shape()[0] - 1) * dilation + 1;
  const std::int64_t whole = (x.shape()[1] - 1) * stride + reach + depth.added;
  if (depth.before < 0 || depth.after < 0 || depth.before + depth.after > whole)
    refuse_convolution("conv3d_transpose", "nothing is left of a depth of " + std::to_string(whole), x, weights, at,
                       "Use less padding, or larger volumes");
  return as_called("conv3d_transpose", [&] {
    const Shape s = x.shape(), w = weights.shape();
    const Value slices = reshape(x, {-1, s[2], s[3], s[4]}, at);
    const auto two = [](const PerAxis& v) { return PerAxis({v.down(), v.across()}); };
    const std::vector<std::int64_t> shape(options.output_shape.begin() + (options.output_shape.empty() ? 0 : 1),
                                          options.output_shape.end());
    Value y;
    for (std::int64_t tap = 0; tap < w[0]; ++tap) {
      const Value kernel = reshape(slice(weights, 0, tap, tap + 1, at), {w[1], w[2], w[3], w[4]}, at);
      const Value each = conv2d_transpose(slices, kernel,
                                          {.stride = two(options.stride),
                                           .padding = options.padding.of_images(),
                                           .dilation = two(options.dilation),
                                           .groups = options.groups,
                                           .output_padding = two(options.output_padding),
                                           .output_shape = shape},
                                          at);
      const Shape e = each.shape();
      const Value apart = spread(reshape(each, {-1, s[1], e[1], e[2], e[3]}, at), stride, at);
      const std::int64_t before = tap * dilation, after = whole - before - apart.shape()[1];
      const Value placed = pad(apart, {{0, 0}, {before, after}, {0, 0}, {0, 0}, {0, 0}}, 0, at);
      y = y ? add(y, placed, at) : placed;
    }
    if (depth.before + depth.after > 0) y = slice(y, 1, depth.before, whole - depth.after, at);
    return with_bias("conv3d_transpose", y, options.bias, format, at);
  });
}

namespace {

// A kernel for each row of a channel's columns, which has 1 at its tap: [window..., 1, channels * taps].
Value taps_apart(Value x, const std::vector<std::int64_t>& window, std::int64_t channels, At at) {
  std::vector<std::int64_t> shape = window;
  shape.insert(shape.end(), {1, x.shape()[1]});
  Tensor ones({x.dtype() == f64 ? f64 : f32, Shape(shape)});
  const std::int64_t rows = x.shape()[1], taps = channels == 0 ? 0 : rows / channels;
  dispatch<dtypes::Floats>(ones.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < rows; ++row) ones.data<T>()[row % taps * rows + row] = T(1);
  });
  return cast(constant(x.graph(), ones, at), x.dtype(), at);
}

std::int64_t along(const PerAxis& v, std::size_t axis, std::size_t axes) {
  const std::size_t from_last = axes - 1 - axis;
  return from_last == 0 ? v.across() : from_last == 1 ? v.down() : v.through();
}

}  // namespace

Value col2im(Value x, std::vector<std::int64_t> image, std::vector<std::int64_t> window, Col2imOptions options, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("col2im", problem + at_line(at) + "\n  " + remedy);
  };
  if (!x) refuse("x is an empty Value", "Build it first");
  const auto positive = [](std::int64_t n) { return n >= 1 && n <= (1 << 20); };
  const std::size_t axes = image.size();
  if ((axes != 2 && axes != 3) || window.size() != axes || !std::all_of(image.begin(), image.end(), positive) ||
      !std::all_of(window.begin(), window.end(), positive))
    refuse("its image is " + print(to_attr(image)) + " and its window " + print(to_attr(window)),
           "Give {height, width} of both, or {depth, height, width}");
  const std::int64_t taps = std::accumulate(window.begin(), window.end(), std::int64_t{1}, std::multiplies());
  if (x.rank() != 3 || x.shape()[1] % taps != 0 || !is_float(x.dtype()))
    refuse("x is " + to_string(x.type()), "Give [n, c * " + std::to_string(taps) + ", windows] of floating point");
  return as_called("col2im", [&] {
    const std::int64_t channels = x.shape()[1] / taps;
    const Padding& p = options.padding;
    const std::int64_t sides[3][2] = {{p.front, p.back}, {p.top, p.bottom}, {p.left, p.right}};
    std::vector<std::int64_t> shape{-1}, added, cut;
    std::int64_t windows = 1;
    for (std::size_t a = 0; a < axes; ++a) {
      const auto& [before, after] = sides[a + 3 - axes];
      const std::int64_t stride = along(options.stride, a, axes), dilation = along(options.dilation, a, axes);
      if (!positive(stride) || !positive(dilation))
        refuse("its stride is " + to_string(options.stride) + " and its dilation " + to_string(options.dilation),
               "Both are at least 1");
      const AxisWindows w = axis_windows(image[a], window[a], stride, dilation, p.kind, before, after);
      shape.push_back(w.count);
      windows *= w.count;
      // What no window reaches at the far edge.
      added.push_back(image[a] + w.before + w.after - ((w.count - 1) * stride + w.reach));
      cut.insert(cut.end(), {w.before, w.after});
    }
    if (x.shape()[2] != windows || windows == 0)
      refuse("x is " + to_string(x.type()) + ", and the image has " +
                 to_string(Shape(std::vector<std::int64_t>(shape.begin() + 1, shape.end()))) + " windows",
             "Give as many columns");
    shape.push_back(x.shape()[1]);
    const Value columns = reshape(transpose(x, {0, 2, 1}, at), shape, at), kernel = taps_apart(x, window, channels, at);
    const Value y = axes == 2 ? conv2d_transpose(columns, kernel,
                                                 {.stride = options.stride,
                                                  .padding = Padding(cut[0], cut[1], cut[2], cut[3]),
                                                  .dilation = options.dilation,
                                                  .groups = channels,
                                                  .output_padding = added},
                                                 at)
                              : conv3d_transpose(columns, kernel,
                                                 {.stride = options.stride,
                                                  .padding = Padding(cut[0], cut[1], cut[2], cut[3], cut[4], cut[5]),
                                                  .dilation = options.dilation,
                                                  .groups = channels,
                                                  .output_padding = added},
                                                 at);
    return from_channels_last(y, channels_first, at);
  });
}

}  // namespace oxbow
