// The convolution of volumes, as one of images.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>

namespace oxbow {
namespace {

// How a kernel goes along the depth.
struct Depth {
  std::int64_t reach, front, back;
};

Depth depth_of(Value x, Value weights, const Conv3dOptions& o, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    const auto told = [](const char* name, Value v) {
      return std::string("\n  ") + name + ": " + to_string(v.type()) + " from " + to_string(v.node());
    };
    throw BuildError("conv3d", problem + told("x", x) + told("weights", weights) + at_line(at) + "\n  " + remedy);
  };
  if (x.rank() != 5) refuse("x has " + std::to_string(x.rank()) + " axes, not 5", "Give [n, d, h, w, channels]");
  if (weights.rank() != 5)
    refuse("the weights have " + std::to_string(weights.rank()) + " axes, not 5",
           "Give [kd, kh, kw, channels / groups, kernels]");
  const std::int64_t taps = weights.shape()[0], size = x.shape()[1], channels = x.shape()[4];
  if (o.groups < 1 || channels % o.groups != 0 || channels / o.groups != weights.shape()[3])
    refuse("x has " + std::to_string(channels) + " channels and the weights take " +
               std::to_string(weights.shape()[3]) + " in each of " + std::to_string(o.groups) + " groups",
           "Volumes are [n, d, h, w, channels], weights [kd, kh, kw, channels / groups, kernels]");
  const auto known = [](std::int64_t v) { return v >= 1 && v <= ops::furthest; };
  if (!known(o.stride) || !known(o.dilation) || taps < 1 || taps > ops::furthest / o.dilation)
    refuse("the stride is " + std::to_string(o.stride) + ", and " + std::to_string(taps) + " taps are " +
               std::to_string(o.dilation) + " apart",
           "All are at least 1, and reach at most " + std::to_string(ops::furthest));
  const Padding& p = o.padding;
  if (p.kind == Padding::sides &&
      (p.top != p.bottom || p.top != p.left || p.top != p.right || p.top < 0 || p.top > ops::furthest))
    refuse("its padding is not one number for all sides", "Give {.padding = 1}, or pad x before");
  Depth d{.reach = (taps - 1) * o.dilation + 1, .front = 0, .back = 0};
  if (p.kind == Padding::same) {
    const std::int64_t missing = (std::max<std::int64_t>(size, 1) - 1) / o.stride * o.stride + d.reach - size;
    d.front = std::max<std::int64_t>(0, missing) / 2;
    d.back = std::max<std::int64_t>(0, missing) - d.front;
  } else if (p.kind == Padding::sides) {
    d.front = d.back = p.top;
  }
  if (size + d.front + d.back < d.reach)
    refuse("kernels of a depth of " + std::to_string(d.reach) + " do not fit into padded volumes of " +
               std::to_string(size + d.front + d.back),
           "Use {.padding = Padding::same}, smaller kernels or larger volumes");
  return d;
}

Value sizes(Graph& g, std::vector<std::int64_t> list, At at) {
  return constant(g, Tensor::of({static_cast<std::int64_t>(list.size())}, list), at);
}

// x [n, d, h, w, c] as [n, od, h, w, groups, kd * c / groups]: for each result's slice, those that its taps see.
Value reached(Value x, const Depth& depth, std::int64_t taps, const Conv3dOptions& o, At at) {
  if (depth.front + depth.back > 0) x = pad(x, {{0, 0}, {depth.front, depth.back}, {0, 0}, {0, 0}, {0, 0}}, 0, at);
  std::vector<Value> seen;
  for (std::int64_t i = 0; i < taps; ++i) {
    const std::int64_t left = depth.reach - 1 - i * o.dilation;  // behind the last slice that the tap sees
    const Value tap = slice(x, 1, i * o.dilation, left == 0 ? to_end : -left, o.stride, at);
    const Value all = shape_of(tap, at), group = sizes(x.graph(), {o.groups, x.shape()[4] / o.groups}, at);
    seen.push_back(reshape(tap, concat({slice(all, 0, 0, 4, at), group}, 0, at), at));
  }
  return concat(seen, -1, at);
}

}  // namespace

Value conv3d(Value x, Value weights, Conv3dOptions options, At at) {
  if (!x || !weights)
    throw BuildError("conv3d", std::string(x ? "weights are" : "x is") + " an empty Value\n  Build it first");
  const Depth depth = depth_of(x, weights, options, at);
  const Shape w = weights.shape();
  return as_called("conv3d", [&] {
    const Value slices = reached(x, depth, w[0], options, at), all = shape_of(slices, at);
    const Value volumes = slice(all, 0, 0, 1, at), count = multiply(volumes, slice(all, 0, 1, 2, at), at);
    const Value channels = sizes(x.graph(), {x.shape()[4] * w[0]}, at);
    const Value images = reshape(slices, concat({count, slice(all, 0, 2, 4, at), channels}, 0, at), at);
    const Value kernels = reshape(transpose(weights, {1, 2, 0, 3, 4}, at), {w[1], w[2], w[0] * w[3], w[4]}, at);
    const Value y = conv2d(
        images, kernels,
        {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups},
        at);
    return reshape(y, concat({slice(all, 0, 0, 2, at), slice(shape_of(y, at), 0, 1, 4, at)}, 0, at), at);
  });
}

}  // namespace oxbow
