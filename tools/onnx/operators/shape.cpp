// Constants, sizes, and what moves elements.
#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/shape/reshape.h>

#include <algorithm>

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
  return full(c[0], constant(c.graph(), c.tensor("value").value_or(Tensor(Type{f32, {1}}))));
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

// An axis becomes as large as is asked where it is 1, and stays where 1 is asked.
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
  bool as_asked = true;  // whatever is fed
  for (std::int64_t i = 0; i < rank; ++i) {
    const auto now = known_value(here[i]), then = known_value(there[i]);
    as_asked = as_asked && now && (*now->data<std::int64_t>() == 1 || (then && same_bits(*now, *then)));
  }
  if (as_asked) return broadcast_to(x, there);
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
  if (const auto axes = c.integers("axes", 1)) {
    // Axes that a recurrence has just put in.
    if (const auto* put = x.node().op().as<ops::ExpandDims>(); put && put->axes == *axes) return x.node().input(0);
    return axes->empty() ? x : squeeze(x, *axes);
  }
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
  const std::int64_t axis = c.integer("axis", 0);
  if (const auto sizes = c.opset() < 13 ? c.integers("split") : std::nullopt) return split(c[0], *sizes, axis);
  if (c.opset() >= 13 && c.has(1)) return split(c[0], cast(c[1], i64), axis);
  return split(c[0], static_cast<std::int64_t>(c.outputs()), axis);
}

Outputs sliced(Context& c) {
  const Value x = c[0];
  if (c.opset() < 10)
    return slice(x, numbers(c.graph(), c.needed_integers("starts")), numbers(c.graph(), c.needed_integers("ends")),
                 c.integers("axes").value_or(std::vector<std::int64_t>{}));
  const auto whole = [&](int i) { return c.has(i) ? cast(c[i], i64) : Value(); };
  const Value begins = whole(1), ends = whole(2), steps = whole(4);
  const auto axes = c.has(3) ? c.fixed_integers(3) : std::nullopt;
  return slice(x, begins, ends, steps, axes.value_or(std::vector<std::int64_t>{}));
}

Outputs gathered(Context& c) { return gather(c[0], c[1], c.integer("axis", 0)); }

// ONNX has all begins, then all ends.
Outputs padded(Context& c) {
  const Value x = c[0];
  const std::string mode = c.text("mode", "constant");
  PadOptions options;
  if (mode == "reflect")
    options.mode = PadMode::reflect;
  else if (mode == "edge")
    options.mode = PadMode::edge;
  else if (mode == "wrap")
    options.mode = PadMode::wrap;
  else if (mode != "constant")
    c.fail("there is no mode " + mode);
  Value pads;
  if (c.opset() < 11) {
    pads = numbers(c.graph(), c.needed_integers(c.opset() < 2 ? "paddings" : "pads"));
    if (const double value = c.number("value", 0); value != 0) options.fill = c.like(x, value);
  } else {
    pads = cast(c[1], i64);
    if (c.has(2) && options.mode == PadMode::constant) options.fill = c[2];
    if (c.has(3)) options.axes = *c.fixed_integers(3);
  }
  return pad(x, transpose(reshape(pads, {2, -1})), options);
}

Outputs counted(Context& c) {
  const Value start = c[0], limit = c[1], step = c[2];
  return arange(start, limit, step);
}

Outputs one_hot_of(Context& c) {
  const Value values = c[2];
  const Value off = values[0], on = values[1];
  return one_hot(c[0], c[1], off, on, c.integer("axis", -1));
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
