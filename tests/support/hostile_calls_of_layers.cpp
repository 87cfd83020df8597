// The layers that bytes choose from, each called once or twice, so that it shares its variables.
#include <oxbow/ops/ops.h>

#include "hostile_calls.h"

namespace oxbow::test {
namespace {

template <class Options>
void name_some(Calls& c, Options& options) {
  if (c.flag()) options.name = c.name();
  options.trainable = c.below(4) != 0;
}

void call(Calls& c, const Layer& layer) {
  c.keep(layer(c.operand()));
  if (c.flag()) c.keep(layer(c.operand()));
}

RecurrentOptions recurrent(Calls& c) {
  RecurrentOptions options;
  options.return_sequences = c.flag();
  options.reverse = c.flag();
  options.use_bias = c.flag();
  options.reset_after = c.flag();
  if (c.flag()) options.dropout = c.real();
  if (c.flag()) options.recurrent_dropout = c.real();
  if (c.flag()) options.activation = some_unary(c);
  name_some(c, options);
  return options;
}

void run(Calls& c, const Recurrent& layer) {
  if (c.below(3) == 0)
    return call(c, Bidirectional(layer, {.merge = static_cast<BidirectionalOptions::Merge>(c.below(4))}));
  const Value x = c.operand();
  RecurrentInputs beside;
  if (c.flag()) beside.initial_state = c.operands();
  if (c.flag()) beside.lengths = c.operand();
  const RecurrentResult all = layer.run(x, beside);
  c.keep(all.sequence), c.keep(all.state);
}

void sequences(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const std::int64_t units = c.few();
    const RecurrentOptions options = recurrent(c);
    switch (c.below(3)) {
      case 0:
        return run(c, SimpleRNN(units, options));
      case 1:
        return run(c, GRU(units, options));
      default:
        return run(c, LSTM(units, options));
    }
  });
  all.push_back([](Calls& c) {
    const std::int64_t heads = c.few(), key_dim = c.few();
    MultiHeadAttentionOptions options{.kv_heads = c.below(3), .causal = c.flag()};
    options.dropout = c.flag() ? c.real() : 0;
    name_some(c, options);
    const MultiHeadAttention layer(heads, key_dim, options);
    Attended to;
    const Value query = c.operand();
    if (c.flag()) to.value = c.operand();
    if (c.flag()) to.key = c.operand();
    if (c.flag()) to.mask = c.operand();
    if (c.flag()) to.key_mask = c.operand();
    c.keep(layer(query, to));
    if (!c.flag()) return;
    const AttentionCache cache{c.operand(), c.operand()};
    const Value index = c.operand();
    c.keep(layer.run(query, cache, index).output);
  });
  all.push_back([](Calls& c) {
    const std::int64_t heads = c.few();
    TransformerBlockOptions options{.intermediate_dim = c.few(), .causal = c.flag()};
    options.normalize_first = c.flag();
    options.rotary = c.flag();
    name_some(c, options);
    const TransformerBlock layer(heads, options);
    if (c.flag()) return call(c, layer);
    const Value x = c.operand();
    TransformerInputs to{.memory = c.operand()};
    if (c.flag()) to.key_mask = c.operand();
    if (c.flag()) to.memory_key_mask = c.operand();
    c.keep(layer(x, to));
  });
  all.push_back([](Calls& c) {
    const std::int64_t rows = c.few(), width = c.number();
    EmbeddingOptions options;
    name_some(c, options);
    if (c.flag()) return call(c, PositionEmbedding(rows));
    call(c, Embedding(rows, width, options));
  });
}

void norms(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const double epsilon = c.real();
    switch (c.below(4)) {
      case 0:
        return call(c, LayerNorm({.epsilon = epsilon, .use_scale = c.flag()}));
      case 1:
        return call(c, RMSNorm({.epsilon = epsilon}));
      case 2:
        return call(c, BatchNorm({.epsilon = epsilon, .trainable = c.flag()}));
      default: {
        const std::int64_t groups = c.number();
        return call(c, GroupNorm(groups, {.epsilon = epsilon, .use_offset = c.flag()}));
      }
    }
  });
}

Padding padding(Calls& c) { return c.flag() ? Padding::same : Padding::valid; }

template <class Options>
Options window(Calls& c) {
  Options options;
  options.size = c.few();
  options.stride = c.few();
  options.dilation = c.few();
  options.padding = padding(c);
  options.use_bias = c.flag();
  if (c.flag()) options.activation = some_unary(c);
  name_some(c, options);
  return options;
}

void images(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const std::int64_t filters = c.few();
    switch (c.below(6)) {
      case 0:
        return call(c, Conv1D(filters, window<ConvOptions>(c)));
      case 1: {
        ConvOptions options = window<ConvOptions>(c);
        options.groups = c.few();
        return call(c, Conv2D(filters, options));
      }
      case 2: {
        ConvTransposeOptions options = window<ConvTransposeOptions>(c);
        options.output_padding = c.few();
        return call(c, Conv2DTranspose(filters, options));
      }
      case 3:
        return call(c, SeparableConv2D(filters, window<SeparableConvOptions>(c)));
      case 4: {
        DepthwiseConvOptions options = window<DepthwiseConvOptions>(c);
        options.depth_multiplier = c.few();
        return call(c, DepthwiseConv2D(options));
      }
      default:
        return call(c, GlobalPool(c.flag() ? GlobalPool::average : GlobalPool::max));
    }
  });
}

void composed(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const Activation function = some_unary(c);
    const double rate = c.real();
    switch (c.below(4)) {
      case 0:
        return call(c, Residual(Sequential{Lambda(function), Dropout(rate)}));
      case 1:
        return call(c, Sequential{Dense(c.few()), Lambda(function), LayerNorm()});
      case 2:
        return call(c, GaussianNoise(rate));
      default:
        return call(c, Residual(Dense(c.few())));
    }
  });
}

}  // namespace

void add_calls_of_layers(std::vector<Call>& all) {
  sequences(all);
  norms(all);
  images(all);
  composed(all);
}

}  // namespace oxbow::test
