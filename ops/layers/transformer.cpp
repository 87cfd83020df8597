#include <oxbow/graph/leaves.h>
#include <oxbow/ops/layers/dense.h>
#include <oxbow/ops/layers/normalise.h>
#include <oxbow/ops/layers/transformer.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

#include <functional>
#include <optional>

namespace oxbow {
namespace ops {
namespace {

class PositionState : public LayerState {
 public:
  PositionState(std::int64_t length, PositionEmbeddingOptions options)
      : LayerState("PositionEmbedding", "position_embedding", options.name, options.trainable),
        length_(length),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input(word(), x, 2, "[batch, length, features]", at);
    check_layer_size(word(), "places", length_, x, at);
    if (x.shape()[-2] > length_)
      refuse_layer(word(),
                   "x has " + std::to_string(x.shape()[-2]) + " places, and there are " + std::to_string(length_), x,
                   at, "Give a shorter x, or make the layer with more places");
    LayerCall here(*this, x, {"embeddings"}, at);
    const Value table = here.parameter("embeddings", {x.dtype(), {length_, x.shape()[-1]}}, options_.embeddings_init);
    return as_called(word(), [&] {
      const OriginGuard line = from_line(x.graph(), at, x.graph().origin().phase);
      const Value sizes = shape_of(x)[range(-2, to_end)];
      const Value first = constant(x.graph(), Tensor::of<std::int64_t>({1}, {0}));
      // Where the axis is free and longer than the table, it is the reshape that fails.
      return add(x, reshape(slice(table, first, sizes[range(0, 1)]), sizes), at);
    });
  }

 private:
  std::int64_t length_;
  PositionEmbeddingOptions options_;
};

class BlockState : public LayerState {
 public:
  BlockState(std::int64_t heads, TransformerBlockOptions options)
      : LayerState("TransformerBlock", "transformer_block", options.name, options.trainable),
        heads_(heads),
        options_(std::move(options)) {
    if (!options_.activation) options_.activation = gelu;
  }

  std::vector<Layer> parts() const override {
    if (!made_) return {};
    std::vector<Layer> all{made_->attention_norm, made_->attention};
    if (made_->cross) all.insert(all.end(), {made_->cross->norm, made_->cross->attention});
    all.insert(all.end(), {made_->dense_norm, made_->grow, made_->shrink});
    return all;
  }

  Value call(Value x, At at) override { return attend(x, {}, at); }

  Value attend(Value x, const TransformerInputs& to, At at) {
    return build(x, to, at,
                 [&](Value v) { return made_->attention(v, {.mask = to.mask, .key_mask = to.key_mask}, at); });
  }

  AttentionResult run(Value x, const AttentionCache& cache, Value index, const TransformerInputs& to, At at) {
    if (to.mask || to.key_mask)
      refuse_layer(word(), "there is a mask of x itself, which sees what the cache has", x, at,
                   "Give masks of a memory only");
    AttentionResult result;
    result.output = build(x, to, at, [&](Value v) {
      const AttentionResult own = made_->attention.run(v, cache, index, at);
      result.cache = own.cache;
      return own.output;
    });
    return result;
  }

 private:
  Value build(Value x, const TransformerInputs& to, At at, const std::function<Value(Value)>& attends) {
    check_layer_input(word(), x, 3, "[batch, length, features]", at);
    check_layer_size(word(), "heads", heads_, x, at);
    check_given_size(word(), "kv_heads", options_.kv_heads, x, at);
    check_given_size(word(), "intermediate_dim", options_.intermediate_dim, x, at);
    check_dropout(word(), options_.dropout, x, at);
    const std::int64_t width = x.shape()[-1];
    if (width % heads_ != 0)
      refuse_layer(word(), std::to_string(heads_) + " heads do not divide " + std::to_string(width) + " features", x,
                   at, "Give a number of heads that does");
    if (!to.memory && (to.memory_mask || to.memory_key_mask))
      refuse_layer(word(), "there is a mask of a memory, but no memory", x, at, "Give .memory, too");
    LayerCall here(*this, x, {"attention/query/kernel"}, at);
    if (here.is_first()) made_.emplace(made(width, /*crosses=*/static_cast<bool>(to.memory)));
    if (made_->cross.has_value() != static_cast<bool>(to.memory))
      refuse_layer(word(),
                   to.memory ? "it is given a memory, but was not at its first call"
                             : "it is given no memory, but was at its first call",
                   x, at, "Give one to all calls of a layer, or to none");
    x = with(x, made_->attention_norm, at, attends);
    if (to.memory)
      x = with(x, made_->cross->norm, at, [&](Value v) {
        return made_->cross->attention(v, {.value = to.memory, .mask = to.memory_mask, .key_mask = to.memory_key_mask},
                                       at);
      });
    return with(x, made_->dense_norm, at, [&](Value v) { return made_->shrink(made_->grow(v, at), at); });
  }

  struct Cross {
    LayerNorm norm;
    MultiHeadAttention attention;
  };
  struct Parts {
    LayerNorm attention_norm;
    MultiHeadAttention attention;
    std::optional<Cross> cross;  // where there is a memory
    LayerNorm dense_norm;
    Dense grow, shrink;
  };

  // x and what `part` adds to it.
  Value with(Value x, const Layer& norm, At at, const std::function<Value(Value)>& part) const {
    const auto added = [&](Value v) {
      const Value y = part(v);
      return options_.dropout > 0 ? dropout(y, options_.dropout, at) : y;
    };
    return options_.normalize_first ? add(x, added(norm(x, at)), at) : norm(add(x, added(x), at), at);
  }

  MultiHeadAttention attention(std::int64_t width, const char* name, bool of_itself) const {
    return {heads_,
            width / heads_,
            {.kv_heads = options_.kv_heads,
             .causal = of_itself && options_.causal,
             .rotary = of_itself && options_.rotary,
             .rotary_base = options_.rotary_base,
             .dropout = options_.dropout,
             .name = name,
             .trainable = trainable()}};
  }

  Parts made(std::int64_t width, bool crosses) const {
    const bool train = trainable();
    const std::int64_t inside = options_.intermediate_dim > 0 ? options_.intermediate_dim : 4 * width;
    const auto norm = [&](const char* name) {
      return LayerNorm({.epsilon = options_.epsilon, .name = name, .trainable = train});
    };
    Parts parts{.attention_norm = norm("attention_norm"),
                .attention = attention(width, "attention", true),
                .cross = {},
                .dense_norm = norm("dense_norm"),
                .grow = Dense(inside, {.activation = options_.activation, .trainable = train}),
                .shrink = Dense(width, {.trainable = train})};
    if (crosses)
      parts.cross.emplace(
          Cross{.norm = norm("cross_attention_norm"), .attention = attention(width, "cross_attention", false)});
    return parts;
  }

  std::int64_t heads_;
  TransformerBlockOptions options_;
  std::optional<Parts> made_;  // since the first call, which tells their sizes
};

}  // namespace
}  // namespace ops

using ops::LayerState;
using ops::new_layer;

PositionEmbedding::PositionEmbedding(std::int64_t length, PositionEmbeddingOptions options)
    : Layer(new_layer<ops::PositionState>(nullptr, length, std::move(options))) {}
PositionEmbedding::PositionEmbedding(Graph& g, std::int64_t length, PositionEmbeddingOptions options)
    : Layer(new_layer<ops::PositionState>(&g, length, std::move(options))) {}

TransformerBlock::TransformerBlock(std::int64_t heads, TransformerBlockOptions options)
    : Layer(new_layer<ops::BlockState>(nullptr, heads, std::move(options))) {}
TransformerBlock::TransformerBlock(Graph& g, std::int64_t heads, TransformerBlockOptions options)
    : Layer(new_layer<ops::BlockState>(&g, heads, std::move(options))) {}

Value TransformerBlock::operator()(Value x, const TransformerInputs& to, At at) const {
  auto& state = static_cast<ops::BlockState&>(LayerState::of(*this));
  return LayerState::called(*this, x, at, [&] { return state.attend(x, to, at); });
}

AttentionResult TransformerBlock::run(Value x, const AttentionCache& cache, Value index, const TransformerInputs& to,
                                      At at) const {
  auto& state = static_cast<ops::BlockState&>(LayerState::of(*this));
  AttentionResult result;
  LayerState::called(*this, x, at, [&] {
    result = state.run(x, cache, index, to, at);
    return result.output;
  });
  return result;
}

}  // namespace oxbow
