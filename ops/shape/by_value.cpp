#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/widen.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {
namespace {

using Numbers = std::vector<std::int64_t>;

// The elements of a known tensor of whole numbers with at most `rank` axes; `what` names it: "shape".
Numbers numbers(const Tensor& t, const char* what, int rank = 1) {
  if ((t.dtype() != i32 && t.dtype() != i64) || t.shape().rank() > rank)
    throw OpError(
        std::string(what) + " is " + to_string(t.type()) + ", not " +
            (rank == 0 ? "a whole number" : "a list of whole numbers"),
        "Give i32 or i64 with " + (rank == 0 ? std::string("no axis") : "at most " + std::to_string(rank) + " axes"));
  if (t.dtype() == i32) return {t.span<std::int32_t>().begin(), t.span<std::int32_t>().end()};
  return {t.span<std::int64_t>().begin(), t.span<std::int64_t>().end()};
}
Numbers numbers(Value v, const char* what, int rank = 1) { return numbers(*known_value(v), what, rank); }

Tensor tensor(const Shape& shape, const Numbers& values) {
  return Tensor::of<std::int64_t>(shape, std::span<const std::int64_t>(values));
}

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

// ---- slice, pad

struct Bounds {
  std::int64_t begin, end;
};

// The range of each axis of x, clamped as NumPy does.
std::vector<Bounds> ranges(const Shape& x, const Numbers& axes, const Numbers& begins, const Numbers& ends) {
  if (begins.size() != ends.size() || (!axes.empty() && axes.size() != begins.size()) ||
      static_cast<int>(begins.size()) > x.rank())
    throw OpError(std::to_string(begins.size()) + " begins and " + std::to_string(ends.size()) + " ends for " +
                      (axes.empty() ? "x of shape " + to_string(x) : std::to_string(axes.size()) + " axes"),
                  "Give one of each for every axis that is cut");
  std::vector<Bounds> all;
  for (const std::int64_t size : x) all.push_back({0, size});
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const int axis = axes.empty() ? static_cast<int>(i) : x.axis_of(axes[i]);
    const std::int64_t size = x[axis];
    const auto clamped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    const std::int64_t begin = clamped(begins[i]);
    all[static_cast<std::size_t>(axis)] = {begin, std::max(begin, clamped(ends[i]))};
  }
  return all;
}

Shape shape_of(const std::vector<Bounds>& ranges) {
  Numbers sizes;
  for (const Bounds& r : ranges) sizes.push_back(r.end - r.begin);
  return Shape(sizes);
}

Value filled(Graph& g, double value, DType dtype, const Shape& shape) {
  const Value one = constant(g, value, dtype, At::current());
  return shape.rank() == 0 ? one : broadcast_to(one, shape);
}

// x in the middle of `shape`, from `begins` on, with `value` around it.
Value padded(Value x, const Shape& shape, const Numbers& begins, double value) {
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const std::int64_t before = begins[static_cast<std::size_t>(axis)], after = shape[axis] - before - x.shape()[axis];
    std::vector<Value> parts;
    if (before > 0) parts.push_back(filled(x.graph(), value, x.dtype(), x.shape().with(axis, before)));
    parts.push_back(x);
    if (after > 0) parts.push_back(filled(x.graph(), value, x.dtype(), x.shape().with(axis, after)));
    if (parts.size() > 1) x = concat(parts, axis);
  }
  return x;
}

struct Padded {
  Shape shape;
  Numbers begins;
};
Padded padding_of(const Shape& x, const Tensor& pads) {
  const Numbers each = numbers(pads, "pads", 2);
  if (pads.shape() != Shape{x.rank(), 2})
    throw OpError("pads has the shape " + to_string(pads.shape()) + ", but x has the shape " + to_string(x),
                  "Give [rank, 2]: for each axis how many before and after");
  Numbers sizes, begins;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const std::int64_t before = each[static_cast<std::size_t>(2 * axis)],
                       after = each[static_cast<std::size_t>(2 * axis + 1)];
    if (before < 0 || after < 0)
      throw OpError(
          "axis " + std::to_string(axis) + " is padded by " + std::to_string(before) + " and " + std::to_string(after),
          "Slice x where elements shall go");
    std::int64_t size = 0;
    if (__builtin_add_overflow(before, x[axis], &size) || __builtin_add_overflow(size, after, &size))
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " is padded beyond what a size can be",
                    "Pad by less");
    begins.push_back(before);
    sizes.push_back(size);
  }
  return {Shape(sizes), std::move(begins)};
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

Value reshaped(Value x, const Shape& shape) { return apply(Reshape{.shape = shape.vector()}, {x}, At::current()); }

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

Value ShapeOf::simplify(Values in) const {
  return constant(in[0].graph(), tensor({in[0].rank()}, in[0].shape().vector()));
}

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

Type SliceBy::infer(Types in, const Known& known) const {
  return {in[0].dtype, shape_of(ranges(in[0].shape, axes, numbers(known(1), "begins"), numbers(known(2), "ends")))};
}
std::vector<Value> SliceBy::lower(Values in) const {
  Value y = in[0];
  const std::vector<Bounds> all = ranges(y.shape(), axes, numbers(in[1], "begins"), numbers(in[2], "ends"));
  for (int axis = 0; axis < y.rank(); ++axis) {
    const Bounds& r = all[static_cast<std::size_t>(axis)];
    if (r.begin > 0 || r.end < y.shape()[axis]) y = slice(y, axis, r.begin, r.end, At::current());
  }
  return {y};
}
Grads SliceBy::gradient(const Node& n, Values dy) const {
  return {apply(SliceByGradient{.axes = axes}, {dy[0], n.input(0), n.input(1), n.input(2)}, At::current()), Value(),
          Value()};
}

Type SliceByGradient::infer(Types in, const Known& known) const {
  const Shape part = shape_of(ranges(in[1].shape, axes, numbers(known(2), "begins"), numbers(known(3), "ends")));
  if (in[0].shape != part)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the slice has " + to_string(part),
                  "Pass the gradient of the slice");
  return {in[0].dtype, in[1].shape};
}
std::vector<Value> SliceByGradient::lower(Values in) const {
  Numbers begins;
  for (const Bounds& r : ranges(in[1].shape(), axes, numbers(in[2], "begins"), numbers(in[3], "ends")))
    begins.push_back(r.begin);
  return {padded(in[0], in[1].shape(), begins, 0)};
}
Grads SliceByGradient::gradient(const Node& n, Values dy) const {
  return {slice(dy[0], n.input(2), n.input(3), axes), Value(), Value(), Value()};
}

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

Type Pad::infer(Types in, const Known& known) const {
  if (!holds(in[0].dtype, value))
    throw OpError("x is " + to_string(in[0]) + ", and no " + std::string(name(in[0].dtype)) + " is " +
                      internal::short_number(value),
                  "Pad with a value of x's dtype, or cast x");
  return {in[0].dtype, padding_of(in[0].shape, known(1)).shape};
}
std::vector<Value> Pad::lower(Values in) const {
  const Padded padding = padding_of(in[0].shape(), *known_value(in[1]));
  return {padded(in[0], padding.shape, padding.begins, value)};
}
std::vector<Value> Pad::transposed(Values in, std::span<const int> axes) const {
  const Numbers each = numbers(in[1], "pads", 2);
  Numbers moved;
  for (const int axis : axes)
    moved.insert(moved.end(), {each[static_cast<std::size_t>(2 * axis)], each[static_cast<std::size_t>(2 * axis + 1)]});
  const Value pads = constant(in[0].graph(), tensor({static_cast<std::int64_t>(axes.size()), 2}, moved), At::current());
  return {apply(Pad{value}, {in[0], pads}, At::current())};
}
// What is padded lies in dy from the first column of pads on.
Grads Pad::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), pads = n.input(1);
  const Value begins = cast(reshape(slice(pads, 1, 0, 1), {-1}), i64);
  return {slice(dy[0], begins, begins + shape_of(x)), Value()};
}

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
Value pad_by(Value x, Value pads, double value, At at) { return apply(Pad{value}, {x, pads}, at); }

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

namespace {
void check_built(const char* builder, Value x, At at) {
  if (!x) throw BuildError(builder, "x is an empty Value" + at_line(at) + "\n  Build it first");
}
}  // namespace

Value shape_of(Value x, At at) { return apply(ops::ShapeOf{}, {x}, at); }

Value slice(Value x, Value begins, Value ends, std::vector<std::int64_t> axes, At at) {
  return as_called("slice", [&] { return apply(ops::SliceBy{.axes = std::move(axes)}, {x, begins, ends}, at); });
}

Value tile(Value x, std::vector<std::int64_t> repeats, At at) {
  check_built("tile", x, at);
  const auto axes = static_cast<std::int64_t>(repeats.size());
  return apply(ops::Tile{}, {x, constant(x.graph(), tensor({axes}, repeats), at)}, at);
}

Value pad(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, double value, At at) {
  check_built("pad", x, at);
  Numbers each;
  for (const auto& [before, after] : pads) each.insert(each.end(), {before, after});
  const Shape shape{static_cast<std::int64_t>(pads.size()), 2};
  return apply(ops::Pad{value}, {x, constant(x.graph(), tensor(shape, each), at)}, at);
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
