#include <oxbow/graph/leaves.h>
#include <oxbow/ops/attention.h>
#include <oxbow/ops/attention/tiles.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/transpose.h>

#include <cmath>

namespace oxbow::ops {

using namespace attention;

namespace {

constexpr double part_flops = 1e6;  // some 10 us: far above the cost of handing a part over

// The sums of a tile's queries, so far.
template <class T>
struct Sums {
  T *largest, *total;  // the largest score; of exp(score - largest) the sum
  T* kept;             // what the last tile of keys left of the sums before it

  // Makes weights of a tile's scores.
  void take(T* scores, std::int64_t keys, std::int64_t width) const {
    T *const most = kept, *const before = largest, *const sum = total;
    std::copy_n(largest, width, most);
    for (std::int64_t j = 0; j < keys; ++j) {
      const T* row = scores + j * width;
      independent(0, width, [=](std::int64_t i) { most[i] = row[i] > most[i] ? row[i] : most[i]; });
    }
    independent(0, width, [=](std::int64_t i) {
      const T now = most[i], left = math::exp(before[i] - now);
      before[i] = now;
      most[i] = left;
      sum[i] *= left;
    });
    for (std::int64_t j = 0; j < keys; ++j) {
      T* row = scores + j * width;
      independent(0, width, [=](std::int64_t i) {
        row[i] = math::exp(row[i] - before[i]);
        sum[i] += row[i];
      });
    }
  }
};

template <class T>
T* take(std::byte*& scratch, std::int64_t elements) {
  T* const taken = reinterpret_cast<T*>(scratch);
  scratch += (elements * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
  return taken;
}

template <class T>
void attend(const Plan& p, const Run& r, std::int64_t head, std::int64_t query) {
  const Geometry& g = p.geometry;
  const std::int64_t queries = g.queries(query), width = width_of(queries), kv = head / g.group, e = g.e;
  const bool last_queries = query + tile >= g.t;
  const bool* mask = r.has(3) ? r.in<bool>(3) : nullptr;
  const T *q = r.in<T>(0) + g.q_at(head) + query * g.q_row, *k = r.in<T>(1) + g.k_at(kv), *v = r.in<T>(2) + g.v_at(kv);
  std::byte* scratch = r.scratch;
  T *const turned = take<T>(scratch, g.d * width), *const scores = take<T>(scratch, tile * width),
           *const sum = take<T>(scratch, queries * e),
           *const factors = g.dropout > 0 ? take<T>(scratch, tile * width) : nullptr;
  const Sums<T> sums{take<T>(scratch, width), take<T>(scratch, width), take<T>(scratch, width)};

  if (queries < width) std::fill_n(turned, g.d * width, T(0));
  copy_transposed(q, g.q_row, turned, width, g.d, queries);
  const T scale = static_cast<T>(g.scale);
  independent(0, g.d * width, [=](std::int64_t i) { turned[i] *= scale; });
  std::fill_n(sums.largest, width, std::numeric_limits<T>::lowest());
  std::fill_n(sums.total, width, T(0));
  std::fill_n(sum, queries * e, T(0));

  const std::int64_t end = g.last_key(query);
  for (std::int64_t key = 0; key < end; key += tile) {
    const Seen seen = g.seen(mask, head, query, key);
    if (seen == Seen::nothing) continue;
    const std::int64_t keys = g.keys(key);
    const bool last_keys = key + tile >= g.s;
    multiply<T>(p.scores[last_queries][last_keys], keys, width, g.d, {k + key * g.k_row, g.k_row, 1}, turned, width,
                scores, width, false);
    if (seen == Seen::some) g.hide(mask, head, query, key, scores, width);
    sums.take(scores, keys, width);
    if (factors) {
      g.draw_factors(r.in<std::int64_t>(4), head, query, key, factors, width);
      scale_by(keys * width, factors, scores);
    }
    for (std::int64_t i = 0; i < queries; ++i) {
      const T left = sums.kept[i];
      if (left == T(1)) continue;
      independent(i * e, (i + 1) * e, [=](std::int64_t c) { sum[c] *= left; });
    }
    const T* values = v + key * g.v_row;
    if (seen == Seen::some && !is_finite(keys, e, values, g.v_row))
      add_seen<T>(queries, e, keys, {scores, 1, width}, values, g.v_row, sum, e,
                  [&](std::int64_t i, std::int64_t j) { return g.sees(mask, head, query + i, key + j); });
    else
      multiply<T>(p.values[last_queries][last_keys], queries, e, keys, {scores, 1, width}, values, g.v_row, sum, e,
                  true);
  }

  for (std::int64_t i = 0; i < queries; ++i) {
    const bool sees_nothing = sums.total[i] == T(0);
    if (r.wants(1))
      r.out<T>(1)[head * g.t + query + i] =
          sees_nothing ? sum_of_nothing<T> : sums.largest[i] + math::log(sums.total[i]);
    if (!r.wants(0)) continue;
    if (sees_nothing)
      for (std::int64_t j = 0; j < g.s; ++j)
        for (std::int64_t c = 0; c < e; ++c) sum[i * e + c] += v[j * g.v_row + c];
    const T each = T(1) / (sees_nothing ? static_cast<T>(std::max<std::int64_t>(g.s, 1)) : sums.total[i]);
    T* y = r.out<T>(0) + g.y_at(head) + (query + i) * g.y_row - i * e;
    independent(i * e, (i + 1) * e, [=](std::int64_t c) { y[c] = sum[c] * each; });
  }
}

}  // namespace

std::vector<Type> ScaledDotProductAttention::infer(Types in) const {
  const Type mask = in.size() > 3 ? in[3] : Type::absent(), scores = scores_type(form(), in[0], in[1], in[2], mask);
  check_dropout(form(), in.size() > 4 ? in[4] : Type::absent());
  const std::int64_t across = std::max<std::int64_t>(heads, 1), kv_across = kv_heads > 0 ? kv_heads : across;
  return {{in[0].dtype, in[0].shape.with(in[0].shape.rank() - 1, in[2].shape[-1] / kv_across * across)},
          {scores.dtype, scores.shape.without(-1)}};
}

Prepared<Plan> ScaledDotProductAttention::prepare(Types in) const {
  const auto plan = std::make_shared<Plan>(Geometry(form(), in[0], in[1], in[2], in[3]));
  const Geometry& g = plan->geometry;
  const DType dtype = in[0].dtype;
  const std::int64_t units = g.heads * g.query_tiles(), width = width_of(std::min(g.t, tile));
  Work work{.parts = 1, .bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + in[2].bytes())};
  if (units == 0) return {work, plan};
  add_scores(work, g, dtype, causal, 2 * (g.d + g.e));
  plan->units_a_part = std::clamp(static_cast<std::int64_t>(part_flops * static_cast<double>(units) / (work.flops + 1)),
                                  std::int64_t{1}, units);
  work.parts = (units + plan->units_a_part - 1) / plan->units_a_part;
  work.scratch = ((g.d + tile + 3) * width + tile * g.e) * size_of(dtype) + 6 * 64;
  if (dropout > 0) work.scratch += tile * width * size_of(dtype) + 64;
  make_kernels(g, dtype, plan->scores, [&](std::int64_t queries, std::int64_t keys) {
    const std::int64_t columns = width_of(queries);
    return gemm::Shape{.rows = keys, .columns = columns, .k = g.d, .lda = g.k_row, .ldb = columns, .ldy = columns};
  });
  make_kernels(g, dtype, plan->values, [&](std::int64_t queries, std::int64_t keys) {
    return gemm::Shape{.rows = queries,
                       .columns = g.e,
                       .k = keys,
                       .lda = width_of(queries),
                       .ldb = g.v_row,
                       .ldy = g.e,
                       .transpose_a = true,
                       .accumulate = true};
  });
  return {work, plan};
}

void ScaledDotProductAttention::run(const Run& r, const Plan& p) const {
  const std::int64_t tiles = p.geometry.query_tiles(), first = r.part * p.units_a_part,
                     end = std::min(first + p.units_a_part, p.geometry.heads * tiles);
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t unit = first; unit < end; ++unit) attend<T>(p, r, unit / tiles, unit % tiles * tile);
  });
}

Grads ScaledDotProductAttention::gradient(const Node& n, Values dy) const {
  const Value y = n.output(0);
  const Value slope = dy[0] ? dy[0] : broadcast_like(constant(n.graph(), 0, y.dtype()), y);
  const Node back =
      apply(ScaledDotProductAttentionGradient{heads, kv_heads, causal, scale, dropout, stream},
            {n.input(0), n.input(1), n.input(2), y, n.output(1), slope, n.input(3), dy[1], n.input(4)}, At::current())
          .node();
  return {back.output(0), back.output(1), back.output(2), Value(), Value()};
}

std::vector<Value> ScaledDotProductAttention::inference(Values in) const {
  if (dropout == 0) return {};
  const Node n =
      apply(ScaledDotProductAttention{heads, kv_heads, causal, scale}, {in[0], in[1], in[2], in[3]}, At::current())
          .node();
  return {n.output(0), n.output(1)};
}

}  // namespace oxbow::ops

namespace oxbow {

Value scaled_dot_product_attention(Value q, Value k, Value v, const AttentionOptions& options, At at) {
  double scale = options.scale;
  if (scale == 0 && q && q.rank() > 0) {
    const std::int64_t d = q.shape()[-1] / std::max<std::int64_t>(options.heads, 1);
    scale = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(d, 1)));
  }
  ops::ScaledDotProductAttention op{.heads = options.heads,
                                    .kv_heads = options.kv_heads,
                                    .causal = options.causal,
                                    .scale = scale,
                                    .dropout = options.dropout};
  const bool draws = q && options.dropout != 0;
  if (draws) op.stream = q.graph().next_stream();
  return apply(op, {q, k, v, options.mask, draws ? random_state(q.graph(), at) : Value()}, at);
}

}  // namespace oxbow
