// The windows of a pool, checked.
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/pool.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

constexpr std::int64_t most_image = std::int64_t{1} << 31;  // places in an image are counted in 32 bits

PoolShape::Axis axis_of(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t dilation,
                        Padding::Kind kind, std::int64_t before, std::int64_t after, bool ceil_mode) {
  for (const std::int64_t n : {taps, stride, dilation})
    if (n < 1 || n > furthest)
      throw OpError("windows of size " + std::to_string(taps) + ", dilated by " + std::to_string(dilation) +
                        ", cannot lie " + std::to_string(stride) + " apart",
                    "All are at least 1 and at most " + std::to_string(furthest));
  const AxisWindows w = axis_windows(size, taps, stride, dilation, kind, before, after);
  PoolShape::Axis a{size, taps, stride, dilation, w.before, w.after, w.count};
  const std::int64_t left = size + w.before + w.after - w.reach;
  const bool same = kind == Padding::same || kind == Padding::same_lower;
  if (ceil_mode && !same && left >= 0 && left % stride != 0 && a.out * stride < size + w.before) ++a.out;
  if (ceil_mode && !same && left < 0 && left > -stride) a.out = 1;
  return a;
}

}  // namespace

Shape PoolShape::y(int rank) const {
  switch (rank) {
    case 3:
      return {images, across.out, channels};
    case 4:
      return {images, down.out, across.out, channels};
    default:
      return {images, depth.out, down.out, across.out, channels};
  }
}

PoolShape pool_shape(const Shape& x, const PoolAttributes& o) {
  if (x.rank() < 3 || x.rank() > 5)
    throw OpError("x has " + std::to_string(x.rank()) + " axes where sequences, images and volumes have three to five",
                  "Give [images, height, width, channels]");
  const int axes = x.rank() - 2;
  check_axes(o.size, axes, "size");
  check_axes(o.stride, axes, "stride");
  check_axes(o.dilation, axes, "dilation");
  const Padding& p = o.padding;
  PoolShape s{.images = x[0], .channels = x[-1]};
  s.across =
      axis_of(x[-2], o.size.across(), o.stride.across(), o.dilation.across(), p.kind, p.left, p.right, o.ceil_mode);
  if (axes > 1)
    s.down = axis_of(x[-3], o.size.down(), o.stride.down(), o.dilation.down(), p.kind, p.top, p.bottom, o.ceil_mode);
  if (axes > 2)
    s.depth =
        axis_of(x[1], o.size.through(), o.stride.through(), o.dilation.through(), p.kind, p.front, p.back, o.ceil_mode);
  for (const PoolShape::Axis* a : {&s.depth, &s.down, &s.across})
    if (a->out == 0 && !(p.is_same() && a->in == 0))
      throw OpError("a window of " + to_string(o.size) + " does not fit into images of " +
                        to_string(Shape(std::vector<std::int64_t>(x.begin() + 1, x.end() - 1))),
                    "Pool with a smaller size, or larger images");
  if (s.depth.in * s.down.in * s.across.in >= most_image)
    throw OpError("an image of " + to_string(x) + " has too many pixels", "Give fewer than 2^31");
  return s;
}

}  // namespace oxbow::ops
