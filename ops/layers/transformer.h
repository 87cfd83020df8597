// The layers that transformers are stacks of. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
//
//   Value h = PositionEmbedding(64)(Embedding(256, 96)(text));
//   for (int i = 0; i < 3; ++i) h = TransformerBlock(4, {.causal = true})(h);
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/attention.h>

namespace oxbow {

struct PositionEmbeddingOptions {
  Initializer embeddings_init = init::glorot_uniform();
  std::string name = {};
  bool trainable = true;
};

/// x + a learned row for each place: [..., t, features] to the same, of at most `length` places: Gehring et al. 2017,
/// https://arxiv.org/abs/1705.03122. Variable: embeddings [length, features]. A call throws `Error` unless x is
/// floating point and has two axes or more, for a length < 1 and for more places than that; where the axis is free, a
/// run that is fed more fails.
class PositionEmbedding : public Layer {
 public:
  explicit PositionEmbedding(std::int64_t length, PositionEmbeddingOptions options = {});
  PositionEmbedding(Graph& g, std::int64_t length, PositionEmbeddingOptions options = {});
  Value embeddings() const { return variable("embeddings"); }
};

struct TransformerBlockOptions {
  std::int64_t intermediate_dim = 0;  ///< of the feed-forward net; 0: four times the features
  Activation activation = {};         ///< gelu where none is given
  bool causal = false;                ///< of x itself; all of a memory is seen
  bool rotary = false;                ///< rotary positions of x itself: see `MultiHeadAttention`
  double rotary_base = 10000;
  double dropout = 0;  ///< of the attention's weights, and of what each part adds
  std::int64_t kv_heads = 0;
  bool normalize_first = true;  ///< as GPT-2; else after each sum, as the paper and BERT
  double epsilon = 1e-5;
  std::string name = {};
  bool trainable = true;
};

/// What a call attends to beside x, and which places may be seen, as `Attended` has it. All may be empty.
struct TransformerInputs {
  Value mask = {}, key_mask = {};                ///< of x itself
  Value memory = {};                             ///< [batch, s, ...]: another sequence, as an encoder's output
  Value memory_mask = {}, memory_key_mask = {};  ///< of the memory
};

/// x + attention(norm(x)); where there is a memory, of that h + cross_attention(norm(h), memory); and of that h +
/// dense(activation(dense(norm(h)))): [batch, t, features] to the same, where `heads` divides the features. So it is an
/// encoder's block, or a decoder's. Scopes: attention_norm, attention, cross_attention_norm and cross_attention,
/// dense_norm, dense (to `intermediate_dim`), dense_1. Errors as `MultiHeadAttention`, and for a memory in some calls
/// only, or a mask of none.
class TransformerBlock : public Layer {
 public:
  explicit TransformerBlock(std::int64_t heads, TransformerBlockOptions options = {});
  TransformerBlock(Graph& g, std::int64_t heads, TransformerBlockOptions options = {});
  using Layer::operator();
  Value operator()(Value x, const TransformerInputs& to, At at = At::current()) const;

  /// A causal block's output for the places `index`, `index` + 1, ... of a sequence, by what its attention has kept of
  /// those before them: see `MultiHeadAttention::run`. Of `to` a memory may be given, and masks of it.
  AttentionResult run(Value x, const AttentionCache& cache, Value index, const TransformerInputs& to = {},
                      At at = At::current()) const;
};

}  // namespace oxbow
