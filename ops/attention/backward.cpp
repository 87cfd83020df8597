#include <oxbow/ops/attention/tiles.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/shared/rows.h>
#include <oxbow/ops/shared/transpose.h>

#include <array>
#include <utility>

namespace oxbow::ops {

using namespace attention;

namespace {

template <class T>
void clear(T* x, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  for (std::int64_t i = 0; i < rows; ++i) std::fill_n(x + i * stride, columns, T(0));
}

// One part: keys and values of one head, and the queries that read them.
template <class T>
class Backward {
 public:
  Backward(const Plan& p, const Run& r, std::int64_t kv)
      : p_(p),
        g_(p.geometry),
        r_(r),
        mask_(r.has(6) ? r.in<bool>(6) : nullptr),
        k_(r.in<T>(1) + g_.k_at(kv)),
        v_(r.in<T>(2) + g_.v_at(kv)),
        dk_(r.wants(1) ? r.out<T>(1) + g_.k_at(kv) : nullptr),
        dv_(r.wants(2) ? r.out<T>(2) + g_.v_at(kv) : nullptr) {
    T* scratch = reinterpret_cast<T*>(r.scratch);
    const auto take = [&](std::int64_t elements) { return std::exchange(scratch, scratch + elements); };
    q_turned_ = take(g_.d * tile);
    dy_turned_ = take(g_.e * tile);
    weights_ = take(tile * tile);
    slopes_ = take(tile * tile);
    lse_ = take(tile);
    offset_ = take(tile);
    factors_ = g_.dropout > 0 ? take(tile * tile) : nullptr;
    if (dk_) clear(dk_, g_.s, g_.d, g_.k_row);
    if (dv_) clear(dv_, g_.s, g_.e, g_.v_row);
  }

  void take_queries(std::int64_t head, std::int64_t query) {
    const std::int64_t queries = g_.queries(query), width = width_of(queries);
    const T *q = r_.in<T>(0) + g_.q_at(head) + query * g_.q_row, *dy = r_.in<T>(5) + g_.y_at(head) + query * g_.y_row;
    T* dq = r_.wants(0) ? r_.out<T>(0) + g_.q_at(head) + query * g_.q_row : nullptr;
    if (dq) clear(dq, queries, g_.d, g_.q_row);
    turn(q, g_.q_row, g_.d, queries, width, q_turned_);
    turn(dy, g_.y_row, g_.e, queries, width, dy_turned_);
    T* const turned = q_turned_;
    const T scale = static_cast<T>(g_.scale);
    independent(0, g_.d * width, [=](std::int64_t i) { turned[i] *= scale; });
    take_sums(head, query, dy, width);
    const bool finite =
        !g_.hides() || (is_finite(queries, g_.d, q, g_.q_row) && is_finite(queries, g_.e, dy, g_.y_row));
    for (std::int64_t key = 0; key < g_.last_key(query); key += tile) {
      const Seen seen = g_.seen(mask_, head, query, key);
      if (seen != Seen::nothing) take_keys(head, query, key, seen == Seen::some, finite, q, dy, dq);
    }
  }

 private:
  static void turn(const T* x, std::int64_t stride, std::int64_t features, std::int64_t queries, std::int64_t width,
                   T* turned) {
    if (queries < width) std::fill_n(turned, features * width, T(0));
    copy_transposed(x, stride, turned, width, features, queries);
  }

  // Of each query, the logarithm of its sum and what its slopes are less by. Queries that see nothing are done with:
  // no tile gives them a weight.
  void take_sums(std::int64_t head, std::int64_t query, const T* dy, std::int64_t width) {
    const std::int64_t queries = g_.queries(query), at = head * g_.t + query;
    const T *y = r_.in<T>(3) + g_.y_at(head) + query * g_.y_row, *lse = r_.in<T>(4) + at,
            *dlse = r_.has(7) ? r_.in<T>(7) + at : nullptr;
    std::fill_n(lse_, width, T(0));
    std::fill_n(offset_, width, T(0));
    for (std::int64_t i = 0; i < queries; ++i) {
      lse_[i] = lse[i];
      offset_[i] = dot(y + i * g_.y_row, dy + i * g_.y_row, g_.e) - (dlse ? dlse[i] : T(0));
      if (lse[i] != sum_of_nothing<T>) continue;
      lse_[i] = -hidden<T>;
      const T share = T(1) / static_cast<T>(std::max<std::int64_t>(g_.s, 1));
      for (std::int64_t j = 0; dv_ && j < g_.s; ++j)
        for (std::int64_t c = 0; c < g_.e; ++c) dv_[j * g_.v_row + c] += share * dy[i * g_.y_row + c];
    }
  }

  // In 16 lanes, which are then folded in halves.
  static T dot(const T* a, const T* b, std::int64_t n) {
    std::array<T, rows::lanes> sums{};
    std::int64_t i = 0;
    for (; i + rows::lanes <= n; i += rows::lanes)
      for (std::size_t l = 0; l < rows::lanes; ++l)
        sums[l] = math::fma(a[i + static_cast<std::int64_t>(l)], b[i + static_cast<std::int64_t>(l)], sums[l]);
    for (std::size_t l = 0; i < n; ++i, ++l) sums[l] = math::fma(a[i], b[i], sums[l]);
    for (std::size_t half = rows::lanes / 2; half > 0; half /= 2)
      for (std::size_t l = 0; l < half; ++l) sums[l] += sums[l + half];
    return sums[0];
  }

  void take_keys(std::int64_t head, std::int64_t query, std::int64_t key, bool hides, bool finite, const T* q,
                 const T* dy, T* dq) {
    const std::int64_t queries = g_.queries(query), width = width_of(queries), keys = g_.keys(key);
    const bool a = query + tile >= g_.t, b = key + tile >= g_.s;
    const T *k = k_ + key * g_.k_row, *v = v_ + key * g_.v_row;
    multiply<T>(p_.scores[a][b], keys, width, g_.d, {k, g_.k_row, 1}, q_turned_, width, weights_, width, false);
    if (hides) g_.hide(mask_, head, query, key, weights_, width);
    multiply<T>(p_.slopes[a][b], keys, width, g_.e, {v, g_.v_row, 1}, dy_turned_, width, slopes_, width, false);
    if (factors_) {
      g_.draw_factors(r_.in<std::int64_t>(8), head, query, key, factors_, width);
      scale_by(keys * width, factors_, slopes_);
    }
    const T scale = static_cast<T>(g_.scale);
    for (std::int64_t j = 0; j < keys; ++j) {
      T *const weights = weights_ + j * width, *const slopes = slopes_ + j * width;
      const T *lse = lse_, *offset = offset_;
      independent(0, width, [=](std::int64_t i) {
        const T weight = weights[i] == hidden<T> ? T(0) : math::exp(weights[i] - lse[i]);
        const T slope = weight * (slopes[i] - offset[i]) * scale;
        weights[i] = weight;
        slopes[i] = weight == T(0) ? T(0) : slope;
      });
    }
    if (factors_) scale_by(keys * width, factors_, weights_);
    // A tile that hides nothing reads all of what it multiplies.
    const auto add = [&](const gemm::Kernel& kernel, bool careful, std::int64_t rows, std::int64_t columns,
                         std::int64_t terms, gemm::Strided<T> left, const T* right, std::int64_t ldb, T* y,
                         std::int64_t ldy, const auto& sees) {
      if (careful)
        add_seen<T>(rows, columns, terms, left, right, ldb, y, ldy, sees);
      else
        multiply<T>(kernel, rows, columns, terms, left, right, ldb, y, ldy, true);
    };
    const auto seen = [&](std::int64_t i, std::int64_t j) { return g_.sees(mask_, head, query + i, key + j); };
    const auto seen_by = [&](std::int64_t j, std::int64_t i) { return seen(i, j); };
    const bool careful = hides && !finite;
    if (dv_)
      add(p_.to_v[a][b], careful, keys, g_.e, queries, {weights_, width, 1}, dy, g_.y_row, dv_ + key * g_.v_row,
          g_.v_row, seen_by);
    if (dk_)
      add(p_.to_k[a][b], careful, keys, g_.d, queries, {slopes_, width, 1}, q, g_.q_row, dk_ + key * g_.k_row, g_.k_row,
          seen_by);
    if (dq)
      add(p_.to_q[a][b], hides && !is_finite(keys, g_.d, k, g_.k_row), queries, g_.d, keys, {slopes_, 1, width}, k,
          g_.k_row, dq, g_.q_row, seen);
  }

  const Plan& p_;
  const Geometry& g_;
  const Run& r_;
  const bool* mask_;
  const T *k_, *v_;
  T *dk_, *dv_;
  T *q_turned_, *dy_turned_;  // [features][queries]
  T *weights_, *slopes_;      // [keys][queries]
  T *lse_, *offset_;          // of each query
  T* factors_;                // [keys][queries], null without dropout
};

}  // namespace

std::vector<Type> ScaledDotProductAttentionGradient::infer(Types in) const {
  const auto given = [&](std::size_t i) { return i < in.size() ? in[i] : Type::absent(); };
  const std::vector<Type> with_mask{in[0], in[1], in[2], given(6)};
  const std::vector<Type> made = ScaledDotProductAttention{heads, kv_heads, causal, scale}.infer(with_mask);
  check_dropout(form(), given(8));
  if (in[3] != made[0] || in[5] != made[0])
    throw OpError("y and dy are " + to_string(in[3]) + " and " + to_string(in[5]) + ", not " + to_string(made[0]),
                  "Give the result of scaled_dot_product_attention, and its gradient");
  if (in[4] != made[1] || (given(7) && given(7) != made[1]))
    throw OpError("lse or dlse is not " + to_string(made[1]),
                  "Give what scaled_dot_product_attention has, and its gradient");
  return {in[0], in[1], in[2]};
}

Prepared<Plan> ScaledDotProductAttentionGradient::prepare(Types in) const {
  const auto plan = std::make_shared<Plan>(Geometry(form(), in[0], in[1], in[2], in[6]));
  const Geometry& g = plan->geometry;
  const DType dtype = in[0].dtype;
  Work work{.parts = std::max<std::int64_t>(1, g.kv_heads())};
  for (const Type& t : in.first(6)) work.bytes += static_cast<double>(t.bytes());
  if (g.kv_heads() == 0) return {work, plan};
  add_scores(work, g, dtype, causal, 6 * g.d + 4 * g.e);
  work.scratch = ((g.d + g.e) * tile + (dropout > 0 ? 3 : 2) * tile * tile + 2 * tile) * size_of(dtype);
  if (g.t == 0 || g.s == 0) return {work, plan};
  // [keys][queries] of keys or values by turned queries or slopes; the sums over a tile's queries; over its keys.
  const auto score = [&](std::int64_t features, std::int64_t row) {
    return [=](std::int64_t queries, std::int64_t keys) {
      const std::int64_t columns = width_of(queries);
      return gemm::Shape{.rows = keys, .columns = columns, .k = features, .lda = row, .ldb = columns, .ldy = columns};
    };
  };
  const auto over_queries = [&](std::int64_t features, std::int64_t from, std::int64_t to) {
    return [=](std::int64_t queries, std::int64_t keys) {
      return gemm::Shape{.rows = keys,
                         .columns = features,
                         .k = queries,
                         .lda = width_of(queries),
                         .ldb = from,
                         .ldy = to,
                         .accumulate = true};
    };
  };
  make_kernels(g, dtype, plan->scores, score(g.d, g.k_row));
  make_kernels(g, dtype, plan->slopes, score(g.e, g.v_row));
  make_kernels(g, dtype, plan->to_v, over_queries(g.e, g.y_row, g.v_row));
  make_kernels(g, dtype, plan->to_k, over_queries(g.d, g.q_row, g.k_row));
  make_kernels(g, dtype, plan->to_q, [&](std::int64_t queries, std::int64_t keys) {
    return gemm::Shape{.rows = queries,
                       .columns = g.d,
                       .k = keys,
                       .lda = width_of(queries),
                       .ldb = g.k_row,
                       .ldy = g.q_row,
                       .transpose_a = true,
                       .accumulate = true};
  });
  return {work, plan};
}

void ScaledDotProductAttentionGradient::run(const Run& r, const Plan& p) const {
  const Geometry& g = p.geometry;
  if (r.part >= g.kv_heads()) return;
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    Backward<T> part(p, r, r.part);
    for (std::int64_t head = r.part * g.group; head < (r.part + 1) * g.group; ++head)
      for (std::int64_t query = 0; query < g.t; query += tile) part.take_queries(head, query);
  });
}

std::vector<Value> ScaledDotProductAttentionGradient::inference(Values in) const {
  if (dropout == 0) return {};
  const std::vector<Value> without(in.begin(), in.end() - 1);
  const Node n =
      apply(ScaledDotProductAttentionGradient{heads, kv_heads, causal, scale}, without, At::current()).node();
  return {n.output(0), n.output(1), n.output(2)};
}

}  // namespace oxbow::ops
