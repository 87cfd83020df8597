#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {
namespace {

void check_broadcast(const Shape& x, const Shape& to) {
  bool fits = x.rank() <= to.rank();
  for (int i = 1; fits && i <= x.rank(); ++i) fits = x[-i] == to[-i] || x[-i] == 1;
  if (!fits)
    throw OpError(to_string(x) + " does not broadcast to " + to_string(to),
                  "Aligned at the last axis, each size of x must be the same or 1");
}

// x's shape with the axes of the result that it lacks put in, of size 1.
Shape with_axes(const Shape& x, const Shape& like, const std::vector<std::int64_t>& axes) {
  Shape full = x;
  if (axes.empty()) return full;
  for (int axis : normal_axes(like, axes)) {
    if (axis > full.rank())
      throw OpError(to_string(x) + " lacks more axes of " + to_string(like) + " than the " +
                        std::to_string(axes.size()) + " named",
                    "Name every axis that x lacks");
    full = full.inserted(axis, 1);
  }
  return full;
}

// Lanes arrive broadcast: what is left is a copy, and none where the lanes are in place.
template <class T>
void copy_lanes(const void*, const void* const* in, void* out, std::int64_t lanes) {
  if (in[0] != out && lanes > 0) std::memcpy(out, in[0], static_cast<std::size_t>(lanes) * sizeof(T));
}

}  // namespace

Type BroadcastTo::infer(Types in) const {
  check_broadcast(in[0].shape, shape);
  return {in[0].dtype, shape};
}

TileFn BroadcastTo::tile(Types in) const {
  return dispatch_width(in[0].dtype, []<class T>(std::type_identity<T>) -> TileFn { return copy_lanes<T>; });
}

Value BroadcastTo::simplify(Values in) const {
  if (in[0].shape() == shape) return in[0];
  if (in[0].node().op().is<BroadcastTo>()) return broadcast_to(in[0].node().input(0), shape);
  return {};
}

std::vector<Value> BroadcastTo::transposed(Values in, std::span<const int> axes) const {
  const Value x = in[0].rank() == shape.rank() ? in[0] : aligned_and_moved(in[0], axes);
  return {broadcast_to(x, moved_shape(shape, axes))};
}

Grads BroadcastTo::gradient(const Node& n, Values dy) const { return {sum_to(dy[0], n.input(0))}; }

Type BroadcastLike::infer(Types in) const {
  check_broadcast(with_axes(in[0].shape, in[1].shape, axes), in[1].shape);
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> BroadcastLike::lower(Values in) const {
  const Shape full = with_axes(in[0].shape(), in[1].shape(), axes);
  const Value x = full == in[0].shape() ? in[0] : apply(Reshape{.shape = full.vector()}, {in[0]}, {});
  return {full == in[1].shape() ? x : broadcast_to(x, in[1].shape())};
}

std::vector<Value> BroadcastLike::transposed(Values in, std::span<const int> to) const {
  Value x = in[0];
  if (x.rank() != in[1].rank()) {
    const std::vector<int> order(to.begin(), to.end());
    Shape like = in[1].shape();  // as it was
    for (std::size_t i = 0; i < order.size(); ++i) like = like.with(order[i], in[1].shape()[static_cast<int>(i)]);
    const Shape full = with_axes(x.shape(), like, axes);
    x = aligned_and_moved(full == x.shape() ? x : apply(Reshape{.shape = full.vector()}, {x}, {}), to);
  }
  return {apply(BroadcastLike{}, {x, in[1]}, {})};
}

Value BroadcastLike::simplify(Values in) const { return in[0].shape() == in[1].shape() ? in[0] : lower(in)[0]; }

Grads BroadcastLike::gradient(const Node& n, Values dy) const {
  return {sum_to(axes.empty() ? dy[0] : sum(dy[0], axes), n.input(0)), Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

Value broadcast_to(Value x, const Shape& shape, At at) { return apply(ops::BroadcastTo{.shape = shape}, {x}, at); }

Value broadcast_like(Value x, Value like, std::vector<std::int64_t> axes, At at) {
  return apply(ops::BroadcastLike{.axes = std::move(axes)}, {x, like}, at);
}

}  // namespace oxbow
