// Attention and rotary positions, of [batch, heads, time, size] or with heads side by side, [batch, time, heads *
// size].
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// [batch, time, heads * size] as [batch, heads, time, size], and back.
Value by_heads(Value x, std::int64_t heads) { return transpose(reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3}); }
Value side_by_side(Value x) { return reshape(transpose(x, {0, 2, 1, 3}), {0, 0, -1}); }

// 0, 1, ... as many as an axis has, i64.
Value places(Value x, int axis) {
  Graph& g = x.graph();
  return arange(constant(g, 0, i64), shape_of(x)[axis], constant(g, 1, i64));
}

// Each head of keys `times` times, next to one another.
Value repeated(Value x, std::int64_t times) {
  if (times == 1) return x;
  std::vector<std::int64_t> heads(static_cast<std::size_t>(x.shape()[1] * times));
  for (std::size_t i = 0; i < heads.size(); ++i) heads[i] = static_cast<std::int64_t>(i) / times;
  return gather(x, numbers(x.graph(), heads), 1);
}

Value both(Value a, Value b) { return !a ? b : !b ? a : logical_and(a, b); }

class Attention {
 public:
  explicit Attention(Context& c) : c_(c), q_(c[0]), k_(c[1]), v_(c[2]), mask_(c.optional(3)), lengths_(c.optional(6)) {
    heads_apart_ = q_.rank() == 4;
    if (q_.rank() != k_.rank() || q_.rank() != v_.rank() || q_.rank() < 3 || q_.rank() > 4)
      c.fail("queries, keys and values have three axes, or four");
    if (!heads_apart_) {
      q_ = by_heads(q_, heads("q_num_heads"));
      k_ = by_heads(k_, heads("kv_num_heads"));
      v_ = by_heads(v_, heads("kv_num_heads"));
    }
    if (k_.shape()[1] < 1 || q_.shape()[1] % k_.shape()[1] != 0)
      c.fail("its heads of keys do not divide those of queries");
    offset_ = constant(c.graph(), 0, i64);
    if (c.has(4)) {
      const Value past = c[4];
      k_ = concat({past, k_}, 2);
      v_ = concat({c[5], v_}, 2);
      offset_ = shape_of(past)[2];
    } else if (lengths_) {
      lengths_ = with_axes(cast(lengths_, i64), {1, 2, 3});  // [batch, 1, 1, 1]
      offset_ = lengths_ - shape_of(q_)[2];
    }
  }

  Outputs run() {
    const Value bias =
        mask_ && is_float(mask_.dtype()) ? padded(mask_, -std::numeric_limits<double>::infinity()) : Value();
    const Value seen = both(both(mask_ && !bias ? padded(mask_, 0) : Value(), near()), within());
    const double cap = c_.number("softcap", 0);
    Value y, scores;
    if (bias || cap > 0 || c_.wants(3)) {
      y = composed(bias, seen, cap, scores);
    } else {
      y = scaled_dot_product_attention(q_, k_, v_, {.mask = seen, .scale = c_.number("scale", 0)});
      if (seen) y = where(some(seen), y, 0);
    }
    return {heads_apart_ ? y : side_by_side(y), k_, v_, scores};
  }

 private:
  std::int64_t heads(const char* name) const {
    const std::int64_t count = c_.integer(name);
    if (count < 1) c_.fail(std::string(name) + " is " + std::to_string(count));
    return count;
  }

  // A mask for fewer keys hides the others.
  Value padded(Value mask, double hidden) {
    if (mask.rank() == 0) return mask;
    Graph& g = mask.graph();
    const std::int64_t rank = mask.rank();
    const Value lacking = shape_of(k_)[2] - shape_of(mask)[rank - 1];
    const Value zeros = numbers(g, std::vector<std::int64_t>(static_cast<std::size_t>(rank - 1), 0));
    const Value ends = concat({zeros, reshape(lacking, {1})}),
                begins = numbers(g, std::vector<std::int64_t>(static_cast<std::size_t>(rank), 0));
    return pad(mask, transpose(reshape(concat({begins, ends}), {2, -1})), hidden);
  }

  // Which keys a query sees by its place: up to its own where it is causal, and within a window.
  Value near() {
    const std::int64_t left = c_.integer("left_window_size", -1), right = c_.integer("right_window_size", -1);
    if (!c_.flag("is_causal") && left < 0 && right < 0) return {};
    const Value own = with_axes(places(q_, 2), {1}) + offset_, key = places(k_, 2);
    Value seen;
    if (c_.flag("is_causal")) seen = less_equal(key, own);
    if (left >= 0) seen = both(seen, less_equal(own - key, static_cast<double>(left)));
    if (right >= 0) seen = both(seen, less_equal(key - own, static_cast<double>(right)));
    return seen;
  }

  Value within() { return lengths_ ? less(places(k_, 2), lengths_) : Value(); }

  // Whether a query sees a key at all.
  static Value some(Value seen) { return max(seen.rank() < 2 ? with_axes(seen, {0}) : seen, -1, true); }

  // 0: the product, 1: after the cap, 2: with what is added, 3: the probabilities.
  Value composed(Value bias, Value seen, double cap, Value& scores) {
    const std::int64_t times = q_.shape()[1] / k_.shape()[1], mode = c_.integer("qk_matmul_output_mode", 0);
    const double scale = c_.number("scale", 1 / std::sqrt(static_cast<double>(q_.shape()[3])));
    const double low = -std::numeric_limits<double>::infinity();
    Value s = matmul(q_ * std::sqrt(scale), repeated(k_, times) * std::sqrt(scale), {.transpose_b = true});
    if (mode == 0) scores = s;
    if (cap > 0) s = tanh(s / cap) * cap;
    if (mode == 1) scores = s;
    if (bias) s = s + bias;
    if (seen) s = where(seen, s, low);
    if (mode == 2) scores = s;
    Value p = softmax(s);
    // A row of which nothing is seen is all -inf by what was added: it has no probabilities.
    Value any = seen ? some(seen) : Value();
    if (bias) any = both(any, greater(max(seen ? where(seen, bias, low) : bias, -1, true), low));
    if (any) p = where(any, p, 0);
    if (mode == 3) scores = p;
    return matmul(p, repeated(v_, times));
  }

  Context& c_;
  Value q_, k_, v_, mask_, lengths_, offset_;
  bool heads_apart_ = false;
};

// Pairs of elements, of halves or neighbours, turned by an angle of their place.
Outputs rotary(Context& c) {
  Value x = c[0];
  const Value cosines = c[1], sines = c[2], ids = c.optional(3);
  const bool heads_apart = x.rank() == 4, neighbours = c.flag("interleaved");
  if (x.rank() != 3 && x.rank() != 4) c.fail("it turns what has three axes or four, not " + to_string(x.type()));
  if (!heads_apart) {
    const std::int64_t heads = c.integer("num_heads", 0);
    if (heads < 1) c.fail("it has no number of heads");
    x = by_heads(x, heads);
  }
  const std::int64_t size = x.shape()[3], asked = c.integer("rotary_embedding_dim", 0),
                     turned = asked == 0 ? size : asked;
  if (turned < 0 || turned > size || turned % 2 != 0)
    c.fail("it turns " + std::to_string(turned) + " of " + std::to_string(size) + " elements");
  const auto angles = [&](Value cache) { return with_axes(ids ? gather(cache, ids) : cache, {1}); };  // beside heads
  const Value cosine = angles(cosines), sine = angles(sines);
  const std::int64_t half = turned / 2;
  const Value part = turned == size ? x : slice(x, 3, 0, turned);
  const Value a = neighbours ? slice(part, 3, 0, turned, 2) : slice(part, 3, 0, half);
  const Value b = neighbours ? slice(part, 3, 1, turned, 2) : slice(part, 3, half, turned);
  const Value real = cosine * a - sine * b, imaginary = sine * a + cosine * b;
  Value y = neighbours ? reshape_like(concat({with_axes(real, {4}), with_axes(imaginary, {4})}, 4), part)
                       : concat({real, imaginary}, 3);
  if (turned != size) y = concat({y, slice(x, 3, turned, size)}, 3);
  return heads_apart ? y : side_by_side(y);
}

// Attention whose scores, and what softmax makes of them, go through graphs of the model's own.
Outputs flexible_attention(Context& c) {
  const Value q = c[0], k = c[1], v = c[2];
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4) c.fail("queries, keys and values have four axes");
  const std::int64_t heads = k.shape()[1];
  if (heads < 1 || q.shape()[1] % heads != 0) c.fail("its heads of keys do not divide those of queries");
  const std::int64_t times = q.shape()[1] / heads;
  const DType wide = c.dtype("softmax_precision", compute_type(q.dtype()));
  const auto modified = [&](Value x, std::string_view by) {
    if (!c.has_attribute(by)) return x;
    const std::vector<Value> y = c.build(c.body(by), {x});
    if (y.size() != 1 || y[0].type() != x.type())
      c.fail(std::string(by) + " does not give " + to_string(x.type()) + ", as it takes");
    return y[0];
  };
  const double scale = c.number("scale", 1 / std::sqrt(static_cast<double>(q.shape()[3])));
  const Value scores = scale * matmul(cast(q, wide), transpose(repeated(cast(k, wide), times), {0, 1, 3, 2}));
  const Value shares = modified(softmax(modified(scores, "score_mod"), -1), "prob_mod");
  return cast(matmul(shares, repeated(cast(v, wide), times)), q.dtype());
}

constexpr Operator list[] = {
    {"Attention", [](Context& c) -> Outputs { return Attention(c).run(); }, 23},
    {"FlexAttention", flexible_attention, 1, std::numeric_limits<std::int64_t>::max(), preview},
    {"RotaryEmbedding", rotary, 23},
};

}  // namespace

Operators attention_operators() { return list; }

}  // namespace oxbow::onnx
