// The gradient of attention's gradient, of plain ops: so it has gradients of its own, of any order. It stores the
// matrix of scores, as nobody trains by it at length.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/attention/tiles.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <limits>

namespace oxbow::ops {

using namespace attention;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

Value whole(Graph& g, std::int64_t number) { return constant(g, Tensor::of<std::int64_t>(Shape{1}, {number})); }

// The size of an axis, as i64[1].
Value extent(Value x, std::int64_t axis) { return shape_of(x)[range(axis, axis == -1 ? to_end : axis + 1)]; }

// Values as [batch, heads of keys, heads of queries for each, places, features], where heads of keys have 1 for those
// of queries: products and sums broadcast.
class InHeads {
 public:
  InHeads(const Form& form, Value q, Value k) : side_by_side_(form.heads > 0) {
    Graph& g = q.graph();
    const int leading = q.rank() - 2, flat = side_by_side_ ? leading : std::max(0, leading - 1);
    one_ = kv_ = group_ = whole(g, 1);
    if (side_by_side_) {
      heads_ = form.heads;
      kv_heads_ = form.kv_heads > 0 ? form.kv_heads : heads_;
      kv_ = whole(g, kv_heads_);
      group_ = whole(g, heads_ / kv_heads_);
    } else if (leading > 0) {
      kv_ = extent(k, -3);
      group_ = cast(cast(extent(q, -3), f64) / cast(maximum(kv_, one_), f64), i64);
    }
    batch_ = one_;
    for (int axis = 0; axis < flat; ++axis) batch_ = batch_ * extent(q, axis - q.rank());
    for (int axis = 0; axis < leading; ++axis) scores_.push_back(extent(q, axis - q.rank()));
    if (side_by_side_) scores_.push_back(whole(g, heads_));
    scores_.insert(scores_.end(), {extent(q, -2), extent(k, -2)});
  }

  Value of_queries(Value x) const { return apart(x, group_, heads_); }
  Value of_keys(Value x) const { return apart(x, one_, kv_heads_); }
  /// A number a query.
  Value each(Value x) const { return reshape(x, concat({batch_, kv_, group_, extent(x, -1), one_})); }
  /// A mask of any shape that broadcasts to the scores'.
  Value spread(Value mask) const {
    const Value all = broadcast_to(mask, concat(scores_));
    return reshape(all, concat({batch_, kv_, group_, scores_[scores_.size() - 2], scores_.back()}));
  }
  /// Back as `like` lies, of which it is the gradient.
  Value together(Value x, Value like, bool of_keys) const {
    if (of_keys) x = sum(x, {2}, true);
    if (side_by_side_) x = transpose(x, {0, 3, 1, 2, 4});
    return cast(reshape_like(x, like), like.dtype());
  }

 private:
  Value apart(Value x, Value group, std::int64_t heads) const {
    if (!side_by_side_) return reshape(x, concat({batch_, kv_, group, extent(x, -2), extent(x, -1)}));
    const Value each = whole(x.graph(), x.shape()[-1] / heads);
    const Value in_heads = reshape(x, concat({batch_, extent(x, -2), kv_, group, each}));
    return transpose(in_heads, {0, 2, 3, 1, 4});
  }

  bool side_by_side_;
  std::int64_t heads_ = 1, kv_heads_ = 1;  // side by side
  Value one_, batch_, kv_, group_;         // i64[1]
  std::vector<Value> scores_;              // the sizes of the scores
};

Value times_transposed(Value a, Value b) { return matmul(a, b, {.transpose_b = true}); }
Value transposed_times(Value a, Value b) { return matmul(a, b, {.transpose_a = true}); }
Value over_keys(Value x) { return sum(x, {-1}, true); }
void add_to(Value& sum, Value term) { sum = sum ? sum + term : term; }

}  // namespace

// With p = exp(scale q k^T - lse) where a key is seen, g = dy, o = sum y g - dlse, w = g v^T - o and z = scale p w the
// gradient is dq = z k, dk = z^T q, dv = (p + n)^T g, where n are the equal shares of queries that see nothing. a, b
// and c flow back to dq, dk and dv. Then to z flows u = a k^T + q b^T, to w scale u p, to p (g c^T + scale u w), and to
// the exponent p times that.
Grads ScaledDotProductAttentionGradient::gradient(const Node& n, Values d) const {
  if (dropout > 0) return NotDifferentiable{"the weights that dropout keeps are never stored as a matrix"};
  const Value in_q = n.input(0), in_k = n.input(1), mask = n.input(6), in_dlse = n.input(7);
  const InHeads in_heads(form(), in_q, in_k);
  // Halves are computed with as in the op, and rounded once.
  const DType wide = compute_type(in_q.dtype());
  const auto queries = [&](Value x) { return in_heads.of_queries(cast(x, wide)); };
  const auto keys = [&](Value x) { return in_heads.of_keys(cast(x, wide)); };
  const Value q = queries(in_q), k = keys(in_k), v = keys(n.input(2)), y = queries(n.input(3)),
              lse = in_heads.each(n.input(4)), g = queries(n.input(5));

  Value seen = mask ? in_heads.spread(mask) : Value();
  if (causal) {
    const Value zero = constant(n.graph(), 0, i64), one = constant(n.graph(), 1, i64);
    const Value t = shape_of(in_q)[-2], s = shape_of(in_k)[-2];
    const Value last = reshape(arange(s - t, s, one), {-1, 1}), key = arange(zero, s, one);
    const Value before = greater_equal(last, key);
    seen = seen ? logical_and(seen, before) : before;
  }
  const Value alone =  // sees nothing
      equal(lse, wide == f64 ? sum_of_nothing<double> : static_cast<double>(sum_of_nothing<float>));
  const Value scores = times_transposed(q, k) * scale;
  const Value exponent = scores - where(alone, 0.0, lse);
  const Value p = where(alone, 0.0, exp(seen ? where(seen, exponent, -infinite) : exponent));
  const Value shares = where(alone, 1.0 / count_like(scores, {-1}), 0.0);
  Value offset = over_keys(y * g);
  if (in_dlse) offset = offset - in_heads.each(in_dlse);
  const Value w = times_transposed(g, v) - offset;
  const Value z = p * w * scale;

  Value to_q, to_k, to_v, to_y, to_g, to_dlse, to_p;
  if (d[2]) {
    const Value c = keys(d[2]);
    to_p = times_transposed(g, c);
    to_g = matmul(p + shares, c);
  }
  Value u;
  if (d[0]) {
    const Value a = queries(d[0]);
    u = times_transposed(a, k);
    to_k = transposed_times(z, a);
  }
  if (d[1]) {
    const Value b = keys(d[1]);
    add_to(u, times_transposed(q, b));
    to_q = matmul(z, b);
  }
  if (u) {
    add_to(to_p, u * w * scale);
    const Value to_w = u * p * scale;
    to_dlse = over_keys(to_w);
    add_to(to_g, matmul(to_w, v));
    to_g = to_g - to_dlse * y;
    to_v = transposed_times(to_w, g);
    to_y = -(to_dlse * g);
  }
  const Value to_exponent = to_p * p;
  add_to(to_q, matmul(to_exponent, k) * scale);
  add_to(to_k, transposed_times(to_exponent, q) * scale);

  const auto back = [&](Value x, int i, bool of_keys) {
    return x ? in_heads.together(x, n.input(i), of_keys) : Value();
  };
  const auto each = [&](Value x, int i) { return reshape_like(x, n.input(i)); };
  return {back(to_q, 0, false),
          back(to_k, 1, true),
          back(to_v, 2, true),
          back(to_y, 3, false),
          each(-over_keys(to_exponent), 4),
          back(to_g, 5, false),
          Value(),
          in_dlse && to_dlse ? each(to_dlse, 7) : Value(),
          Value()};
}

}  // namespace oxbow::ops
