// What attention's two kernels share: where the heads lie, which tiles of scores there are, what of them is seen, and
// the products of a tile. A tile is up to 64 queries by 64 keys. Its scores stand with a row a key: so what is summed
// over a query's keys is summed down the rows, whole registers at a time, and the queries are the only operand that has
// to be transposed, once for all tiles that read them.
//
// Tiles begin at multiples of 64 keys, and a key that is not seen adds 0: so a query's bits are those that it has
// alone, however many queries there are beside it and keys behind those that it sees.
//
// Internal to ops/attention; safe from any thread.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/ops/attention/attention.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/math.h>
#include <oxbow/ops/shared/gemm.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace oxbow::ops::attention {

constexpr std::int64_t tile = 64;

/// The type of the scores, without the mask; checks q, k, v and the mask (which may be absent).
Type scores_type(const Form& form, const Type& q, const Type& k, const Type& v, const Type& mask);
/// Checks the rate of dropout, and that there is a state for it.
void check_dropout(const Form& form, const Type& state);

/// How much of a tile is seen.
enum class Seen : std::uint8_t { nothing, some, all };

/// Heads of queries are numbered through all leading axes: head n reads keys and values of head n / group.
struct Geometry {
  Geometry(const Form& form, const Type& q, const Type& k, const Type& v, const Type& mask);

  std::int64_t heads = 0, group = 1;             // heads of queries in all; so many share keys
  std::int64_t t = 0, s = 0, d = 0, e = 0;       // queries, keys, features of a key and of a value
  std::int64_t across = 1, kv_across = 1;        // heads side by side
  std::int64_t q_row = 0, k_row = 0, v_row = 0;  // between the rows of a head
  std::int64_t y_row = 0;
  bool causal = false;
  double scale = 1, dropout = 0;
  std::int64_t stream = 0;            // of what dropout draws
  std::vector<std::int64_t> mask_at;  // each head's mask; empty where there is none
  std::int64_t mask_row = 0, mask_column = 0;

  std::int64_t kv_heads() const { return heads / group; }
  std::int64_t query_tiles() const { return (t + tile - 1) / tile; }
  std::int64_t key_tiles() const { return (s + tile - 1) / tile; }
  std::int64_t queries(std::int64_t first) const { return std::min(tile, t - first); }
  std::int64_t keys(std::int64_t first) const { return std::min(tile, s - first); }
  /// Where the tile beginning with query `first` ends: keys behind are seen by none of its queries.
  std::int64_t last_key(std::int64_t first) const {
    return causal ? std::clamp<std::int64_t>(first + queries(first) + s - t, 0, s) : s;
  }
  bool hides() const { return causal || !mask_at.empty(); }

  std::int64_t q_at(std::int64_t head) const { return head / across * t * q_row + head % across * d; }
  std::int64_t y_at(std::int64_t head) const { return head / across * t * y_row + head % across * e; }
  std::int64_t k_at(std::int64_t kv) const { return kv / kv_across * s * k_row + kv % kv_across * d; }
  std::int64_t v_at(std::int64_t kv) const { return kv / kv_across * s * v_row + kv % kv_across * e; }

  /// Where a head's mask has this query and key; only where there is a mask.
  std::int64_t mask_index(std::int64_t head, std::int64_t query, std::int64_t key) const {
    return mask_at[static_cast<std::size_t>(head)] + query * mask_row + key * mask_column;
  }
  /// Whether this query sees this key.
  bool sees(const bool* mask, std::int64_t head, std::int64_t query, std::int64_t key) const {
    return (!causal || key <= query + s - t) && (mask_at.empty() || mask[mask_index(head, query, key)]);
  }
  /// What of the tile that begins with this query and key.
  Seen seen(const bool* mask, std::int64_t head, std::int64_t query, std::int64_t key) const;
  /// `hidden` for each score [key][query] of a tile that is not seen; rows are `width` apart.
  template <class T>
  void hide(const bool* mask, std::int64_t head, std::int64_t query, std::int64_t key, T* scores,
            std::int64_t width) const;
  /// What dropout multiplies the weights [key][query] of a tile by.
  template <class T>
  void draw_factors(const std::int64_t* state, std::int64_t head, std::int64_t query, std::int64_t key, T* factors,
                    std::int64_t width) const;
};

/// The score of what is not seen.
template <class T>
constexpr T hidden = -std::numeric_limits<T>::infinity();

/// The logarithm of the sum of a query that sees nothing. Not -inf, which would be looked for as a fault.
template <class T>
constexpr T sum_of_nothing = std::numeric_limits<T>::lowest();

/// So many columns the scores of a tile have: whole registers. Those beyond the queries are of queries of zeros, and
/// never read.
inline std::int64_t width_of(std::int64_t queries) { return (queries + 15) / 16 * 16; }

/// Kernels of one of a tile's products: by whether it has the last queries, and the last keys.
using TileKernels = gemm::Kernel[2][2];

struct Plan {
  explicit Plan(const Geometry& g) : geometry(g) {}
  Geometry geometry;
  std::int64_t units_a_part = 1;
  // Forward: k q^T and p v. Backward: also v dy^T, p^T dy, ds^T q and ds k.
  TileKernels scores, values, slopes, to_v, to_k, to_q;
};

/// Adds what all scores take: so many operations of products each, and some twenty for its exponential.
inline void add_scores(Work& work, const Geometry& g, DType dtype, bool causal, std::int64_t products) {
  const double scores =
      static_cast<double>(g.heads * g.t) * static_cast<double>(g.s) * (causal && g.t > tile ? 0.6 : 1);
  work.add_flops(scores * static_cast<double>(products), gemm::flops_per_ns(dtype, tile));
  work.add_flops(scores * 24);
}

/// Makes the kernels of a product whose shape is given for so many queries and keys.
template <class ShapeOf>
void make_kernels(const Geometry& g, DType dtype, TileKernels& kernels, ShapeOf shape_of) {
  constexpr double worth_making = 2 * 4096;  // flops, as of products
  if (!gemm::sums_in_one_chain(dtype) || !gemm::has_jit()) return;
  for (int last_queries = 0; last_queries < 2; ++last_queries)
    for (int last_keys = 0; last_keys < 2; ++last_keys) {
      if ((!last_queries && g.t <= tile) || (!last_keys && g.s <= tile)) continue;
      const gemm::Shape s = shape_of(last_queries ? g.queries((g.query_tiles() - 1) * tile) : tile,
                                     last_keys ? g.keys((g.key_tiles() - 1) * tile) : tile);
      const double flops = 2.0 * static_cast<double>(s.rows * s.columns * s.k);
      if (flops >= worth_making && gemm::is_one_chain(s.rows, s.columns))
        kernels[last_queries][last_keys] = gemm::kernel(s);
    }
}

/// y (+)= a b by a kernel, or without one to the same bits.
template <class T>
void multiply(const gemm::Kernel& kernel, std::int64_t rows, std::int64_t columns, std::int64_t k, gemm::Strided<T> a,
              const T* b, std::int64_t ldb, T* y, std::int64_t ldy, bool accumulate) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel) return kernel(b, a.data, y);
  gemm::multiply<T>(rows, columns, k, a, b, ldb, y, ldy, accumulate);
}

/// y += a b of up to `tile` terms, without those that row i of a does not see: `sees(i, p)`. Of these b may be NaN. The
/// others are summed as `multiply` sums them, to the same bits.
template <class T, class Sees>
void add_seen(std::int64_t rows, std::int64_t columns, std::int64_t k, gemm::Strided<T> a, const T* b, std::int64_t ldb,
              T* y, std::int64_t ldy, const Sees& sees) {
  constexpr bool one_chain = gemm::sums_in_one_chain(dtype_of<T>);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t c = 0; c < columns; ++c) {
      T& to = y[i * ldy + c];
      T sum = one_chain ? to : T(0);
      for (std::int64_t p = 0; p < k; ++p)
        if (sees(i, p)) sum = math::fma(a.data[i * a.row + p * a.step], b[p * ldb + c], sum);
      to = one_chain ? sum : sum + to;
    }
}

/// x[i] *= by[i]
template <class T>
void scale_by(std::int64_t count, const T* by, T* x) {
  independent(0, count, [=](std::int64_t i) { x[i] *= by[i]; });
}

/// Whether all elements are numbers.
template <class T>
bool is_finite(std::int64_t rows, std::int64_t columns, const T* x, std::int64_t stride) {
  const auto infinity = math::to_bits(std::numeric_limits<T>::infinity());
  decltype(math::to_bits(T())) found = 0;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t c = 0; c < columns; ++c)
      found |= static_cast<decltype(found)>((math::to_bits(x[i * stride + c]) & infinity) == infinity);
  return found == 0;
}

}  // namespace oxbow::ops::attention
