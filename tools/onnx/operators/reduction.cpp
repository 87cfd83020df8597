// Sums, means and extremes over axes, and what is made of them.
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

using Reduce = Value (*)(Value, Axes, bool, At);

// Axes as attribute or as input; no axes are all of them, or none with `noop_with_empty_axes`.
template <Reduce f>
Outputs reduce(Context& c) {
  const Value x = c[0];
  const auto axes = c.integers("axes", 1).value_or(std::vector<std::int64_t>{});
  const bool keep = c.flag("keepdims", true);
  if (axes.empty() && (c.flag("noop_with_empty_axes") || x.rank() == 0))
    return f(with_axes(x, {-1}), -1, false, At::current());
  return f(x, axes, keep, At::current());
}

Value sum_of_squares(Value x, Axes axes, bool keep, At at) { return sum(square(x, at), std::move(axes), keep, at); }
Value sum_of_sizes(Value x, Axes axes, bool keep, At at) { return sum(abs(x, at), std::move(axes), keep, at); }
Value log_of_sum(Value x, Axes axes, bool keep, At at) { return log(sum(x, std::move(axes), keep, at), at); }

Outputs place_of_largest(Context& c) {
  const Value x = c[0];
  const std::int64_t axis = c.integer("axis", 0);
  if (c.flag("select_last_index")) c.fail("the last of equal elements is not looked for yet");
  const Value place = argmax(x, axis);
  return c.flag("keepdims", true) ? with_axes(place, {from_first(axis, x.rank())}) : place;
}

Outputs largest(Context& c) {
  const Value x = c[0];
  const std::int64_t axis = c.integer("axis", -1);
  const bool most = c.flag("largest", true);
  const TopKResult found = c.opset() < 10 ? top_k(x, c.integer("k"), axis, most)
                                          : top_k(x, reshape(c[1], std::vector<std::int64_t>{}), axis, most);
  return {found.values, found.indices};
}

// Before opset 13 the axes from `axis` on are one.
template <Value (*f)(Value, std::int64_t, At)>
Outputs softmax_of(Context& c) {
  const Value x = c[0];
  if (c.opset() >= 13) return f(x, c.integer("axis", -1), At::current());
  const std::int64_t axis = from_first(c.integer("axis", 1), x.rank());
  if (axis == x.rank() - 1) return f(x, axis, At::current());
  const Value sizes = shape_of(x);
  const Value rows = concat({slice(sizes, 0, 0, axis), numbers(c.graph(), {-1})});
  return reshape_like(f(reshape(x, rows), -1, At::current()), x);
}

constexpr Operator list[] = {
    {"ArgMax", place_of_largest},         {"LogSoftmax", softmax_of<log_softmax>},
    {"ReduceL1", reduce<sum_of_sizes>},   {"ReduceL2", reduce<norm>},
    {"ReduceLogSum", reduce<log_of_sum>}, {"ReduceMax", reduce<max>},
    {"ReduceMean", reduce<mean>},         {"ReduceMin", reduce<min>},
    {"ReduceSum", reduce<sum>},           {"ReduceSumSquare", reduce<sum_of_squares>},
    {"Softmax", softmax_of<softmax>},     {"TopK", largest},
};

}  // namespace

Operators reduction_operators() { return list; }

}  // namespace oxbow::onnx
