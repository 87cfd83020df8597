// The convolution of volumes, as one of images.
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>

namespace oxbow {

using namespace ops;

namespace {

// How a kernel goes along the depth.
struct Depth {
  std::int64_t reach, front, back;
};

Depth depth_of(Value x, Value weights, const Conv3dOptions& o, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    refuse_convolution("conv3d", problem, x, weights, at, remedy);
  };
  check_ranks("conv3d", x, weights, 5, "[n, d, h, w, channels]", "[kd, kh, kw, channels / groups, kernels]", at);
  const std::int64_t taps = weights.shape()[0], size = x.shape()[1], channels = x.shape()[4];
  if (o.groups < 1 || channels % o.groups != 0 || channels / o.groups != weights.shape()[3])
    refuse("x has " + std::to_string(channels) + " channels and the weights take " +
               std::to_string(weights.shape()[3]) + " in each of " + std::to_string(o.groups) + " groups",
           "Volumes are [n, d, h, w, channels], weights [kd, kh, kw, channels / groups, kernels]");
  for (const PerAxis* v : {&o.stride, &o.dilation})
    if (v->count() == 2) refuse(to_string(*v) + " is of two axes", "Give one number, or one for each of three axes");
  const auto known = [](std::int64_t v) { return v >= 1 && v <= furthest; };
  const std::int64_t stride = o.stride.through(), dilation = o.dilation.through();
  if (!known(stride) || !known(dilation) || taps < 1 || taps > furthest / dilation)
    refuse("the stride is " + std::to_string(stride) + ", and " + std::to_string(taps) + " taps are " +
               std::to_string(dilation) + " apart",
           "All are at least 1, and reach at most " + std::to_string(furthest));
  const Padding& p = o.padding;
  if (p.kind == Padding::sides && (std::min(p.front, p.back) < 0 || std::max(p.front, p.back) > furthest))
    refuse("its padding is " + std::to_string(p.front) + " and " + std::to_string(p.back) + " slices",
           "Give at least 0 and at most " + std::to_string(furthest));
  const AxisWindows w = axis_windows(size, taps, stride, dilation, p.kind, p.front, p.back);
  if (size + w.before + w.after < w.reach)
    refuse("kernels of a depth of " + std::to_string(w.reach) + " do not fit into padded volumes of " +
               std::to_string(size + w.before + w.after),
           "Use {.padding = Padding::same}, smaller kernels or larger volumes");
  return {.reach = w.reach, .front = w.before, .back = w.after};
}

// x [n, d, h, w, c] as [n, od, h, w, groups, kd * c / groups]: for each result's slice, those that its taps see.
Value reached(Value x, const Depth& depth, std::int64_t taps, const Conv3dOptions& o, At at) {
  if (depth.front + depth.back > 0) x = pad(x, {{0, 0}, {depth.front, depth.back}, {0, 0}, {0, 0}, {0, 0}}, 0, at);
  std::vector<Value> seen;
  const std::int64_t dilation = o.dilation.through();
  for (std::int64_t i = 0; i < taps; ++i) {
    const std::int64_t left = depth.reach - 1 - i * dilation;  // behind the last slice that the tap sees
    const Value tap = slice(x, 1, i * dilation, left == 0 ? to_end : -left, o.stride.through(), at);
    const Value all = shape_of(tap, at), group = whole_numbers(x, {o.groups, x.shape()[4] / o.groups}, at);
    seen.push_back(reshape(tap, concat({slice(all, 0, 0, 4, at), group}, 0, at), at));
  }
  return concat(seen, -1, at);
}

}  // namespace

Value conv3d(Value x, Value weights, Conv3dOptions options, At at) {
  const DataFormat format = options.data_format;
  x = to_channels_last(x, 5, format, at);
  weights = weights_last(weights, 5, format, at);
  const Depth depth = depth_of(x, weights, options, at);
  const Shape w = weights.shape();
  return as_called("conv3d", [&] {
    const Value slices = reached(x, depth, w[0], options, at), all = shape_of(slices, at);
    const Value volumes = slice(all, 0, 0, 1, at), count = multiply(volumes, slice(all, 0, 1, 2, at), at);
    const Value channels = whole_numbers(x, {x.shape()[4] * w[0]}, at);
    const Value images = reshape(slices, concat({count, slice(all, 0, 2, 4, at), channels}, 0, at), at);
    const Value kernels = reshape(transpose(weights, {1, 2, 0, 3, 4}, at), {w[1], w[2], w[0] * w[3], w[4]}, at);
    const Value y = conv2d(images, kernels,
                           {.stride = {options.stride.down(), options.stride.across()},
                            .padding = options.padding.of_images(),
                            .dilation = {options.dilation.down(), options.dilation.across()},
                            .groups = options.groups},
                           at);
    const Value shape = concat({slice(all, 0, 0, 2, at), slice(shape_of(y, at), 0, 1, 4, at)}, 0, at);
    return with_bias("conv3d", reshape(y, shape, at), options.bias, format, at);
  });
}

}  // namespace oxbow
