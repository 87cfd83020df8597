#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shape/pad.h>
#include <oxbow/ops/widen.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
namespace {

// How much is added to an axis.
struct Sides {
  std::int64_t before = 0, after = 0;
};

// Of each axis of x.
std::vector<Sides> sides_of(const Shape& x, const Tensor& pads, const Numbers& axes) {
  const Numbers each = numbers(pads, "pads", 2);
  const std::int64_t rows = axes.empty() ? x.rank() : static_cast<std::int64_t>(axes.size());
  if (pads.shape() != Shape{rows, 2})
    throw OpError(
        "pads has the shape " + to_string(pads.shape()) + ", but " +
            (axes.empty() ? "x has the shape " + to_string(x) : std::to_string(rows) + " axes are named"),
        "Give [" + std::string(axes.empty() ? "rank" : "axes") + ", 2]: for each axis how many before and " + "after");
  std::vector<Sides> sides(static_cast<std::size_t>(x.rank()));
  std::vector<bool> seen(sides.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    const int axis = axes.empty() ? static_cast<int>(i) : x.axis_of(axes[static_cast<std::size_t>(i)]);
    const auto a = static_cast<std::size_t>(axis);
    if (seen[a])
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " is named twice", "Name each axis once");
    seen[a] = true;
    sides[a] = {each[static_cast<std::size_t>(2 * i)], each[static_cast<std::size_t>(2 * i + 1)]};
    std::int64_t size = 0;
    if (__builtin_add_overflow(sides[a].before, x[axis], &size) || __builtin_add_overflow(size, sides[a].after, &size))
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " is padded beyond what a size can be",
                    "Pad by less");
    if (size < 0 || sides[a].before < -x[axis] || sides[a].after < -x[axis])
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " is padded by " +
                        std::to_string(sides[a].before) + " and " + std::to_string(sides[a].after) +
                        ", which cuts off more than there is",
                    "Cut off at most its elements");
  }
  return sides;
}

Shape shape_of(const Shape& x, const std::vector<Sides>& sides) {
  Numbers sizes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const Sides& s = sides[static_cast<std::size_t>(axis)];
    sizes.push_back(s.before + x[axis] + s.after);
  }
  return Shape(sizes);
}

std::int64_t modulo(std::int64_t i, std::int64_t n) { return (i % n + n) % n; }

// Which elements of an axis of this size take their places around it.
Numbers sources(PadMode mode, std::int64_t size, const Sides& s) {
  Numbers from;
  if (size == 0 && s.before + s.after > 0)
    throw OpError("an axis without elements is padded with its own", "Pad it with a value: PadMode::constant");
  const std::int64_t count = s.before + size + s.after;
  internal::claim_table(count, 2 * sizeof(std::int64_t));  // which become a tensor
  from.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = -s.before; i < size + s.after; ++i) {
    const std::int64_t period = std::max<std::int64_t>(1, 2 * (size - 1)), along = modulo(i, period);
    from.push_back(mode == PadMode::edge   ? std::clamp<std::int64_t>(i, 0, size - 1)
                   : mode == PadMode::wrap ? modulo(i, size)
                                           : std::min(along, period - along));
  }
  if (size == 1) std::fill(from.begin(), from.end(), 0);
  return from;
}

}  // namespace

Value padded(Value x, int axis, std::int64_t before, std::int64_t after, Value fill) {
  std::vector<Value> parts;
  if (before > 0) parts.push_back(broadcast_to(fill, x.shape().with(axis, before), At::current()));
  parts.push_back(x);
  if (after > 0) parts.push_back(broadcast_to(fill, x.shape().with(axis, after), At::current()));
  return parts.size() > 1 ? concat(parts, axis, At::current()) : x;
}

Value added_at(Value dy, int axis, std::int64_t size, const Numbers& places) {
  Graph& g = dy.graph();
  const Value zero = constant(g, 0, dy.dtype(), At::current());
  const Value zeros = broadcast_to(zero, dy.shape().with(axis, size), At::current());
  if (places.empty()) return zeros;
  return apply(GatherAdd{.axis = axis}, {zeros, constant(g, whole(places), At::current()), dy}, At::current());
}

Type Pad::infer(Types in, const Known& known) const {
  const Shape& x = in[0].shape;
  const std::vector<Sides> sides = sides_of(x, known(1), axes);
  const bool given = bool(in[2]);
  if (given && (in[2].dtype != in[0].dtype || in[2].count() != 1))
    throw OpError("fill is " + to_string(in[2]) + ", but x is " + to_string(in[0]), "Give a scalar of x's dtype");
  if (given && mode != PadMode::constant)
    throw OpError("there is a fill, but x is padded with its own elements", "Give one of the two");
  if (!given && mode == PadMode::constant && !holds(in[0].dtype, value))
    throw OpError("x is " + to_string(in[0]) + ", and no " + std::string(name(in[0].dtype)) + " is " +
                      internal::short_number(value),
                  "Pad with a value of x's dtype, or cast x");
  const Shape y = shape_of(x, sides);
  if (mode != PadMode::constant && y.count() > 0)
    for (int axis = 0; axis < x.rank(); ++axis)
      if (x[axis] == 0) sources(mode, 0, sides[static_cast<std::size_t>(axis)]);
  return {in[0].dtype, y};
}

std::vector<Value> Pad::lower(Values in) const {
  Value y = in[0];
  Graph& g = y.graph();
  const std::vector<Sides> sides = sides_of(y.shape(), *known_value(in[1]), axes);
  Value fill;
  if (mode == PadMode::constant)
    fill = in[2] ? reshape(in[2], Numbers(), At::current()) : constant(g, value, y.dtype(), At::current());
  for (int axis = 0; axis < y.rank(); ++axis) {
    const auto [before, after] = sides[static_cast<std::size_t>(axis)];
    const std::int64_t size = y.shape()[axis];
    if (before == 0 && after == 0) continue;
    if (mode != PadMode::constant) {
      if (size > 0) y = gather(y, constant(g, whole(sources(mode, size, {before, after})), At::current()), axis);
      continue;
    }
    const std::int64_t first = std::max<std::int64_t>(0, -before), last = size - std::max<std::int64_t>(0, -after);
    if (first < last) {
      if (first > 0 || last < size) y = slice(y, axis, first, last, At::current());
      y = padded(y, axis, std::max<std::int64_t>(0, before), std::max<std::int64_t>(0, after), fill);
    } else {  // nothing of x is left
      y = broadcast_to(fill, y.shape().with(axis, before + size + after), At::current());
    }
  }
  return {y};
}

std::vector<Value> Pad::transposed(Values in, std::span<const int> order) const {
  Pad moved{.value = value, .mode = mode, .axes = {}};
  const std::int64_t rows = axes.empty() ? in[0].rank() : static_cast<std::int64_t>(axes.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    const int axis = axes.empty() ? static_cast<int>(i) : in[0].shape().axis_of(axes[static_cast<std::size_t>(i)]);
    moved.axes.push_back(std::find(order.begin(), order.end(), axis) - order.begin());
  }
  return {apply(std::move(moved), {in[0], in[1], in[2]}, At::current())};
}

// What is padded by n is cut by n, and the other way round.
Grads Pad::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), pads = n.input(1), fill = n.input(2);
  if (mode != PadMode::constant)
    return {apply(PadGradient{.mode = mode, .axes = axes}, {dy[0], x, pads}, At::current()), Value(), Value()};
  Value dfill;
  if (fill) {
    const Value own = broadcast_like(constant(n.graph(), 1, boolean), x);
    const Value inside = apply(Pad{.axes = axes}, {own, pads}, At::current());
    dfill = reshape_like(sum(where(inside, 0, dy[0])), fill);
  }
  return {apply(Pad{.axes = axes}, {dy[0], negate(pads)}, At::current()), Value(), dfill};
}

Type PadGradient::infer(Types in, const Known& known) const {
  check_dtype(dtypes::Numbers{}, in[0], "dy");
  const Shape whole = shape_of(in[1].shape, sides_of(in[1].shape, known(2), axes));
  if (in[0].shape != whole)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but what was padded has " + to_string(whole),
                  "Pass the gradient of what was padded");
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> PadGradient::lower(Values in) const {
  Value dx = in[0];
  const Shape& x = in[1].shape();
  const std::vector<Sides> sides = sides_of(x, *known_value(in[2]), axes);
  for (int axis = x.rank(); axis-- > 0;) {
    const Sides& s = sides[static_cast<std::size_t>(axis)];
    if (s.before == 0 && s.after == 0) continue;
    dx = added_at(dx, axis, x[axis], x[axis] > 0 ? sources(mode, x[axis], s) : Numbers());
  }
  return {dx};
}

Grads PadGradient::gradient(const Node& n, Values dy) const {
  return {apply(Pad{.mode = mode, .axes = axes}, {dy[0], n.input(2)}, At::current()), Value(), Value()};
}

Value pad_by(Value x, Value pads, double value, At at) { return apply(Pad{.value = value, .axes = {}}, {x, pads}, at); }

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

namespace {

constexpr std::array<std::string_view, 4> mode_names{"constant", "reflect", "edge", "wrap"};

Value pads_of(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, At at) {
  check_built("pad", x, at);
  Numbers each;
  for (const auto& [before, after] : pads) each.insert(each.end(), {before, after});
  return constant(x.graph(), whole({static_cast<std::int64_t>(pads.size()), 2}, each), at);
}

}  // namespace

AttrValue to_attr(PadMode mode) { return std::string(mode_names[static_cast<std::size_t>(mode)]); }
void from_attr(const AttrValue& a, PadMode& mode) { mode = static_cast<PadMode>(word_of(a, "mode", mode_names)); }

Value pad(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, double value, At at) {
  return apply(ops::Pad{.value = value, .axes = {}}, {x, pads_of(x, pads, at)}, at);
}

Value pad(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, PadOptions options, At at) {
  return pad(x, pads_of(x, pads, at), std::move(options), at);
}

Value pad(Value x, Value pads, PadOptions options, At at) {
  std::vector<Value> in{x, pads};
  if (options.fill) in.push_back(options.fill);
  return apply(ops::Pad{.mode = options.mode, .axes = std::move(options.axes)}, in, at);
}

}  // namespace oxbow
