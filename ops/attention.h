// Attention: each query takes a mean of values, weighted by how well it fits their keys. The layers are in
// ops/layers.h.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

struct AttentionOptions {
  /// Which keys a query may see: bool, of a shape that broadcasts to that of the scores.
  Value mask = {};
  bool causal = false;  ///< each query sees the keys up to its own: the last one sees all of them
  double scale = 0;     ///< of the scores; 0: 1 / sqrt(d)
  /// Heads that lie side by side in the last axis; 0: heads are leading axes, or there is one.
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;  ///< the same of keys and values, each for as many heads of queries; 0: as many
  double dropout = 0;         ///< of the weights: each is dropped with this probability, outside training none
};

/// softmax(scale q k^T) v, in tiles, so that the scores are never stored: memory is linear in both lengths, also of
/// the gradient, which computes them once more. q [..., t, d], k [..., s, d], v [..., s, e] give [..., t, e], with the
/// scores [..., t, s]. Leading axes are equal, but the last of q's may be a multiple of that of k and v: grouped heads,
/// as [batch, heads, t, d] beside [batch, kv_heads, s, d]. With `.heads` the last axes are [heads * d], [kv_heads * d]
/// and [kv_heads * e], head by head, the result's [heads * e], and the scores [..., heads, t, s].
///
/// The gradient computes the weights anew from one number a query, log sum exp of its scores: their relative error is
/// some 1e-7 (f32) times the largest score, so beyond 1e4 its first digits only are right, and beyond 1e7 none.
///
/// What `.dropout` keeps of the weights, divided by 1 - dropout, is drawn tile by tile and never stored: the gradient
/// draws the same again. It has a stream of its own, as `dropout` has; of such a node there is no second derivative.
///
/// A query that sees nothing takes the mean of all values, of which none is dropped. What is not seen is not read: a
/// NaN there stays where it is. Its gradient takes a part for each head of keys, so that a single one has one thread.
/// Throws `Error` for shapes that do not fit, what is not floating point, a mask that is not bool or does not
/// broadcast, and a dropout not in [0, 1).
///
/// Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; the softmax over tiles: Milakov and Gimelshein 2018,
/// https://arxiv.org/abs/1805.02867; its gradient from the sums alone: Dao et al. 2022,
/// https://arxiv.org/abs/2205.14135; grouped heads: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.
Value scaled_dot_product_attention(Value q, Value k, Value v, const AttentionOptions& options = {},
                                   At at = At::current());

}  // namespace oxbow
