// Operators that carry a state from one call to the next: linear attention and causal convolutions.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <cmath>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// [batch, time, heads * size] as [time, batch, heads, size], so that a loop goes over its first axis.
Value by_steps(Context& c, Value x, std::int64_t heads, std::string_view what) {
  if (x.rank() != 3 || x.shape()[2] % heads != 0)
    c.fail(std::string(what) + " is " + to_string(x.type()) + ", not [batch, time, " + std::to_string(heads) +
           " heads * size]");
  return transpose(reshape(cast(x, compute_type(x.dtype())), {0, 0, heads, -1}), {1, 0, 2, 3});
}

// A state [batch, heads, keys, values] fades (gated) and takes in the outer product of a step's key and value, or of
// its key and what the state lacks of its value (delta); a query reads it.
Outputs linear_attention(Context& c) {
  const Value query = c[0], past = c.optional(3);
  const std::int64_t heads = c.integer("q_num_heads"), kv_heads = c.integer("kv_num_heads");
  if (heads <= 0 || kv_heads <= 0 || heads % kv_heads != 0)
    c.fail("it has " + std::to_string(heads) + " heads of queries for " + std::to_string(kv_heads) + " of keys");
  const std::string rule = c.text("update_rule", "gated_delta");
  if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta")
    c.fail("update_rule is " + rule + ", not linear, gated, delta or gated_delta");
  const bool gated = rule.starts_with("gated"), delta = rule.ends_with("delta");
  if (c.has(4) != gated) c.fail("update_rule " + rule + (gated ? " needs" : " takes no") + " decay");
  if (c.has(5) != delta) c.fail("update_rule " + rule + (delta ? " needs" : " takes no") + " beta");

  const Value q = by_steps(c, query, heads, "query"), k = by_steps(c, c[1], kv_heads, "key"),
              v = by_steps(c, c[2], kv_heads, "value");
  const std::int64_t keys = k.shape()[3], values = v.shape()[3], times = heads / kv_heads;
  if (q.shape()[3] != keys)
    c.fail("its queries have the size " + std::to_string(q.shape()[3]) + ", its keys " + std::to_string(keys));
  const double given = c.number("scale", 0), scale = given == 0 ? 1 / std::sqrt(static_cast<double>(keys)) : given;
  std::vector<Value> sequences{reshape(q, {0, 0, kv_heads, times, keys}), k, v};
  if (gated) sequences.push_back(exp(by_steps(c, c[4], kv_heads, "decay")));
  if (delta) sequences.push_back(by_steps(c, c[5], c[5].rank() == 3 && c[5].shape()[2] == 1 ? 1 : kv_heads, "beta"));

  const DType wide = compute_type(query.dtype());
  const Value batch = shape_of(query)[range(0, 1)];
  const Value first =
      past ? cast(past, wide) : zeros(concat({batch, numbers(c.graph(), {kv_heads, keys, values})}), wide);
  const auto step = [&](const RepeatStep& s) {
    const Value key = s.slices[1];
    Value state = s.carried[0], value = s.slices[2];
    if (gated) state = state * with_axes(s.slices[3], {3});
    if (delta) value = s.slices.back() * (value - reshape(matmul(with_axes(key, {2}), state), {0, 0, -1}));
    state = state + with_axes(key, {3}) * with_axes(value, {2});
    return RepeatNext{.carried = {state}, .stacked = {matmul(s.slices[0], state)}};
  };
  const RepeatResult done = scan({first}, sequences, step);
  const Value read = reshape(transpose(done.stacked[0], {1, 0, 2, 3, 4}), {0, 0, heads * values});
  return {cast(scale * read, query.dtype()), cast(done.carried[0], past ? past.dtype() : query.dtype())};
}

// Of [batch, channels, time], each channel by itself, over what was before and is now; the last of both is the next
// call's before.
Outputs causal_convolution(Context& c) {
  const Value x = c[0], w = c[1], bias = c.optional(2), past = c.optional(3);
  if (x.rank() != 3 || w.rank() != 3 || w.shape()[1] != 1 || w.shape()[0] != x.shape()[1])
    c.fail("its input is " + to_string(x.type()) + " and its kernel " + to_string(w.type()) +
           ", not [batch, channels, time] and [channels, 1, size]");
  const std::int64_t before = w.shape()[2] - 1;
  const Value all = past ? concat({past, x}, 2) : pad(x, {{0, 0}, {0, 0}, {before, 0}});
  Value y = conv1d(
      all, w,
      {.padding = Padding::valid, .groups = x.shape()[1], .bias = bias, .data_format = DataFormat::channels_first});
  const std::string activation = c.text("activation", "none");
  if (activation == "silu" || activation == "swish")
    y = silu(y);
  else if (activation != "none")
    c.fail("activation is " + activation + ", not none, silu or swish");
  return {y, before > 0 ? slice(all, 2, -before) : slice(all, 2, 0, 0)};
}

constexpr Operator list[] = {
    {"CausalConvWithState", causal_convolution, 27},
    {"LinearAttention", linear_attention, 27},
};

}  // namespace

Operators state_operators() { return list; }

}  // namespace oxbow::onnx
