#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/flat_index.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/scatter.h>
#include <oxbow/ops/shared/flow.h>

#include <array>

namespace oxbow::ops {
namespace {

// Of x, to which updates of `wanted` shape go.
void check_updates(const Type& x, const Type& updates, const Shape& wanted, ScatterReduction reduction) {
  if (updates.dtype != x.dtype)
    throw OpError("x is " + to_string(x) + ", but the updates are " + to_string(updates), "Cast one of them");
  if (reduction != ScatterReduction::none) check_dtype(dtypes::Numbers{}, x, "x");
  if (updates.shape != wanted)
    throw OpError("updates have the shape " + to_string(updates.shape) + ", but what is read at the indices has " +
                      to_string(wanted),
                  "Give an update for each element that is read there");
}

// Rows of updates into x [rows, ...] by their numbers, which come in groups: few of them cost more than one.
Value scattered(Value x, Value rows, Value updates, ScatterReduction reduction, std::int64_t groups) {
  if (groups < 4) groups = 1;
  if (reduction == ScatterReduction::none)
    return apply(ScatterRows{.groups = groups}, {x, rows, updates}, At::current());
  return apply(FoldRows{.fold = reduction, .groups = groups}, {x, rows, updates}, At::current());
}

// x [b..., n..., row...] as [rows, row...].
Value as_rows(Value x, const Shape& row) {
  std::int64_t rows = 1;
  for (int i = 0; i < x.rank() - row.rank(); ++i) rows *= x.shape()[i];
  return reshaped(x, row.inserted(0, rows));
}

// A number of its own for each element, in row-major order. i64.
Value numbered(Value x) {
  Graph& g = x.graph();
  const auto whole = [&](std::int64_t n) { return constant(g, Tensor::scalar(n), At::current()); };
  const Value count = reshape(shape_of(reshape(x, {-1})), std::vector<std::int64_t>());
  return reshape_like(arange(whole(0), count, whole(1)), x);
}

// Whether x is 0 everywhere, as `filled` makes it: what is added up there may as well be added to another sum.
bool is_nothing(Value x) { return constant_number(x.node().op().is<BroadcastLike>() ? x.node().input(0) : x) == 0.0; }

// The gradients of x and of the updates, where scatter(into, updates, reduction) puts in what take(from) reads.
template <class Take, class Put>
Grads scatter_gradient(const Node& n, ScatterReduction reduction, Value dy, Take take, Put scatter) {
  const Value x = n.input(0), updates = n.input(2), y = n.output();
  switch (reduction) {
    case ScatterReduction::none: {
      // Of several updates of an element the last one is there.
      const Value number = numbered(updates);
      const Value last = scatter(broadcast_like(constant(n.graph(), -1, i64), x), number, ScatterReduction::none);
      return {scatter(dy, filled(0, updates), ScatterReduction::none), Value(),
              where(equal(take(last), number), take(dy), 0)};
    }
    case ScatterReduction::add:
      return {dy, Value(), take(dy)};
    case ScatterReduction::mul: {
      // The product of the others is y / factor; where the factor is 0 it is that of those that are not 0, if it is the
      // only one.
      // In f64, which holds the products of what is narrower.
      const auto is_zero = [](Value v) { return equal(v, 0); };
      const auto not_zero = [&](Value v) { return cast(where(is_zero(v), 1, v), f64); };
      const Value product = scatter(not_zero(x), not_zero(updates), ScatterReduction::mul);
      const Value zeros =
          scatter(cast(is_zero(x), x.dtype()), cast(is_zero(updates), x.dtype()), ScatterReduction::add);
      const auto others = [&](Value v, Value all, Value none) {
        return cast(where(equal(none, cast(is_zero(v), v.dtype())), all / not_zero(v), 0), v.dtype());
      };
      return {dy * others(x, product, zeros), Value(), take(dy) * others(updates, take(product), take(zeros))};
    }
    case ScatterReduction::max:
    case ScatterReduction::min: {
      const Value in_x = equal(x, y), in_updates = equal(updates, take(y));
      const Value count = scatter(cast(in_x, x.dtype()), cast(in_updates, x.dtype()), ScatterReduction::add);
      const Value share = dy / count;
      const Value others = stop_gradient(where(not_equal(y, y), y, 0));  // NaN where the result is: none equals it
      return {where(in_x, share, others), Value(), where(in_updates, take(share), take(others))};
    }
  }
  throw InternalError("a reduction that is none");
}

}  // namespace

Type TakeAlongAxis::infer(Types in) const {
  check_along(in[0], in[1], axis);
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> TakeAlongAxis::lower(Values in) const {
  const Value places = apply(FlatIndexAlong{.axis = axis}, {in[1], in[0]}, At::current());
  return {gather(reshaped(in[0], {in[0].shape().count()}), places, 0, At::current())};
}

Grads TakeAlongAxis::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), indices = n.input(1);
  return {scatter_elements(filled(0, x), indices, dy[0], axis, ScatterReduction::add), Value()};
}

Type GatherNd::infer(Types in) const {
  check_nd(in[0], in[1], batch);
  std::vector<std::int64_t> sizes(in[1].shape.begin(), in[1].shape.end() - 1);
  for (const std::int64_t size : row_of(in[0].shape, in[1].shape, batch)) sizes.push_back(size);
  return {in[0].dtype, Shape(sizes)};
}

std::vector<Value> GatherNd::lower(Values in) const {
  const Value places = apply(FlatIndexNd{.batch = batch}, {in[1], in[0]}, At::current());
  return {gather(as_rows(in[0], row_of(in[0].shape(), in[1].shape(), batch)), places, 0, At::current())};
}

Grads GatherNd::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), indices = n.input(1);
  return {scatter_nd(filled(0, x), indices, dy[0], ScatterReduction::add, batch), Value()};
}

Type ScatterElements::infer(Types in) const {
  check_along(in[0], in[1], axis);
  check_updates(in[0], in[2], in[1].shape, reduction);
  return in[0];
}

std::vector<Value> ScatterElements::lower(Values in) const {
  const Value places = apply(FlatIndexAlong{.axis = axis}, {in[1], in[0]}, At::current());
  const Shape &x = in[0].shape(), &indices = in[1].shape();
  const int a = x.axis_of(axis);
  std::int64_t groups = 1;  // slices along the axis are apart where all are there
  for (int i = 0; i < a; ++i) groups = x[i] == indices[i] ? groups * x[i] : 0;
  return {reshaped(scattered(reshaped(in[0], {x.count()}), places, in[2], reduction, groups), x)};
}

Value ScatterElements::add_to(Values in, Value sum, Value flows) const {
  if (reduction != ScatterReduction::add || !is_nothing(in[0])) return {};
  return scatter_elements(sum, in[1], or_nothing({in[2], flows}), axis, reduction);
}

Grads ScatterElements::gradient(const Node& n, Values dy) const {
  const Value indices = n.input(1);
  return scatter_gradient(
      n, reduction, dy[0], [&](Value from) { return take_along_axis(from, indices, axis); },
      [&](Value into, Value updates, ScatterReduction r) { return scatter_elements(into, indices, updates, axis, r); });
}

Type ScatterNd::infer(Types in) const {
  check_updates(in[0], in[2], GatherNd{.batch = batch}.infer(in.first(2)).shape, reduction);
  return in[0];
}

std::vector<Value> ScatterNd::lower(Values in) const {
  const Value places = apply(FlatIndexNd{.batch = batch}, {in[1], in[0]}, At::current());
  const Value rows = as_rows(in[0], row_of(in[0].shape(), in[1].shape(), batch));
  const std::int64_t groups = in[0].shape().count(0, static_cast<int>(batch));
  return {reshaped(scattered(rows, places, in[2], reduction, groups), in[0].shape())};
}

Value ScatterNd::add_to(Values in, Value sum, Value flows) const {
  if (reduction != ScatterReduction::add || !is_nothing(in[0])) return {};
  return scatter_nd(sum, in[1], or_nothing({in[2], flows}), reduction, batch);
}

Grads ScatterNd::gradient(const Node& n, Values dy) const {
  const Value indices = n.input(1);
  return scatter_gradient(
      n, reduction, dy[0], [&](Value from) { return gather_nd(from, indices, batch); },
      [&](Value into, Value updates, ScatterReduction r) { return scatter_nd(into, indices, updates, r, batch); });
}

}  // namespace oxbow::ops

namespace oxbow {

namespace {
constexpr std::array<std::string_view, 5> reduction_names{"none", "add", "mul", "max", "min"};
}  // namespace

AttrValue to_attr(ScatterReduction r) { return std::string(reduction_names[static_cast<std::size_t>(r)]); }
void from_attr(const AttrValue& a, ScatterReduction& r) {
  r = static_cast<ScatterReduction>(word_of(a, "reduction", reduction_names));
}

Value take_along_axis(Value x, Value indices, std::int64_t axis, At at) {
  return apply(ops::TakeAlongAxis{.axis = axis}, {x, indices}, at);
}

Value gather_nd(Value x, Value indices, std::int64_t batch_dims, At at) {
  return apply(ops::GatherNd{.batch = batch_dims}, {x, indices}, at);
}

Value scatter_elements(Value x, Value indices, Value updates, std::int64_t axis, ScatterReduction reduction, At at) {
  return apply(ops::ScatterElements{.axis = axis, .reduction = reduction}, {x, indices, updates}, at);
}

Value scatter_nd(Value x, Value indices, Value updates, ScatterReduction reduction, std::int64_t batch_dims, At at) {
  return apply(ops::ScatterNd{.reduction = reduction, .batch = batch_dims}, {x, indices, updates}, at);
}

}  // namespace oxbow
