#include <oxbow/graph/leaves.h>
#include <oxbow/ops/layers/dense.h>
#include <oxbow/ops/layers/normalise.h>
#include <oxbow/ops/layers/transformer.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

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
                   at, "Give what is no longer, or make the layer for more");
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
    return {made_->attention_norm, made_->attention, made_->dense_norm, made_->grow, made_->shrink};
  }

  Value call(Value x, At at) override { return attend(x, {}, at); }

  Value attend(Value x, const AttentionMasks& masks, At at) {
    check_layer_input(word(), x, 3, "[batch, length, features]", at);
    check_layer_size(word(), "heads", heads_, x, at);
    check_given_size(word(), "kv_heads", options_.kv_heads, x, at);
    check_given_size(word(), "intermediate_dim", options_.intermediate_dim, x, at);
    check_dropout(word(), options_.dropout, x, at);
    const std::int64_t width = x.shape()[-1];
    if (width % heads_ != 0)
      refuse_layer(word(), std::to_string(heads_) + " heads do not divide " + std::to_string(width) + " features", x,
                   at, "Give a number of heads that does");
    LayerCall here(*this, x, {"attention/query/kernel"}, at);
    if (here.is_first()) made_.emplace(made(width));
    const auto attended = [&](Value v) {
      return dropped(made_->attention(v, {.mask = masks.mask, .key_mask = masks.key_mask}, at), at);
    };
    const auto fed = [&](Value v) { return dropped(made_->shrink(made_->grow(v, at), at), at); };
    if (options_.normalize_first) {
      x = add(x, attended(made_->attention_norm(x, at)), at);
      return add(x, fed(made_->dense_norm(x, at)), at);
    }
    x = made_->attention_norm(add(x, attended(x), at), at);
    return made_->dense_norm(add(x, fed(x), at), at);
  }

 private:
  struct Parts {
    LayerNorm attention_norm;
    MultiHeadAttention attention;
    LayerNorm dense_norm;
    Dense grow, shrink;
  };

  Value dropped(Value v, At at) const { return options_.dropout > 0 ? dropout(v, options_.dropout, at) : v; }

  Parts made(std::int64_t width) const {
    const bool train = trainable();
    const std::int64_t inside = options_.intermediate_dim > 0 ? options_.intermediate_dim : 4 * width;
    return {.attention_norm = LayerNorm({.epsilon = options_.epsilon, .name = "attention_norm", .trainable = train}),
            .attention = MultiHeadAttention(heads_, width / heads_,
                                            {.kv_heads = options_.kv_heads,
                                             .causal = options_.causal,
                                             .dropout = options_.dropout,
                                             .name = "attention",
                                             .trainable = train}),
            .dense_norm = LayerNorm({.epsilon = options_.epsilon, .name = "dense_norm", .trainable = train}),
            .grow = Dense(inside, {.activation = options_.activation, .trainable = train}),
            .shrink = Dense(width, {.trainable = train})};
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

Value TransformerBlock::operator()(Value x, const AttentionMasks& masks, At at) const {
  auto& state = static_cast<ops::BlockState&>(LayerState::of(*this));
  return LayerState::called(*this, x, at, [&] { return state.attend(x, masks, at); });
}

}  // namespace oxbow
