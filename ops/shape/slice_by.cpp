#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shape/pad.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/slice_by.h>
#include <oxbow/ops/shape/strided_slice.h>
#include <oxbow/ops/widen.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// The elements begin, begin + step, ... of an axis: `count` of them.
struct Bounds {
  std::int64_t begin = 0, step = 1, count = 0;
};

// Clamped as NumPy does. Downwards a range may end before the first element, which no number that counts from the end
// says: one below -size does.
Bounds clamped(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (step == 0) throw OpError("the step of a range is 0", "Use 1 for each element, -1 for each of them backwards");
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  const auto within = [&](std::int64_t at) { return std::clamp(at < 0 ? at + size : at, low, high); };
  const std::int64_t first = within(begin), stop = within(end), length = step > 0 ? stop - first : first - stop;
  if (length <= 0) return {0, 1, 0};
  const std::uint64_t by = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const auto count = 1 + static_cast<std::int64_t>((static_cast<std::uint64_t>(length) - 1) / by);
  return {first, step, count};
}

// The range of each axis of x. `numbers_of` gives the known input of that number, if it is given.
template <class F>
std::vector<Bounds> ranges(const Shape& x, const Numbers& axes, F numbers_of) {
  const Numbers begins = numbers_of(0, "begins"), ends = numbers_of(1, "ends"), steps = numbers_of(2, "steps");
  if (begins.size() != ends.size() || (!axes.empty() && axes.size() != begins.size()) ||
      (!steps.empty() && steps.size() != begins.size()) || static_cast<int>(begins.size()) > x.rank())
    throw OpError(std::to_string(begins.size()) + " begins and " + std::to_string(ends.size()) + " ends" +
                      (steps.empty() ? "" : " and " + std::to_string(steps.size()) + " steps") + " for " +
                      (axes.empty() ? "x of shape " + to_string(x) : std::to_string(axes.size()) + " axes"),
                  "Give one of each for every axis that is cut");
  std::vector<Bounds> all;
  for (const std::int64_t size : x) all.push_back({0, 1, size});
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const int axis = axes.empty() ? static_cast<int>(i) : x.axis_of(axes[i]);
    all[static_cast<std::size_t>(axis)] = clamped(x[axis], begins[i], ends[i], steps.empty() ? 1 : steps[i]);
  }
  return all;
}

// Of an op whose input `first` are the begins.
std::vector<Bounds> ranges(const Shape& x, const Numbers& axes, Types in, const Known& known, int first) {
  return ranges(x, axes, [&](int i, const char* what) {
    const int at = first + i;
    return in[static_cast<std::size_t>(at)] ? numbers(known(at), what) : Numbers();
  });
}
std::vector<Bounds> ranges(const Shape& x, const Numbers& axes, Values in, int first) {
  return ranges(x, axes, [&](int i, const char* what) {
    const int at = first + i;
    return in[at] ? numbers(in[at], what) : Numbers();
  });
}

Shape shape_of(const std::vector<Bounds>& ranges) {
  Numbers sizes;
  for (const Bounds& r : ranges) sizes.push_back(r.count);
  return Shape(sizes);
}

// As `StridedSlice` has it: the last place that is taken, and one further.
std::int64_t end_of(const Bounds& r) {
  const std::int64_t last = r.begin + (r.count - 1) * r.step;
  return r.step > 0 ? last + 1 : last == 0 ? to_end : last - 1;
}

}  // namespace

Type SliceBy::infer(Types in, const Known& known) const {
  return {in[0].dtype, shape_of(ranges(in[0].shape, axes, in, known, 1))};
}

std::vector<Value> SliceBy::lower(Values in) const {
  Value y = in[0];
  const std::vector<Bounds> all = ranges(y.shape(), axes, in, 1);
  for (int axis = 0; axis < y.rank(); ++axis) {
    const Bounds& r = all[static_cast<std::size_t>(axis)];
    if (r.step != 1)
      y = slice(y, axis, r.begin, end_of(r), r.step, At::current());
    else if (r.count < y.shape()[axis])
      y = slice(y, axis, r.begin, r.begin + r.count, At::current());
  }
  return {y};
}

Grads SliceBy::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), begins = n.input(1), ends = n.input(2), steps = n.input(3);
  return {apply(SliceByGradient{.axes = axes}, {dy[0], x, begins, ends, steps}, At::current()), Value(), Value(),
          Value()};
}

Type SliceByGradient::infer(Types in, const Known& known) const {
  check_dtype(dtypes::Numbers{}, in[0], "dy");
  const Shape part = shape_of(ranges(in[1].shape, axes, in, known, 2));
  if (in[0].shape != part)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the slice has " + to_string(part),
                  "Pass the gradient of the slice");
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> SliceByGradient::lower(Values in) const {
  Value dx = in[0];
  Graph& g = dx.graph();
  const Shape& x = in[1].shape();
  const std::vector<Bounds> all = ranges(x, axes, in, 2);
  for (int axis = 0; axis < x.rank(); ++axis) {
    const Bounds& r = all[static_cast<std::size_t>(axis)];
    const std::int64_t size = x[axis];
    if (r.step == 1) {
      dx = padded(dx, axis, r.begin, size - r.begin - r.count, constant(g, 0, dx.dtype(), At::current()));
      continue;
    }
    if (dx.shape().with(axis, size) == x) {
      const StridedSliceGradient op{.axis = axis, .begin = r.begin, .end = end_of(r), .step = r.step};
      dx = apply(op, {dx, in[1]}, At::current());
      continue;
    }
    Numbers places;                                            // no value of this shape is at hand
    internal::claim_table(r.count, 2 * sizeof(std::int64_t));  // which become a tensor
    for (std::int64_t i = 0; i < r.count; ++i) places.push_back(r.begin + i * r.step);
    dx = added_at(dx, axis, size, places);
  }
  return {dx};
}

Grads SliceByGradient::gradient(const Node& n, Values dy) const {
  const Value begins = n.input(2), ends = n.input(3), steps = n.input(4);
  return {slice(dy[0], begins, ends, steps, axes), Value(), Value(), Value(), Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

Value slice(Value x, Value begins, Value ends, std::vector<std::int64_t> axes, At at) {
  return slice(x, begins, ends, Value(), std::move(axes), at);
}

Value slice(Value x, Value begins, Value ends, Value steps, std::vector<std::int64_t> axes, At at) {
  return as_called("slice", [&] { return apply(ops::SliceBy{.axes = std::move(axes)}, {x, begins, ends, steps}, at); });
}

}  // namespace oxbow
