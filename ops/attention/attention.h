// Attention as one node, and its gradient as another, both in tiles of scores that never leave the cache
// (ops/attention/tiles.h). What is kept for the gradient is a number a query, the logarithm of its sum of exponentials.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

namespace attention {
struct Plan;

/// What both ops are asked for: see `AttentionOptions`. Without `heads` the last axes are one head's.
struct Form {
  std::int64_t heads = 0, kv_heads = 0;
  bool causal = false;
  double scale = 1, dropout = 0;
  std::int64_t stream = 0;  // of the numbers that dropout draws
};
}  // namespace attention

/// y = softmax(scale q k^T) v, and lse = log sum exp(scale q k^T) of each query, in the compute type: the lowest
/// number where it sees nothing. With dropout each weight of the softmax is multiplied by 0 or 1 / (1 - dropout), which
/// is a function of the state's seed and step, the stream, head, query and key alone. A part is some tiles of queries
/// of one head, or of several.
struct ScaledDotProductAttention {
  static constexpr OpInfo info{.name = "scaled_dot_product_attention",
                               .inputs = {"q", "k", "v", "mask?", "state?"},
                               .outputs = {"y?", "lse?"},
                               .any_dtype = {3, 4},
                               .exact = {1}};
  std::int64_t heads = 0, kv_heads = 0;
  bool causal = false;
  double scale = 1, dropout = 0;
  std::int64_t stream = 0;
  static void attributes(auto&& visit) {
    visit("heads", &ScaledDotProductAttention::heads);
    visit("kv_heads", &ScaledDotProductAttention::kv_heads);
    visit("causal", &ScaledDotProductAttention::causal);
    visit("scale", &ScaledDotProductAttention::scale);
    visit("dropout", &ScaledDotProductAttention::dropout);
    visit("stream", &ScaledDotProductAttention::stream);
  }
  attention::Form form() const { return {heads, kv_heads, causal, scale, dropout, stream}; }

  std::vector<Type> infer(Types in) const;
  Prepared<attention::Plan> prepare(Types in) const;
  void run(const Run& r, const attention::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const ScaledDotProductAttention&) const = default;
};

/// With p = exp(scale q k^T - lse) where a key is seen, 0 elsewhere, m what dropout multiplies it by, and ds = p (m dy
/// v^T - sum y dy + dlse) scale: dq = ds k, dk = ds^T q, dv = (m p)^T dy, and to dv the equal shares of queries that
/// see nothing. A part is a head of keys and values, with all queries that it serves, in their order.
struct ScaledDotProductAttentionGradient {
  static constexpr OpInfo info{.name = "scaled_dot_product_attention_gradient",
                               .inputs = {"q", "k", "v", "y", "lse", "dy", "mask?", "dlse?", "state?"},
                               .outputs = {"dq?", "dk?", "dv?"},
                               .any_dtype = {6, 8}};
  std::int64_t heads = 0, kv_heads = 0;
  bool causal = false;
  double scale = 1, dropout = 0;
  std::int64_t stream = 0;
  static void attributes(auto&& visit) {
    visit("heads", &ScaledDotProductAttentionGradient::heads);
    visit("kv_heads", &ScaledDotProductAttentionGradient::kv_heads);
    visit("causal", &ScaledDotProductAttentionGradient::causal);
    visit("scale", &ScaledDotProductAttentionGradient::scale);
    visit("dropout", &ScaledDotProductAttentionGradient::dropout);
    visit("stream", &ScaledDotProductAttentionGradient::stream);
  }
  attention::Form form() const { return {heads, kv_heads, causal, scale, dropout, stream}; }

  std::vector<Type> infer(Types in) const;
  Prepared<attention::Plan> prepare(Types in) const;
  void run(const Run& r, const attention::Plan& p) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const ScaledDotProductAttentionGradient&) const = default;
};

}  // namespace oxbow::ops
