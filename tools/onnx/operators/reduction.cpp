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
// Of integers, what has fractions on the way is computed in f64.
template <Reduce f>
Value through_f64(Value x, Axes axes, bool keep, At at) {
  if (is_float(x.dtype())) return f(x, std::move(axes), keep, at);
  return cast(f(cast(x, f64, at), std::move(axes), keep, at), x.dtype(), at);
}
Value log_of_sum(Value x, Axes axes, bool keep, At at) { return log(sum(x, std::move(axes), keep, at), at); }

template <Value (*f)(Value, std::int64_t, ArgOptions, At)>
Outputs place(Context& c) {
  const ArgOptions options{.keepdims = c.flag("keepdims", true), .select_last_index = c.flag("select_last_index")};
  return f(c[0], c.integer("axis", 0), options, At::current());
}

Outputs in_order(Context& c) {
  const Value x = c[0];
  const std::int64_t axis = c.integer("axis", -1);
  const bool most = c.flag("largest", true);
  const TopKResult found = c.opset() < 10 ? top_k(x, c.integer("k"), axis, most)
                                          : top_k(x, reshape(c[1], std::vector<std::int64_t>{}), axis, most);
  return {found.values, found.indices};
}

template <Value (*f)(Value, std::int64_t, CumulativeOptions, At)>
Outputs scan_along(Context& c) {
  const auto axis = c.fixed_integers(1);
  if (!axis || axis->size() != 1) c.fail("its axis is not one number that is known");
  return f(c[0], axis->front(), {.exclusive = c.flag("exclusive"), .reverse = c.flag("reverse")}, At::current());
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
    {"ArgMax", place<argmax>},
    {"ArgMin", place<argmin>},
    {"CumProd", scan_along<cumprod>},
    {"CumSum", scan_along<cumsum>},
    {"Hardmax", softmax_of<hardmax>},
    {"LogSoftmax", softmax_of<log_softmax>},
    {"ReduceL1", reduce<sum_of_sizes>},
    {"ReduceL2", reduce<through_f64<norm>>},
    {"ReduceLogSum", reduce<through_f64<log_of_sum>>},
    {"ReduceLogSumExp", reduce<through_f64<logsumexp>>},
    {"ReduceMax", reduce<max>},
    {"ReduceMean", reduce<through_f64<mean>>},
    {"ReduceMin", reduce<min>},
    {"ReduceProd", reduce<prod>},
    {"ReduceSum", reduce<sum>},
    {"ReduceSumSquare", reduce<sum_of_squares>},
    {"Softmax", softmax_of<softmax>},
    {"TopK", in_order},
};

}  // namespace

Operators reduction_operators() { return list; }

}  // namespace oxbow::onnx
