#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/attention.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

#include <cmath>
#include <numbers>

namespace oxbow {
namespace ops {
namespace {

Value numbers_up_to(Value count) {
  Graph& g = count.graph();
  return arange(constant(g, 0, i64), count, constant(g, 1, i64));
}

// A cache [batch, slots, width] with x [batch, places, width] in its places. One that it lacks fails the run.
Value written(Value cache, Value places, Value slots, Value x, Value before) {
  return in_order(cache.graph(), [&] {
    const Value added = scatter_add(cache, places, x, 1);
    return where(reshape(less(slots, before), {-1, 1}), cache, added);
  });
}

// Rotary positions: pair (i, i + width / 2) of the features at place p is turned by the angle p / base^(2i / width).
class Rotation {
 public:
  /// Of so many places; the first one is `first`, or 0. The angles are in double, as those of far places are large.
  Rotation(Value length, Value first, std::int64_t width, double base, DType dtype) : half_(width / 2) {
    Graph& g = length.graph();
    std::vector<double> turns;  // of half a circle, from one place to the next
    for (std::int64_t i = 0; i < half_; ++i)
      turns.push_back(std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(width)) / std::numbers::pi);
    const Value each = constant(g, Tensor::of<double>(Shape{half_}, turns));
    Value places = numbers_up_to(length);
    if (first) places = places + first;
    const Value angles = reshape(cast(places, f64), {-1, 1, 1}) * each;
    cosine_ = cast(cospi(angles), dtype);
    sine_ = cast(sinpi(angles), dtype);
  }

  /// x [..., length, heads, width].
  Value operator()(Value x) const {
    return in_order(x.graph(), [&] {
      const Value a = slice(x, -1, 0, half_), b = slice(x, -1, half_);
      return concat({a * cosine_ - b * sine_, b * cosine_ + a * sine_}, -1);
    });
  }

 private:
  std::int64_t half_;
  Value cosine_, sine_;  // [length, 1, width / 2]
};

class AttentionState : public LayerState {
 public:
  AttentionState(std::int64_t heads, std::int64_t key_dim, MultiHeadAttentionOptions options)
      : LayerState("MultiHeadAttention", "multi_head_attention", options.name, options.trainable),
        heads_(heads),
        kv_heads_(options.kv_heads > 0 ? options.kv_heads : heads),
        key_dim_(key_dim),
        value_dim_(options.value_dim > 0 ? options.value_dim : key_dim),
        options_(std::move(options)),
        query_(heads * key_dim_, dense_options("query")),
        key_(kv_heads_ * key_dim_, dense_options("key")),
        value_(kv_heads_ * value_dim_, dense_options("value")) {}

  std::vector<Layer> parts() const override { return {query_, key_, value_, output_}; }

  Value call(Value x, At at) override { return attend(x, {}, at); }

  Value attend(Value query, const Attended& to, At at) {
    const char* layer = word();
    check_layer_input(layer, query, 3, "[batch, length, features]", at);
    if (to.key && !to.value)
      refuse_layer(layer, "there is a key without a value", to.key, at,
                   "Give .value, too, what each key stands for; .value alone is its own key");
    const Value value = to.value ? to.value : query, key = to.key ? to.key : value;
    check(query, key, value, at);
    LayerCall here(*this, query, {"query/kernel"}, at);
    make_output(here, query);
    const Value q = query_(query, at), k = key_(key, at), v = value_(value, at);
    return as_called(layer, [&] {
      const OriginGuard line = from_line(query.graph(), at, query.graph().origin().phase);
      const Value seen = seen_by(to, at);
      Value first;
      if (options_.rotary && options_.causal) {
        const Value t = shape_of(query)[1];
        first = shape_of(key)[1] - t;
      }
      const Value turned = placed(q, heads_, first), keys = placed(k, kv_heads_, {});
      return output_(attended(turned, keys, v, seen, options_.causal, options_.dropout), at);
    });
  }

  AttentionResult run(Value x, const AttentionCache& cache, Value index, At at) {
    const char* layer = word();
    check_layer_input(layer, x, 3, "[batch, length, features]", at);
    check(x, x, x, at);
    if (!options_.causal)
      refuse_layer(layer, "it is not causal: what it has seen changes with each further place", x, at,
                   "Make it with {.causal = true}");
    if (!index || !is_integer(index.dtype()) || index.rank() != 0)
      refuse_layer(layer, "index is " + (index ? to_string(index.type()) : "an empty Value"), index, at,
                   "Give an integer, without axes: the number of places before x");
    check_cache("key", cache.key, x, kv_heads_ * key_dim_, at);
    check_cache("value", cache.value, x, kv_heads_ * value_dim_, at);
    if (cache.key.shape()[1] != cache.value.shape()[1])
      refuse_layer(layer, "the cache's keys and values have different lengths", cache.value, at, "Give both the same");
    LayerCall here(*this, x, {"query/kernel"}, at);
    make_output(here, x);
    Graph& g = x.graph();
    const Value q = query_(x, at), k = key_(x, at), v = value_(x, at);
    AttentionResult result;
    as_called(layer, [&] {
      const OriginGuard line = from_line(g, at, g.origin().phase);
      const Value before = cast(index, i64), turned = placed(q, heads_, before), keys = placed(k, kv_heads_, before);
      const Value places = in_order(g, [&] { return numbers_up_to(shape_of(x)[1]) + before; });
      const Value slots = numbers_up_to(shape_of(cache.key)[1]);
      result.cache = {written(cache.key, places, slots, keys, before), written(cache.value, places, slots, v, before)};
      const Value seen = greater_equal(reshape(places, {-1, 1}), slots);
      result.output = output_(attended(turned, result.cache.key, result.cache.value, seen, false, 0), at);
      return result.output;
    });
    return result;
  }

 private:
  DenseOptions dense_options(const char* name) const {
    return {.kernel_init = options_.kernel_init,
            .bias_init = options_.bias_init,
            .use_bias = options_.use_bias,
            .name = name,
            .trainable = trainable()};
  }

  void check(Value query, Value key, Value value, At at) const {
    const char* layer = word();
    check_layer_size(layer, "heads", heads_, query, at);
    check_layer_size(layer, "features a head", key_dim_, query, at);
    check_given_size(layer, "kv_heads", options_.kv_heads, query, at);
    check_given_size(layer, "value_dim", options_.value_dim, query, at);
    check_given_size(layer, "output_dim", options_.output_dim, query, at);
    check_dropout(layer, options_.dropout, query, at);
    if (options_.rotary && key_dim_ % 2 != 0)
      refuse_layer(layer, "rotary positions turn pairs, but a head has " + std::to_string(key_dim_) + " features",
                   query, at, "Give an even number of features a head");
    if (options_.rotary && !(options_.rotary_base > 0))
      refuse_layer(layer, "rotary_base " + internal::short_number(options_.rotary_base) + " is not positive", query, at,
                   "Give 10000 or so");
    if (heads_ % kv_heads_ != 0)
      refuse_layer(layer,
                   std::to_string(kv_heads_) + " heads of keys do not divide " + std::to_string(heads_) + " heads",
                   query, at, "Give a number of .kv_heads that does");
    for (const Value& v : {query, key, value})
      if (v.rank() != 3)
        refuse_layer(layer, "x has " + std::to_string(v.rank()) + " axes, not 3", v, at,
                     "Reshape it to [batch, length, features]");
    if (key.shape()[1] != value.shape()[1])
      refuse_layer(
          layer,
          "there are " + std::to_string(key.shape()[1]) + " keys for " + std::to_string(value.shape()[1]) + " values",
          key, at, "Give one for each");
  }

  void check_cache(const char* name, Value part, Value x, std::int64_t width, At at) const {
    if (!part || part.rank() != 3 || part.dtype() != x.dtype() || part.shape()[0] != x.shape()[0] ||
        part.shape()[2] != width)
      refuse_layer(word(), std::string("the cache's ") + name + " is " + (part ? to_string(part.type()) : "empty"), x,
                   at,
                   "Give [batch, length, " + std::to_string(width) +
                       "] of x's dtype, at first of zeros: length is the "
                       "most places that it has");
  }

  void make_output(const LayerCall& here, Value query) {
    if (here.is_first())
      output_ = Dense(options_.output_dim > 0 ? options_.output_dim : query.shape()[-1], dense_options("output"));
  }

  // [batch, length, heads x key_dim], turned by its places where these are rotary. The first one is `first`, or 0.
  Value placed(Value x, std::int64_t heads, Value first) const {
    if (!options_.rotary) return x;
    return in_order(x.graph(), [&] {
      const Rotation turn(shape_of(x)[1], first, key_dim_, options_.rotary_base, x.dtype());
      return reshape(turn(reshape(x, {0, 0, heads, key_dim_})), {0, 0, heads * key_dim_});
    });
  }

  Value attended(Value q, Value k, Value v, Value seen, bool causal, double dropout) const {
    return scaled_dot_product_attention(
        q, k, v, {.mask = seen, .causal = causal, .heads = heads_, .kv_heads = kv_heads_, .dropout = dropout});
  }

  // What masks leave, as [t, s] or [batch, heads or 1, t or 1, s]; empty where there is none.
  Value seen_by(const Attended& to, At at) const {
    Value may = to.mask ? spread(to.mask, at) : Value();
    if (to.key_mask) {
      check_mask("key_mask", to.key_mask, 2, 2, at);
      const Value keys = reshape(to.key_mask, {0, 1, 1, -1});
      may = may ? logical_and(may, keys) : keys;
    }
    return may;
  }

  void check_mask(const char* name, Value mask, int least, int most, At at) const {
    if (mask.dtype() != boolean || mask.rank() < least || mask.rank() > most)
      refuse_layer(word(), std::string(name) + " is " + to_string(mask.type()), Value(), at,
                   least == 2 && most == 2 ? "Give bool [batch, keys], true where a place may be seen"
                                           : "Give bool [queries, keys], [batch, queries, keys] or [batch, heads, "
                                             "queries, keys], true where a place may be seen");
  }

  // A mask in the scores' axes.
  Value spread(Value mask, At at) const {
    check_mask("mask", mask, 2, 4, at);
    if (mask.rank() == 2) return mask;
    if (mask.rank() == 3) {
      const Value rows = shape_of(mask), one = constant(mask.graph(), Tensor::of<std::int64_t>(Shape{1}, {1}));
      return reshape(mask, concat({rows[range(0, 1)], one, rows[range(1, 3)]}));
    }
    const std::int64_t has = mask.shape()[1];
    if (has != heads_ && has != 1)
      refuse_layer(
          word(), "mask is " + to_string(mask.type()) + ", for " + std::to_string(has) + " heads", Value(), at,
          "Give one for each of " + std::to_string(heads_) + " heads, or one for all: [batch, 1, queries, keys]");
    return mask;
  }

  std::int64_t heads_, kv_heads_, key_dim_, value_dim_;
  MultiHeadAttentionOptions options_;
  Dense query_, key_, value_;
  Layer output_;  // since the first call, which tells its size
};

}  // namespace
}  // namespace ops

using ops::LayerState;
using ops::new_layer;

MultiHeadAttention::MultiHeadAttention(std::int64_t heads, std::int64_t key_dim, MultiHeadAttentionOptions options)
    : Layer(new_layer<ops::AttentionState>(nullptr, heads, key_dim, std::move(options))) {}
MultiHeadAttention::MultiHeadAttention(Graph& g, std::int64_t heads, std::int64_t key_dim,
                                       MultiHeadAttentionOptions options)
    : Layer(new_layer<ops::AttentionState>(&g, heads, key_dim, std::move(options))) {}

Value MultiHeadAttention::operator()(Value query, const Attended& to, At at) const {
  auto& state = static_cast<ops::AttentionState&>(LayerState::of(*this));
  return LayerState::called(*this, query, at, [&] { return state.attend(query, to, at); });
}

AttentionResult MultiHeadAttention::run(Value x, const AttentionCache& cache, Value index, At at) const {
  auto& state = static_cast<ops::AttentionState&>(LayerState::of(*this));
  AttentionResult result;
  LayerState::called(*this, x, at, [&] {
    result = state.run(x, cache, index, at);
    return result.output;
  });
  return result;
}

}  // namespace oxbow
