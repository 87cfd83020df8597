#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shape/rearrange.h>
#include <oxbow/ops/shared/flow.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// Where each part begins, and at last where the axis ends.
Numbers bounds_of(const Split& op, const Shape& x, const Numbers* sizes) {
  const std::int64_t size = x[x.axis_of(op.axis)];
  if (op.parts < 1 || op.parts > internal::limits::nodes)
    throw OpError("x cannot be split into " + std::to_string(op.parts) + " parts",
                  "Give 1 to " + std::to_string(internal::limits::nodes));
  Numbers bounds{0};
  if (!sizes) {
    const std::int64_t each = size / op.parts + (size % op.parts != 0);
    for (std::int64_t i = 1; i <= op.parts; ++i) bounds.push_back(each != 0 && i > size / each ? size : i * each);
    return bounds;
  }
  bool fits = std::ssize(*sizes) == op.parts;
  for (const std::int64_t s : *sizes) {
    fits = fits && s >= 0 && s <= size - bounds.back();
    bounds.push_back(fits ? bounds.back() + s : size);
  }
  if (!fits || bounds.back() != size)
    throw OpError("sizes are " + to_string(whole(*sizes).shape()) + " numbers for " + std::to_string(op.parts) +
                      " parts of axis " + std::to_string(op.axis) + " of " + to_string(x) +
                      ", but together they are not its size",
                  "Give the size of each part; their sum is " + std::to_string(size));
  return bounds;
}

}  // namespace

std::vector<Type> Split::infer(Types in, const Known& known) const {
  const Shape& x = in[0].shape;
  const bool given = bool(in[1]);
  const Numbers sizes = given ? numbers(known(1), "sizes") : Numbers();
  const Numbers bounds = bounds_of(*this, x, given ? &sizes : nullptr);
  std::vector<Type> types;
  for (std::size_t i = 1; i < bounds.size(); ++i)
    types.push_back({in[0].dtype, x.with(x.axis_of(axis), bounds[i] - bounds[i - 1])});
  return types;
}

std::vector<Value> Split::lower(Values in) const {
  const bool given = bool(in[1]);
  const Numbers sizes = given ? numbers(in[1], "sizes") : Numbers();
  const Numbers bounds = bounds_of(*this, in[0].shape(), given ? &sizes : nullptr);
  std::vector<Value> values;
  for (std::size_t i = 1; i < bounds.size(); ++i)
    values.push_back(slice(in[0], axis, bounds[i - 1], bounds[i], At::current()));
  return values;
}

Grads Split::gradient(const Node& n, Values dy) const {
  std::vector<Value> all;
  for (int i = 0; i < n.output_count(); ++i) all.push_back(dy[i] ? dy[i] : filled(0, n.output(i)));
  return {concat(all, axis), Value()};
}

Type Roll::infer(Types in) const {
  in[0].shape.axis_of(axis);
  if (shift < -Shape::max_count || shift > Shape::max_count)
    throw OpError("it is turned by " + std::to_string(shift), "Turn it by less than a size can be");
  return in[0];
}

std::vector<Value> Roll::lower(Values in) const {
  const std::int64_t size = in[0].shape()[in[0].shape().axis_of(axis)];
  const std::int64_t by = size == 0 ? 0 : (shift % size + size) % size;
  if (by == 0) return {in[0]};
  return {concat({slice(in[0], axis, size - by, size, At::current()), slice(in[0], axis, 0, size - by, At::current())},
                 axis, At::current())};
}

Grads Roll::gradient(const Node&, Values dy) const {
  return {apply(Roll{.shift = -shift, .axis = axis}, {dy[0]}, At::current())};
}

namespace {
std::vector<Value> parts_of(const Node& n) {
  std::vector<Value> values;
  for (int i = 0; i < n.output_count(); ++i) values.push_back(n.output(i));
  return values;
}
}  // namespace

std::vector<Value> split_into(Value x, std::int64_t parts, std::int64_t axis, At at) {
  check_built("split", x, at);
  return parts_of(apply(Split{.axis = axis, .parts = parts}, {x}, at).node());
}

std::vector<Value> split_by(Value x, Value sizes, std::int64_t axis, At at) {
  check_built("split", x, at);
  check_built("split", sizes, at);
  const std::int64_t parts = sizes.rank() == 1 ? sizes.shape()[0] : 1;
  return parts_of(apply(Split{.axis = axis, .parts = parts}, {x, sizes}, at).node());
}

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

std::vector<Value> split(Value x, std::vector<std::int64_t> sizes, std::int64_t axis, At at) {
  check_built("split", x, at);
  return split(x, constant(x.graph(), whole(sizes), at), axis, at);
}

Value stack(Values values, std::int64_t axis, At at) {
  return as_called("stack", [&] {
    std::vector<Value> slices;
    for (const Value& v : values) slices.push_back(expand_dims(v, axis, at));
    return concat(slices, axis, at);
  });
}

Value flip(Value x, std::vector<std::int64_t> axes, At at) {
  return as_called("flip", [&] {
    for (const std::int64_t axis : axes) x = slice(x, axis, -1, to_end, -1, at);
    return x;
  });
}

Value roll(Value x, std::int64_t shift, std::int64_t axis, At at) {
  return apply(Roll{.shift = shift, .axis = axis}, {x}, at);
}

Value repeat_interleave(Value x, std::int64_t times, std::int64_t axis, At at) {
  return as_called("repeat_interleave", [&] {
    check_built("repeat_interleave", x, at);
    const auto a = static_cast<std::size_t>(axis_of("repeat_interleave", x, axis, at));
    Numbers beside(static_cast<std::size_t>(x.rank()) + 1, 1), larger(static_cast<std::size_t>(x.rank()), 1);
    beside[a + 1] = larger[a] = times;
    const Value repeated = tile(expand_dims(x, static_cast<std::int64_t>(a) + 1, at), beside, at);
    return reshape(repeated, multiply(shape_of(x, at), constant(x.graph(), whole(larger), at), at), at);
  });
}

}  // namespace oxbow
