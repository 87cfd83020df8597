// Constants, sizes, and what moves elements.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <limits>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

Outputs constant_of(Context& c) {
  Graph& g = c.graph();
  if (const auto t = c.tensor("value")) return constant(g, *t);
  if (c.has_attribute("value_float")) return constant(g, c.number("value_float"));
  if (c.has_attribute("value_int")) return constant(g, Tensor::scalar(c.integer("value_int")));
  if (const auto all = c.integers("value_ints")) return numbers(g, *all);
  if (const auto all = c.numbers("value_floats")) {
    const std::vector<float> narrow(all->begin(), all->end());
    return constant(g, Tensor::of({static_cast<std::int64_t>(narrow.size())}, narrow));
  }
  c.fail("it has no value that Oxbow reads: neither a dense tensor nor numbers");
}

Outputs filled(Context& c) {
  const auto value = c.tensor("value").value_or(Tensor(Type{f32, {1}}));
  const Value scalar = reshape(constant(c.graph(), value), std::vector<std::int64_t>{});
  return broadcast_to(scalar, c[0]);
}

// The sizes of axes [start, end).
Outputs sizes(Context& c) {
  const Value x = c[0], all = shape_of(x);
  const std::int64_t rank = x.rank();
  const auto place = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t begin = place(c.integer("start", 0)), end = place(c.integer("end", rank));
  return begin == 0 && end == rank ? all : slice(all, 0, begin, std::max(begin, end));
}

Outputs elements(Context& c) {
  const Value x = c[0];
  Value count = constant(c.graph(), 1, i64);
  for (int i = 0; i < x.rank(); ++i) count = count * shape_of(x)[i];
  return count;
}

// Sizes are a list of at most as many as a shape has.
void check_sizes(Context& c, Value sizes) {
  if (sizes.rank() != 1 || sizes.shape()[0] > Shape::max_rank)
    c.fail("the sizes of its result are " + to_string(sizes.type()) + ", not a list of at most " +
           std::to_string(Shape::max_rank));
}

// A size of 0 keeps that of the same axis, unless `allowzero`.
Outputs reshaped(Context& c) {
  const Value x = c[0];
  const bool keeps = !c.flag("allowzero");
  const auto listed = c.has_attribute("shape") ? c.integers("shape") : std::nullopt;
  const Value to = listed ? numbers(c.graph(), *listed) : c[1];
  check_sizes(c, to);
  const std::int64_t rank = to.shape()[0];
  if (const auto* known = to.node().op().as<ops::Constant>()) {
    const auto* sizes = known->value.data<std::int64_t>();
    const std::vector<std::int64_t> shape(sizes, sizes + rank);
    if (keeps || std::find(shape.begin(), shape.end(), 0) == shape.end()) return reshape(x, shape);
  }
  if (!keeps) return reshape(x, to);
  const std::int64_t common = std::min<std::int64_t>(rank, x.rank());
  const Value own =
      common == rank
          ? slice(shape_of(x), 0, 0, rank)
          : concat({shape_of(x),
                    numbers(c.graph(), std::vector<std::int64_t>(static_cast<std::size_t>(rank - common), 0))});
  return reshape(x, where(equal(to, 0), own, to));
}

Outputs expanded(Context& c) {
  const Value x = c[0], asked = c[1];
  check_sizes(c, asked);
  Graph& g = c.graph();
  const std::int64_t rank = std::max<std::int64_t>(x.rank(), asked.shape()[0]);
  const auto filled_up = [&](Value sizes) {
    const std::int64_t more = rank - sizes.shape()[0];
    return more == 0 ? sizes
                     : concat({numbers(g, std::vector<std::int64_t>(static_cast<std::size_t>(more), 1)), sizes});
  };
  const Value here = filled_up(shape_of(x)), there = filled_up(asked);
  return broadcast_to(x, where(equal(here, 1), there, here));
}

Outputs flattened(Context& c) {
  const Value x = c[0];
  const std::int64_t asked = c.integer("axis", 1), axis = asked == x.rank() ? asked : from_first(asked, x.rank());
  if (axis == 1) return x.rank() == 1 ? with_axes(x, {1}) : flatten(x);
  if (axis == 0) return reshape(x, {1, -1});
  Graph& g = c.graph();
  // The last of an empty part is the number of its elements, which is 1.
  const Value sizes = shape_of(x), behind = concat({numbers(g, {1}), slice(sizes, 0, axis, x.rank())});
  Value columns = behind[0];
  for (std::int64_t i = axis; i < x.rank(); ++i) columns = columns * sizes[i];
  return reshape(x, concat({numbers(g, {-1}), reshape(columns, {1})}));
}

Outputs squeezed(Context& c) {
  const Value x = c[0];
  if (const auto axes = c.integers("axes", 1)) return axes->empty() ? x : squeeze(x, *axes);
  std::vector<std::int64_t> ones;
  for (int i = 0; i < x.rank(); ++i)
    if (x.shape()[i] == 1) ones.push_back(i);
  return ones.empty() ? x : squeeze(x, ones);
}

Outputs unsqueezed(Context& c) {
  const Value x = c[0];
  const auto axes = c.integers("axes", 1);
  if (!axes) c.fail("it has no axes");
  return with_axes(x, *axes);
}

Outputs transposed(Context& c) {
  const Value x = c[0];
  return transpose(x, c.integers("perm").value_or(std::vector<std::int64_t>{}));
}

Outputs joined(Context& c) { return concat(c.all(), c.integer("axis", 1)); }

// Parts of equal size, the last one smaller, or of the sizes that are given.
Outputs parts(Context& c) {
  const Value x = c[0];
  const std::int64_t axis = from_first(c.integer("axis", 0), x.rank());
  auto sizes = c.integers("split", 1);
  const std::int64_t size = x.shape()[static_cast<int>(axis)], count = c.outputs();
  if (count == 0) c.fail("it has no outputs");
  if (!sizes) {
    const std::int64_t each = (size + count - 1) / count;
    sizes.emplace(static_cast<std::size_t>(count), each);
    sizes->back() = size - each * (count - 1);
  }
  std::vector<Value> results;
  std::int64_t begin = 0;
  for (const std::int64_t part : *sizes) {
    results.push_back(slice(x, axis, begin, begin + part));
    begin += part;
  }
  return results;
}

// Positions as x's axis cuts them off, with steps of either sign.
Value cut(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const std::int64_t size = x.shape()[static_cast<int>(axis)];
  const auto place = [&](std::int64_t i, std::int64_t low, std::int64_t high) {
    return std::clamp(i < 0 ? i + size : i, low, high);
  };
  if (step > 0) {
    const std::int64_t from = place(begin, 0, size);
    return slice(x, axis, from, std::max(from, place(end, 0, size)), step);
  }
  const std::int64_t from = place(begin, -1, size - 1), to = place(end, -1, size - 1);
  if (from <= to) return slice(x, axis, 0, 0);
  return slice(x, axis, from, to < 0 ? to_end : to, step);
}

Outputs sliced(Context& c) {
  Value x = c[0];
  const bool listed = c.opset() < 10;
  const auto steps = listed ? std::nullopt : c.fixed_integers(4);
  auto axes = listed ? c.integers("axes") : c.fixed_integers(3);
  const bool known = listed || (c.fixed(1) && c.fixed(2));
  const bool forwards = !steps || std::all_of(steps->begin(), steps->end(), [](std::int64_t s) { return s == 1; });
  if (forwards && !listed) {
    const auto wide = [&](int i) { return cast(c[i], i64); };
    const Value begins = wide(1), ends = wide(2);
    return slice(x, begins, ends, axes.value_or(std::vector<std::int64_t>{}));
  }
  if (!known) c.fail("places that depend on what is fed go in steps of 1 only");
  const auto begins = (listed ? c.integers("starts") : c.fixed_integers(1)).value();
  const auto ends = (listed ? c.integers("ends") : c.fixed_integers(2)).value();
  if (listed)
    return slice(x, numbers(c.graph(), begins), numbers(c.graph(), ends), axes.value_or(std::vector<std::int64_t>{}));
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::int64_t axis = axes ? from_first(axes->at(i), x.rank()) : static_cast<std::int64_t>(i);
    x = cut(x, axis, begins[i], ends.at(i), steps->at(i));
  }
  return x;
}

// Negative indices count from the end.
Outputs gathered(Context& c) {
  const Value table = c[0], indices = c[1];
  const std::int64_t axis = from_first(c.integer("axis", 0), table.rank());
  const Value size = shape_of(table)[axis];
  return gather(table, where(less(indices, 0), indices + cast(size, indices.dtype()), indices), axis);
}

Outputs padded(Context& c) {
  const Value x = c[0];
  if (c.text("mode", "constant") != "constant") c.fail("mode " + c.text("mode", "") + " is not there yet");
  const auto pads = (c.opset() < 11 ? c.integers(c.opset() < 2 ? "paddings" : "pads") : c.fixed_integers(1)).value();
  const auto axes = c.fixed_integers(3);
  double value = c.number("value", 0);
  if (c.has(2)) value = c.fixed_numbers(2)->at(0);
  std::vector<std::pair<std::int64_t, std::int64_t>> around(static_cast<std::size_t>(x.rank()));
  const std::size_t count = pads.size() / 2;
  std::vector<std::int64_t> begins(around.size()), ends(around.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<std::size_t>(axes ? from_first(axes->at(i), x.rank()) : static_cast<std::int64_t>(i));
    begins.at(axis) = pads.at(i);
    ends.at(axis) = pads.at(count + i);
    around.at(axis) = {std::max<std::int64_t>(begins[axis], 0), std::max<std::int64_t>(ends[axis], 0)};
  }
  Value y = pad(x, around, value);
  for (std::size_t axis = 0; axis < around.size(); ++axis)  // negative ones take away
    if (begins[axis] < 0 || ends[axis] < 0)
      y = slice(y, static_cast<std::int64_t>(axis), std::max<std::int64_t>(-begins[axis], 0),
                y.shape()[static_cast<int>(axis)] + std::min<std::int64_t>(ends[axis], 0));
  return y;
}

Outputs counted(Context& c) {
  const Value start = c[0], limit = c[1], step = c[2];
  return arange(start, limit, step);
}

Outputs one_hot_of(Context& c) {
  const Value labels = c[0], depth = c[1], values = c[2];
  const Value classes = reshape(cast(depth, i64), std::vector<std::int64_t>{}), index = cast(labels, i64);
  const std::int64_t axis = c.integer("axis", -1);
  const Value off = values[0], on = values[1];
  // Indices beyond the classes are nowhere; negative ones count from the end.
  const Value places = arange(constant(c.graph(), 0, i64), classes, constant(c.graph(), 1, i64));
  const Value wrapped = where(less(index, 0), index + classes, index);
  const std::int64_t at = from_first(axis, labels.rank() + 1);
  std::vector<std::int64_t> behind;
  for (std::int64_t i = at; i < labels.rank(); ++i) behind.push_back(i - at + 1);
  return where(equal(with_axes(wrapped, {at}), with_axes(places, behind)), on, off);
}

constexpr Operator list[] = {
    {"Concat", joined},
    {"Constant", constant_of},
    {"ConstantOfShape", filled},
    {"Expand", expanded},
    {"Flatten", flattened},
    {"Gather", gathered},
    {"OneHot", one_hot_of},
    {"Pad", padded},
    {"Range", counted},
    {"Reshape", reshaped},
    {"Shape", sizes},
    {"Size", elements},
    {"Slice", sliced},
    {"Split", parts},
    {"Squeeze", squeezed},
    {"Tile",
     [](Context& c) -> Outputs {
       const Value x = c[0], repeats = c[1];
       return tile(x, repeats);
     },
     6},
    {"Transpose", transposed},
    {"Unsqueeze", unsqueezed},
};

}  // namespace

Operators shape_operators() { return list; }

}  // namespace oxbow::onnx
