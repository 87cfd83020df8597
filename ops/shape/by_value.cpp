#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/widen.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {
namespace {

void check_count(const Numbers& given, const Shape& x, const char* what) {
  if (static_cast<int>(given.size()) != x.rank())
    throw OpError(
        std::string(what) + " has " + std::to_string(given.size()) + " numbers, but x has the shape " + to_string(x),
        "Give one for each axis");
}

// ---- reshape, broadcast_to

// A computed size of 0 is just that: it does not keep an axis.
Reshape reshape_of(Numbers shape) {
  for (const std::int64_t size : shape)
    if (size < Reshape::rest)
      throw OpError("an axis cannot have the size " + std::to_string(size), "Give at least 0, or -1 for what is left");
  return {.shape = std::move(shape)};
}

// ---- tile

Shape tiled(const Shape& x, const Numbers& repeats) {
  check_count(repeats, x, "repeats");
  Numbers sizes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const std::int64_t times = repeats[static_cast<std::size_t>(axis)];
    if (times < 0) throw OpError("x cannot be repeated " + std::to_string(times) + " times", "Give at least 0");
    std::int64_t size = 0;
    if (__builtin_mul_overflow(x[axis], times, &size))
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " is repeated beyond what a size can be",
                    "Repeat it less");
    sizes.push_back(size);
  }
  return Shape(sizes);
}

// ---- arange

// How many numbers there are from `start` on before `limit`.
std::int64_t count_of(const Tensor& start, const Tensor& limit, const Tensor& step) {
  return dispatch(start.dtype(), [&]<class T>(std::type_identity<T>) -> std::int64_t {
    if constexpr (std::is_same_v<T, bool>) {
      throw OpError("start, limit and step are bool, which are not numbers", "Cast them to i64");
    } else {
      const T first = start.item<T>(), last = limit.item<T>(), by = step.item<T>();
      if (by == 0) throw OpError("its step is 0", "Give a step towards the limit");
      const auto refuse = [] {
        throw OpError("there are too many numbers, or no end to them", "Give a limit that a few steps reach");
      };
      if constexpr (std::is_integral_v<T>) {
        // Exactly, in unsigned numbers: they hold the way between any two, which the signed ones may not.
        if (by > 0 ? first >= last : first <= last) return 0;
        const auto number = [](T n) { return static_cast<std::uint64_t>(n); };
        const std::uint64_t way = by > 0 ? number(last) - number(first) : number(first) - number(last),
                            each = by > 0 ? number(by) : 0 - number(by), times = (way - 1) / each + 1;
        if (times > static_cast<std::uint64_t>(Shape::max_count)) refuse();
        return static_cast<std::int64_t>(times);
      } else {
        const double times =
            std::ceil((static_cast<double>(last) - static_cast<double>(first)) / static_cast<double>(by));
        if (!(times < static_cast<double>(Shape::max_count))) refuse();
        return times > 0 ? static_cast<std::int64_t>(times) : 0;
      }
    }
  });
}

}  // namespace

Value ShapeOf::simplify(Values in) const { return constant(in[0].graph(), whole(in[0].shape().vector())); }

Type ReshapeTo::infer(Types in, const Known& known) const {
  return reshape_of(numbers(known(1), "shape")).infer(in.first(1));
}
std::vector<Value> ReshapeTo::lower(Values in) const {
  return {apply(reshape_of(numbers(in[1], "shape")), {in[0]}, At::current())};
}
Grads ReshapeTo::gradient(const Node& n, Values dy) const { return {reshape_like(dy[0], n.input(0)), Value()}; }

Type ExpandTo::infer(Types in, const Known& known) const {
  return BroadcastTo{.shape = Shape(numbers(known(1), "shape"))}.infer(in.first(1));
}
std::vector<Value> ExpandTo::lower(Values in) const {
  return {broadcast_to(in[0], Shape(numbers(in[1], "shape")), At::current())};
}
Grads ExpandTo::gradient(const Node& n, Values dy) const { return {sum_to(dy[0], n.input(0)), Value()}; }

Type Tile::infer(Types in, const Known& known) const {
  return {in[0].dtype, tiled(in[0].shape, numbers(known(1), "repeats"))};
}
std::vector<Value> Tile::lower(Values in) const {
  Value y = in[0];
  const Numbers repeats = numbers(in[1], "repeats");
  for (int axis = 0; axis < y.rank(); ++axis) {
    const std::int64_t times = repeats[static_cast<std::size_t>(axis)];
    if (times == 1) continue;
    const Shape before = y.shape();
    const std::int64_t outer = before.count(0, axis), inner = before.count(axis, before.rank());
    y = broadcast_to(reshaped(y, {outer, 1, inner}), Shape{outer, times, inner}, At::current());
    y = reshaped(y, before.with(axis, before[axis] * times));
  }
  return {y};
}
Grads Tile::gradient(const Node& n, Values dy) const {
  return {apply(TileGradient{}, {dy[0], n.input(0), n.input(1)}, At::current()), Value()};
}

Type TileGradient::infer(Types in, const Known& known) const {
  check_dtype(dtypes::Numbers{}, in[0], "dy");
  const Shape whole = tiled(in[1].shape, numbers(known(2), "repeats"));
  if (in[0].shape != whole)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the tile has " + to_string(whole),
                  "Pass the gradient of the tile");
  return {in[0].dtype, in[1].shape};
}
std::vector<Value> TileGradient::lower(Values in) const {
  Value dx = in[0];
  const Numbers repeats = numbers(in[2], "repeats");
  for (int axis = dx.rank(); axis-- > 0;) {
    const std::int64_t times = repeats[static_cast<std::size_t>(axis)];
    if (times == 1) continue;
    const Shape after = dx.shape().with(axis, in[1].shape()[axis]);
    const std::int64_t outer = after.count(0, axis), inner = after.count(axis, after.rank());
    dx = reshaped(sum(reshaped(dx, {outer, times, inner}), {1}), after);
  }
  return {dx};
}
Grads TileGradient::gradient(const Node& n, Values dy) const { return {tile(dy[0], n.input(2)), Value(), Value()}; }

Type Arange::infer(Types in, const Known& known) const {
  if (in[0] != in[1] || in[0] != in[2] || in[0].shape.rank() != 0)
    throw OpError("start, limit and step are " + to_string(in), "Give three scalars of one dtype");
  return {in[0].dtype, {count_of(known(0), known(1), known(2))}};
}
std::vector<Value> Arange::lower(Values in) const {
  const Tensor start = *known_value(in[0]), limit = *known_value(in[1]), step = *known_value(in[2]);
  return {in[0].graph().append(Iota{start, step, count_of(start, limit, step)}, {}, At::current()).output()};
}

Type Iota::infer(Types) const {
  if (start.type() != step.type() || start.shape().rank() != 0 || count < 0)
    throw OpError("start and step are " + to_string(start.type()) + " and " + to_string(step.type()) + ", " +
                      std::to_string(count) + " times",
                  "Give two scalars of one dtype and a count");
  return {start.dtype(), {count}};
}
Work Iota::work(Types) const { return moving(count * size_of(start.dtype())); }
void Iota::run(const Run& r) const {
  const auto [begin, end] = r.share(count);
  dispatch(start.dtype(), [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      const T first = start.item<T>(), by = step.item<T>();
      if constexpr (std::is_integral_v<T>) {
        // In unsigned numbers, which wrap around: i * by may be beyond what T holds where the sum is not.
        using U = std::conditional_t<sizeof(T) < 8, std::uint32_t, std::uint64_t>;
        for (std::int64_t i = begin; i < end; ++i)
          r.out<T>()[i] = static_cast<T>(static_cast<U>(first) + static_cast<U>(i) * static_cast<U>(by));
      } else {
        for (std::int64_t i = begin; i < end; ++i) r.out<T>()[i] = static_cast<T>(first + static_cast<T>(i) * by);
      }
    }
  });
}

Type OneHotOf::infer(Types in, const Known& known) const {
  return OneHot{.classes = numbers(known(1), "classes", 0)[0], .dtype = dtype}.infer(in.first(1));
}
std::vector<Value> OneHotOf::lower(Values in) const {
  return {one_hot(in[0], numbers(in[1], "classes", 0)[0], dtype, At::current())};
}

Value reshape_to(Value x, Value shape, At at) {
  return as_called("reshape", [&] { return apply(ReshapeTo{}, {x, shape}, at); });
}
Value expand_to(Value x, Value shape, At at) {
  return as_called("broadcast_to", [&] { return apply(ExpandTo{}, {x, shape}, at); });
}
Value tile_by(Value x, Value repeats, At at) { return apply(Tile{}, {x, repeats}, at); }

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

Value shape_of(Value x, At at) { return apply(ops::ShapeOf{}, {x}, at); }

Value tile(Value x, std::vector<std::int64_t> repeats, At at) {
  check_built("tile", x, at);
  return apply(ops::Tile{}, {x, constant(x.graph(), whole(repeats), at)}, at);
}

Value arange(Value start, Value limit, Value step, At at) { return apply(ops::Arange{}, {start, limit, step}, at); }
Value arange(Graph& g, std::int64_t limit, At at) {
  const auto whole = [&](std::int64_t n) { return constant(g, Tensor::scalar(n), at); };
  const Value start = whole(0), last = whole(limit), step = whole(1);
  return arange(start, last, step, at);
}

Value one_hot(Value labels, Value classes, DType dtype, At at) {
  return as_called("one_hot", [&] { return apply(ops::OneHotOf{.dtype = dtype}, {labels, classes}, at); });
}

}  // namespace oxbow
