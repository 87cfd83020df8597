// Layers that attend: each place of a sequence takes a mean of values from all places, weighted by how well its query
// fits their keys. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>

namespace oxbow {

struct MultiHeadAttentionOptions {
  std::int64_t kv_heads = 0;    ///< heads of keys and values, each for as many heads of queries; 0: as many as `heads`
  std::int64_t value_dim = 0;   ///< of each head; 0: as `key_dim`
  std::int64_t output_dim = 0;  ///< of the result; 0: as the query has
  bool causal = false;  ///< each place sees itself and those before it: of more keys than queries, the last sees all
  bool rotary = false;  ///< rotary positions: queries and keys are turned by their places, in pairs of features
  double rotary_base = 10000;  ///< place p turns pair i by p / rotary_base^(2i / key_dim)
  double dropout = 0;          ///< of the weights
  bool use_bias = true;
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  std::string name = {};
  bool trainable = true;
};

/// What a call attends to, and which places may be seen: true where they may. All may be empty. A place that sees
/// nothing takes the mean of all values.
struct Attended {
  Value value = {};     ///< [batch, s, ...]; empty: the query itself
  Value key = {};       ///< [batch, s, ...], with a value; empty: the value
  Value mask = {};      ///< bool [t, s], [batch, t, s] or [batch, heads or 1, t, s]
  Value key_mask = {};  ///< bool [batch, s]: what is not padding
};

/// Keys and values of the places that a causal layer has seen, in `length` slots, the first place in the first one:
/// what it goes on from without computing them again. At first zeros.
struct AttentionCache {
  Value key = {};    ///< [batch, length, kv_heads x key_dim], turned where positions are rotary
  Value value = {};  ///< [batch, length, kv_heads x value_dim]
};

struct AttentionResult {
  Value output;          ///< [batch, t, output_dim]
  AttentionCache cache;  ///< with the places of x in it: to be given to the next call
};

/// softmax(q k^T / sqrt(key_dim)) v in `heads` heads, put together and projected: a query [batch, t, features] to
/// [batch, t, output_dim]. Variables: kernel and bias in each of the scopes query, key, value, output; the first three
/// kernels are [features, heads x key_dim] (or value_dim), head by head. Grouped heads: Ainslie et al. 2023,
/// https://arxiv.org/abs/2305.13245. Rotary positions: Su et al. 2021, https://arxiv.org/abs/2104.09864, with feature i
/// of a head and feature i + key_dim / 2 as a pair; both sequences start at place 0, but of a causal layer the last
/// query stands where the last key does. A call throws `Error` for other ranks, a key without a value, masks that do
/// not fit, sizes < 1, kv_heads that do not divide heads, a dropout that is not in [0, 1), or, with rotary positions,
/// an odd key_dim or a base that is not positive. It is one node, `scaled_dot_product_attention`, whose memory is
/// linear in both lengths, also with dropout of the weights.
class MultiHeadAttention : public Layer {
 public:
  MultiHeadAttention(std::int64_t heads, std::int64_t key_dim, MultiHeadAttentionOptions options = {});
  MultiHeadAttention(Graph& g, std::int64_t heads, std::int64_t key_dim, MultiHeadAttentionOptions options = {});
  using Layer::operator();
  Value operator()(Value query, const Attended& to, At at = At::current()) const;

  /// A causal layer's output for the places `index`, `index` + 1, ... of a sequence, which x [batch, t, features] are,
  /// by the keys and values of those before them: the very bits that a call on the whole sequence gives these places,
  /// without dropout. `index`, an integer [], is how many of the cache's slots are taken; what stands in the others is
  /// not read. A place beyond the last slot fails the run. Throws `Error` as a call does, and for a layer that is not
  /// causal, an index or a cache of another type.
  AttentionResult run(Value x, const AttentionCache& cache, Value index, At at = At::current()) const;
};

}  // namespace oxbow
