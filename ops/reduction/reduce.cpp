#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/chunks.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/reshape.h>

#include <algorithm>
#include <limits>

namespace oxbow::ops {
namespace {

Value in_shape(Value x, const Shape& shape) {
  return x.shape() == shape ? x : apply(Reshape{.shape = shape.vector()}, {x}, {});
}

// Which axes of `like` broadcasting to x's shape added or stretched, as x numbers them.
std::vector<std::int64_t> broadcast_axes(const Shape& x, const Shape& like) {
  std::vector<std::int64_t> axes;
  const int lead = x.rank() - like.rank();
  for (int i = 0; i < x.rank(); ++i)
    if (i < lead || (like[i - lead] == 1 && x[i] != 1)) axes.push_back(i);
  return axes;
}

void check_summable(const Type& x) {
  if (x.dtype == boolean)
    throw OpError("bool cannot be added", "Cast it to f32 to count or average, or to i64 to count");
}

// What nothing gives, a scalar.
template <Fold F>
Value neutral(Graph& g, DType dtype) {
  if (F == Fold::sum || F == Fold::prod) return constant(g, F == Fold::sum ? 0 : 1, dtype);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (is_float(dtype)) return constant(g, F == Fold::max ? -infinity : infinity, dtype);
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    using Limits = std::numeric_limits<T>;
    return constant(g, Tensor::scalar<T>(F == Fold::max ? Limits::lowest() : Limits::max()));
  });
}

// The products of all elements of an axis but each: of those before it and those behind, so that zeros count.
Value product_of_others(Value x, std::int64_t axis) {
  const Value before = cumprod(x, axis, {.exclusive = true});
  return before * cumprod(x, axis, {.exclusive = true, .reverse = true});
}

}  // namespace

std::vector<int> normal_axes(const Shape& shape, const std::vector<std::int64_t>& axes) {
  std::vector<int> normal;
  for (std::int64_t axis : axes) normal.push_back(shape.axis_of(axis));
  for (int i = 0; axes.empty() && i < shape.rank(); ++i) normal.push_back(i);
  std::sort(normal.begin(), normal.end());
  if (const auto twice = std::adjacent_find(normal.begin(), normal.end()); twice != normal.end())
    throw OpError("axis " + std::to_string(*twice) + " of " + to_string(shape) + " is named twice",
                  "Name each axis once");
  return normal;
}

template <Fold F>
Type Reduce<F>::infer(Types in) const {
  const Shape& x = in[0].shape;
  if (F == Fold::sum || F == Fold::prod) check_summable(in[0]);
  auto sizes = x.vector();
  const std::vector<int> reduced = normal_axes(x, axes);
  for (auto axis = reduced.rbegin(); axis != reduced.rend(); ++axis)
    if (keep)
      sizes[static_cast<std::size_t>(*axis)] = 1;
    else
      sizes.erase(sizes.begin() + *axis);
  return {in[0].dtype, Shape(sizes)};
}

template <Fold F>
std::vector<Value> Reduce<F>::lower(Values in) const {
  Value x = in[0];
  const std::vector<Type> types{x.type()};
  const Shape shape = infer(types).shape;
  if (x.type().count() == 0) {
    const Value none = neutral<F>(x.graph(), x.dtype());
    return {shape == none.shape() ? none : broadcast_to(none, shape)};
  }
  // An axis of size 1 may count as reduced: it joins its neighbours, and the last reshape puts it back.
  std::vector<bool> reduced(static_cast<std::size_t>(x.rank()));
  for (int axis = 0; axis < x.rank(); ++axis) reduced[static_cast<std::size_t>(axis)] = x.shape()[axis] == 1;
  for (int axis : normal_axes(x.shape(), axes)) reduced[static_cast<std::size_t>(axis)] = true;
  for (int last = x.rank(); last > 0; --last) {
    int first = last;
    while (first > 0 && reduced[static_cast<std::size_t>(first) - 1]) --first;
    if (x.shape().count(first, last) > 1) x = reduce_neighbours<F>(x, first, last);
    last = std::max(first, 1);
  }
  return {in_shape(x, shape)};
}

// The least of a narrow dtype is not that of the wider one.
template <Fold F>
std::vector<Value> Reduce<F>::widen(Values in) const {
  return in[0].type().count() == 0 ? lower(in) : widened(*this, in);
}

template <Fold F>
Value Reduce<F>::simplify(Values in) const {
  for (int axis : normal_axes(in[0].shape(), axes))
    if (in[0].shape()[axis] != 1) return {};
  const std::vector<Type> types{in[0].type()};
  return in_shape(in[0], infer(types).shape);
}

template <Fold F>
Grads Reduce<F>::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0);
  const auto missing = keep ? std::vector<std::int64_t>() : axes;
  if constexpr (F == Fold::sum) return {broadcast_like(dy[0], x, missing)};
  if constexpr (F == Fold::prod) {  // axis by axis
    std::vector<Value> stages{x};
    const std::vector<int> reduced = normal_axes(x.shape(), axes);
    for (int axis : reduced) stages.push_back(prod(stages.back(), axis, true));
    Value d = broadcast_like(dy[0], stages.back(), missing);  // broadcast on the way
    for (std::size_t i = reduced.size(); i > 0; --i) d = product_of_others(stages[i - 1], reduced[i - 1]) * d;
    return {d};
  }
  const Value y = n.output(), best = equal(x, broadcast_like(y, x, missing));
  const Value ties = stop_gradient(sum(cast(best, x.dtype()), axes, keep));
  const Value others = stop_gradient(where(not_equal(y, y), y, 0));  // NaN where the result is: none equals it
  return {where(best, broadcast_like(dy[0] / ties, x, missing), broadcast_like(others, x, missing))};
}

Type SumTo::infer(Types in) const {
  const Shape &x = in[0].shape, &like = in[1].shape;
  bool fits = like.rank() <= x.rank();
  for (int i = 1; fits && i <= like.rank(); ++i) fits = like[-i] == x[-i] || like[-i] == 1;
  if (!fits)
    throw OpError(to_string(like) + " does not broadcast to " + to_string(x),
                  "Aligned at the last axis, each size of like must be that of x or 1");
  check_summable(in[0]);
  return {in[0].dtype, like};
}

std::vector<Value> SumTo::lower(Values in) const {
  const auto axes = broadcast_axes(in[0].shape(), in[1].shape());
  return {in_shape(axes.empty() ? in[0] : sum(in[0], axes), in[1].shape())};
}

Value SumTo::simplify(Values in) const { return in[0].shape() == in[1].shape() ? in[0] : Value(); }

Grads SumTo::gradient(const Node& n, Values dy) const { return {broadcast_like(dy[0], n.input(0)), Value()}; }

namespace {
std::int64_t count_of(const Shape& x, const std::vector<std::int64_t>& axes) {
  std::int64_t count = 1;
  for (int axis : normal_axes(x, axes)) count *= x[axis];
  return count;
}
}  // namespace

Type CountLike::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  normal_axes(in[0].shape, axes);
  return {in[0].dtype, {}};
}

void CountLike::run(const Run& r) const {  // every dtype as it is: one number is not worth a cast
  dispatch(r.out_type().dtype,
           [&]<class T>(std::type_identity<T>) { *r.out<T>() = static_cast<T>(count_of(r.in_type(0).shape, axes)); });
}

Value CountLike::simplify(Values in) const {
  return dispatch(in[0].dtype(), [&]<class T>(std::type_identity<T>) {
    return constant(in[0].graph(), Tensor::scalar<T>(static_cast<T>(count_of(in[0].shape(), axes))));
  });
}

template struct Reduce<Fold::sum>;
template struct Reduce<Fold::prod>;
template struct Reduce<Fold::max>;
template struct Reduce<Fold::min>;

}  // namespace oxbow::ops

namespace oxbow {

Value sum(Value x, Axes axes, bool keepdims, At at) {
  return apply(ops::Sum{.axes = axes.list(), .keep = keepdims}, {x}, at);
}

Value prod(Value x, Axes axes, bool keepdims, At at) {
  return apply(ops::Prod{.axes = axes.list(), .keep = keepdims}, {x}, at);
}

Value mean(Value x, Axes axes, bool keepdims, At at) {
  if (x && !is_float(x.dtype()))
    throw BuildError("mean", "x is " + to_string(x.type()) + at_line(at) + "\n  Cast it to f32 or f64 first");
  // Halves are rounded once, at the end: neither their sum nor their number need be a half.
  if (x && is_narrow(x.dtype()))
    return cast(mean(cast(x, compute_type(x.dtype()), at), axes, keepdims, at), x.dtype(), at);
  return as_called("mean", [&] {
    const Value count = count_like(x, axes, at);
    return divide(sum(x, axes, keepdims, at), count, at);
  });
}

Value max(Value x, Axes axes, bool keepdims, At at) {
  return apply(ops::Max{.axes = axes.list(), .keep = keepdims}, {x}, at);
}

Value min(Value x, Axes axes, bool keepdims, At at) {
  return apply(ops::Min{.axes = axes.list(), .keep = keepdims}, {x}, at);
}

Value sum_to(Value x, Value like, At at) { return apply(ops::SumTo{}, {x, like}, at); }

Value count_like(Value x, Axes axes, At at) { return apply(ops::CountLike{.axes = axes.list()}, {x}, at); }

}  // namespace oxbow
