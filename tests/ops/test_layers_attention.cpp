// Attention against plain loops: heads, grouped heads, masks, causality, free axes; and the transformer block.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <functional>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_attention)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// [rows, columns], row-major.
struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> data;
  double& at(std::int64_t r, std::int64_t c) { return data[static_cast<std::size_t>(r * columns + c)]; }
  double at(std::int64_t r, std::int64_t c) const { return data[static_cast<std::size_t>(r * columns + c)]; }
};

// Sample `i` of [batch, rows, columns].
Matrix sample(const Tensor& t, std::int64_t i) {
  const std::int64_t rows = t.shape()[1], columns = t.shape()[2];
  const double* first = t.data<double>() + i * rows * columns;
  return {rows, columns, {first, first + rows * columns}};
}

// x kernel + bias, of the layer of this name.
Matrix projected(const Store& store, const std::string& layer, const Matrix& x) {
  const Tensor kernel = store.get(layer + "/kernel"), bias = store.get(layer + "/bias");
  const std::int64_t columns = kernel.shape()[1];
  Matrix y{x.rows, columns, std::vector<double>(static_cast<std::size_t>(x.rows * columns))};
  for (std::int64_t r = 0; r < x.rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      y.at(r, c) = bias.data<double>()[c];
      for (std::int64_t k = 0; k < x.columns; ++k) y.at(r, c) += x.at(r, k) * kernel.data<double>()[k * columns + c];
    }
  return y;
}

using Sees = std::function<bool(std::int64_t sample, std::int64_t head, std::int64_t query, std::int64_t key)>;

// Each pair of features as a complex number, turned by its place: the first row's is `first`.
void turn(Matrix& m, std::int64_t width, std::int64_t first, double base) {
  for (std::int64_t r = 0; r < m.rows; ++r)
    for (std::int64_t c = 0; c < m.columns; ++c) {
      const std::int64_t pair = c % width, half = width / 2;
      if (pair >= half) continue;
      const double angle =
          static_cast<double>(first + r) / std::pow(base, 2 * static_cast<double>(pair) / static_cast<double>(width));
      const std::complex<double> turned = std::complex(m.at(r, c), m.at(r, c + half)) * std::polar(1.0, angle);
      m.at(r, c) = turned.real();
      m.at(r, c + half) = turned.imag();
    }
}

struct Rotary {
  double base = 0;  // 0: no positions
  std::int64_t first_query = 0;
};

// One sample, head by head and place by place.
Matrix plain_attention(const Store& store, const Matrix& query, const Matrix& value, std::int64_t i, std::int64_t heads,
                       std::int64_t kv_heads, std::int64_t key_dim, std::int64_t value_dim, const Sees& sees,
                       const Rotary& rotary = {}) {
  const std::string scope = "multi_head_attention/";
  Matrix q = projected(store, scope + "query", query), k = projected(store, scope + "key", value);
  const Matrix v = projected(store, scope + "value", value);
  if (rotary.base > 0) {
    turn(q, key_dim, rotary.first_query, rotary.base);
    turn(k, key_dim, 0, rotary.base);
  }
  Matrix seen{query.rows, heads * value_dim,
              std::vector<double>(static_cast<std::size_t>(query.rows * heads * value_dim))};
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t t = 0; t < query.rows; ++t) {
      const std::int64_t of = h / (heads / kv_heads);
      std::vector<double> weights;
      double total = 0;
      bool sees_any = false;
      for (std::int64_t s = 0; s < value.rows; ++s) sees_any = sees_any || sees(i, h, t, s);
      for (std::int64_t s = 0; s < value.rows; ++s) {
        double score = 0;
        for (std::int64_t d = 0; d < key_dim; ++d) score += q.at(t, h * key_dim + d) * k.at(s, of * key_dim + d);
        const double weight = !sees_any          ? 1
                              : sees(i, h, t, s) ? std::exp(score / std::sqrt(static_cast<double>(key_dim)))
                                                 : 0;
        weights.push_back(weight);
        total += weight;
      }
      for (std::int64_t s = 0; s < value.rows; ++s)
        for (std::int64_t d = 0; d < value_dim; ++d)
          seen.at(t, h * value_dim + d) += weights[static_cast<std::size_t>(s)] / total * v.at(s, of * value_dim + d);
    }
  return projected(store, scope + "output", seen);
}

void close_to(const Tensor& got, std::int64_t i, const Matrix& wanted) {
  BOOST_TEST_REQUIRE(got.shape()[1] == wanted.rows);
  BOOST_TEST_REQUIRE(got.shape()[2] == wanted.columns);
  const Matrix is = sample(got, i);
  for (std::size_t k = 0; k < is.data.size(); ++k) BOOST_TEST(std::abs(is.data[k] - wanted.data[k]) < 1e-12);
}

// Variables that are not as they start, biases among them.
Store drawn_store(const Graph& g) {
  Store store(g);
  std::uint64_t seed = 100;
  for (const Value& v : variables(g, false))
    if (is_float(v.dtype())) store.set(v.node().full_name(), draw(v.shape(), -1, 1, seed++, v.dtype()));
  return store;
}

Tensor bools(const Shape& shape, const std::function<bool(std::int64_t)>& f) {
  Tensor t({boolean, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<bool>()[i] = f(i);
  return t;
}

}  // namespace

BOOST_AUTO_TEST_CASE(heads_agree_with_plain_loops_and_finite_differences) {
  for (const std::int64_t kv_heads : {4, 2, 1}) {
    Graph g;
    const Value x = input(g, "x", f64, {any(2), any(3), 5});
    const MultiHeadAttention attend(4, 3, {.kv_heads = kv_heads, .value_dim = 2});
    const Value y = attend(x);
    BOOST_TEST(to_string(y.type()) == "f64[2, 3, 5]");
    BOOST_TEST(attend.parameter_count() == 6 * 12 + 6 * 3 * kv_heads + 6 * 2 * kv_heads + 9 * 5);
    Store store = drawn_store(g);
    for (const Shape& shape : {Shape{2, 3, 5}, Shape{1, 6, 5}}) {  // free axes
      const Tensor at = draw(shape, -1, 1, 7);
      const Tensor got = compile({y}).run(store, {{"x", at}})[0];
      for (std::int64_t i = 0; i < shape[0]; ++i)
        close_to(got, i,
                 plain_attention(store, sample(at, i), sample(at, i), i, 4, kv_heads, 3, 2,
                                 [](auto, auto, auto, auto) { return true; }));
    }
    std::vector<Value> all = attend.variables();
    BOOST_TEST(all.size() == 8u);
    all.push_back(x);
    // A bias of the keys adds the same to all scores of a query, so that its slope is 0.
    std::erase_if(all, [](const Value& v) { return v.node().full_name() == "multi_head_attention/key/bias"; });
    check_gradients(y, all, {{"x", draw({2, 3, 5}, -1, 1, 7)}});
    on_all_threads({y}, {{"x", draw({2, 3, 5}, -1, 1, 7)}});
  }
}

BOOST_AUTO_TEST_CASE(masks_say_what_is_seen) {
  for (const std::int64_t kv_heads : {4, 2}) {
    Graph g;
    const Value x = input(g, "x", f64, {any(2), any(3), 5}), to = input(g, "to", f64, {any(2), any(4), 5});
    const Value flat = input(g, "flat", boolean, {any(3), any(4)}),
                each = input(g, "each", boolean, {any(2), any(3), any(4)}),
                heads = input(g, "heads", boolean, {any(2), 4, any(3), any(4)}),
                all_heads = reshape(each, {0, 1, 3, 4}), padding = input(g, "padding", boolean, {any(2), any(4)});
    const MultiHeadAttention attend(4, 3, {.kv_heads = kv_heads});
    const std::vector<Value> y{attend(x, {.value = to, .mask = flat}),
                               attend(x, {.value = to, .mask = each}),
                               attend(x, {.value = to, .mask = heads}),
                               attend(x, {.value = to, .key_mask = padding}),
                               attend(x, {.value = to, .mask = each, .key_mask = padding}),
                               attend(x, {.value = to, .mask = all_heads})};
    BOOST_TEST(variables(g).size() == 8u);
    const Tensors feeds{{"x", draw({2, 3, 5}, -1, 1, 7)},
                        {"to", draw({2, 4, 5}, -1, 1, 8)},
                        {"flat", bools({3, 4}, [](std::int64_t i) { return i % 3 != 1; })},
                        {"each", bools({2, 3, 4}, [](std::int64_t i) { return i % 5 > 1; })},
                        {"heads", bools({2, 4, 3, 4}, [](std::int64_t i) { return i * i % 7 > 1; })},
                        {"padding", bools({2, 4}, [](std::int64_t i) { return i < 2; })}};  // of sample 1 nothing
    Store store = drawn_store(g);
    const std::vector<Tensor> got = compile(y).run(store, feeds);
    const auto is = [&](const char* name, std::int64_t i) { return feeds.at(name).data<bool>()[i]; };
    const Sees sees[] = {
        [&](auto, auto, auto t, auto s) { return is("flat", t * 4 + s); },
        [&](auto i, auto, auto t, auto s) { return is("each", (i * 3 + t) * 4 + s); },
        [&](auto i, auto h, auto t, auto s) { return is("heads", ((i * 4 + h) * 3 + t) * 4 + s); },
        [&](auto i, auto, auto, auto s) { return is("padding", i * 4 + s); },
        [&](auto i, auto, auto t, auto s) { return is("each", (i * 3 + t) * 4 + s) && is("padding", i * 4 + s); },
        [&](auto i, auto, auto t, auto s) { return is("each", (i * 3 + t) * 4 + s); }};
    for (std::size_t k = 0; k < 6; ++k)
      for (std::int64_t i = 0; i < 2; ++i)
        close_to(
            got[k], i,
            plain_attention(store, sample(feeds.at("x"), i), sample(feeds.at("to"), i), i, 4, kv_heads, 3, 3, sees[k]));
    check_gradients(concat(y, 1), {x, to}, feeds);
  }
}

BOOST_AUTO_TEST_CASE(a_causal_place_sees_itself_and_those_before_it) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), any(4), 6});
  const MultiHeadAttention attend(2, 3, {.causal = true});
  const Value y = attend(x), cross = attend(x, {.value = concat({x, x}, 1)});
  Store store = drawn_store(g);
  Tensor at = draw({2, 5, 6}, -1, 1, 7);  // of another length than was built with
  const Tensor got = compile({y}).run(store, {{"x", at}})[0];
  for (std::int64_t i = 0; i < 2; ++i)
    close_to(got, i,
             plain_attention(store, sample(at, i), sample(at, i), i, 2, 2, 3, 3,
                             [](auto, auto, auto t, auto s) { return s <= t; }));
  // The last query sees the last key.
  const Tensor long_one = compile({cross}).run(store, {{"x", at}})[0];
  Matrix twice = sample(at, 1);
  twice.data.insert(twice.data.end(), twice.data.begin(), twice.data.end());
  twice.rows *= 2;
  close_to(long_one, 1, plain_attention(store, sample(at, 1), twice, 1, 2, 2, 3, 3, [](auto, auto, auto t, auto s) {
             return s <= t + 5;
           }));
  // What comes later changes no bit of what was before.
  for (int k = 4 * 6; k < 5 * 6; ++k) at.data<double>()[k] += 1;
  const Tensor changed = compile({y}).run(store, {{"x", at}})[0];
  for (int k = 0; k < 5 * 6; ++k)
    BOOST_TEST((changed.data<double>()[k] == got.data<double>()[k]) == (k < 4 * 6), "element " << k);
}

BOOST_AUTO_TEST_CASE(rotary_positions_turn_queries_and_keys) {
  for (const std::int64_t kv_heads : {4, 2})
    for (const bool causal : {false, true}) {
      Graph g;
      const Value x = input(g, "x", f64, {any(2), any(3), 5}), to = input(g, "to", f64, {any(2), any(4), 5});
      const double base = causal ? 100 : 10000;
      MultiHeadAttentionOptions options{.kv_heads = kv_heads, .value_dim = 2, .causal = causal, .rotary = true};
      if (causal) options.rotary_base = base;
      const MultiHeadAttention attend(4, 6, options);
      const Value self = attend(x), cross = attend(x, {.value = to});
      Store store = drawn_store(g);
      for (const auto& [t, s] : {std::pair{3, 4}, {5, 9}}) {  // free axes
        const Tensors feeds{{"x", draw({2, t, 5}, -1, 1, 7)}, {"to", draw({2, s, 5}, -1, 1, 8)}};
        const std::vector<Tensor> got = compile({self, cross}).run(store, feeds);
        for (std::int64_t i = 0; i < 2; ++i) {
          const Matrix a = sample(feeds.at("x"), i), b = sample(feeds.at("to"), i);
          const std::int64_t later = causal ? b.rows - a.rows : 0;
          close_to(got[0], i,
                   plain_attention(store, a, a, i, 4, kv_heads, 6, 2,
                                   [&](auto, auto, auto query, auto key) { return !causal || key <= query; }, {base}));
          close_to(got[1], i,
                   plain_attention(store, a, b, i, 4, kv_heads, 6, 2,
                                   [&](auto, auto, auto query, auto key) { return !causal || key <= query + later; },
                                   {base, later}));
        }
      }
      std::vector<Value> all = attend.variables();
      all.insert(all.end(), {x, to});
      const Tensors feeds{{"x", draw({2, 3, 5}, -1, 1, 7)}, {"to", draw({2, 4, 5}, -1, 1, 8)}};
      check_gradients(concat({self, cross}, 1), all, feeds);
      on_all_threads({self, cross}, feeds);
    }
}

// Angles in single precision would be off by a thousandth here, and the weights by some percent.
BOOST_AUTO_TEST_CASE(far_places_are_turned_as_exactly_as_near_ones) {
  Graph g;
  const Value x = input(g, "x", f64, {1, 1, 4}), to = input(g, "to", f64, {1, 20000, 4});
  const MultiHeadAttentionOptions options{.causal = true, .rotary = true, .use_bias = false};
  const MultiHeadAttention exact(1, 4, options), single(1, 4, options);
  const Value far = exact(x, {.value = to}), near = single(cast(x, f32), {.value = cast(to, f32)});
  Store store(g);
  for (const std::string part : {"query", "key", "value", "output"}) {
    const Tensor at = draw({4, 4}, part == "query" ? -20 : -1, part == "query" ? 20 : 1, 5, f32);
    Tensor same({f64, {4, 4}});
    std::copy_n(at.data<float>(), 16, same.data<double>());
    store.set("multi_head_attention/" + part + "/kernel", same);
    store.set("multi_head_attention_1/" + part + "/kernel", at);
  }
  const auto got = compile({far, cast(near, f64)})
                       .run(store, {{"x", draw({1, 1, 4}, 1, 2, 3)}, {"to", draw({1, 20000, 4}, -1, 1, 4)}});
  for (int i = 0; i < 4; ++i) BOOST_TEST(std::abs(got[0].data<double>()[i] - got[1].data<double>()[i]) < 1e-4);
}

BOOST_AUTO_TEST_CASE(a_transformer_block_is_its_parts) {
  for (const bool first : {true, false}) {
    Graph g;
    const Value x = input(g, "x", f64, {any(2), any(3), 4}), padding = input(g, "padding", boolean, {any(2), any(3)});
    const TransformerBlock block(2, {.intermediate_dim = 5, .causal = true, .normalize_first = first});
    const Value y = block(x, {.key_mask = padding});
    BOOST_TEST(block.name() == "transformer_block");
    BOOST_TEST(block.parameter_count() == 2 * 8 + 4 * 20 + 25 + 24);
    const auto parts = block.variables();
    Value by_hand;
    {
      // The same variables, by layers of the same names in a graph of its own.
      Graph other;
      const Scope scope(other, first ? "first" : "last");
      const Value z = input(other, "x", f64, {any(2), any(3), 4}),
                  mask = input(other, "padding", boolean, {any(2), any(3)});
      const LayerNorm a({.epsilon = 1e-5}), b({.epsilon = 1e-5});
      const MultiHeadAttention attend(2, 2, {.causal = true});
      const Dense grow(5, {.activation = gelu}), shrink(4);
      if (first) {
        const Value h = z + attend(a(z), {.key_mask = mask});
        by_hand = h + shrink(grow(b(h)));
      } else {
        const Value h = a(z + attend(z, {.key_mask = mask}));
        by_hand = b(h + shrink(grow(h)));
      }
      const std::string in = first ? "first/" : "last/";
      const Tensors feeds{{"x", draw({2, 3, 4}, -1, 1, 7)},
                          {"padding", bools({2, 3}, [](std::int64_t i) { return i != 4; })}};
      Store store = drawn_store(g), hand(other);
      for (const auto& [to, from] : {std::pair{"layer_norm", "attention_norm"}, {"layer_norm_1", "dense_norm"}})
        for (const std::string name : {"/scale", "/offset"})
          hand.set(in + to + name, store.get(std::string("transformer_block/") + from + name));
      for (const std::string name : {"/kernel", "/bias"}) {
        for (const std::string part : {"/query", "/key", "/value", "/output"})
          hand.set(in + "multi_head_attention" + part + name, store.get("transformer_block/attention" + part + name));
        hand.set(in + "dense" + name, store.get("transformer_block/dense" + name));
        hand.set(in + "dense_1" + name, store.get("transformer_block/dense_1" + name));
      }
      const Tensor wanted =
          compile({by_hand}).run(hand, {{in + "x", feeds.at("x")}, {in + "padding", feeds.at("padding")}})[0];
      BOOST_TEST(same_bits(compile({y}).run(store, feeds)[0], wanted));
      check_gradients(y, {x, parts[0], block.variables().back()}, feeds);
      on_all_threads({y}, feeds);
    }
  }
}

BOOST_AUTO_TEST_CASE(dropout_is_for_training_and_frozen_parts_are_not_trained) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), any(3), 4});
  const TransformerBlock block(2, {.dropout = 0.5});
  const Value y = block.freeze()(x);
  BOOST_TEST(variables(g).empty());
  BOOST_TEST(block.variables().size() == 16u);
  const Tensors feeds{{"x", draw({2, 3, 4}, -1, 1, 7, f32)}};
  const Tensor trained = on_all_threads({y}, feeds)[0], served = on_all_threads({y}, feeds, Mode::inference)[0];
  BOOST_TEST(!same_bits(trained, served));
}

BOOST_AUTO_TEST_CASE(what_attention_refuses) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3, 4}), flat = input(g, "flat", f32, {any(2), 4}),
              more = input(g, "more", f32, {any(2), 5, 4});
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 3)(flat); }),
                 "multi_head_attention: x has 2 axes, fewer than 3\n  x: f32[2, 4] from flat\n  at HERE"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(0, 3)(x); }), "multi_head_attention: it cannot have 0 heads"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(4, 3, {.kv_heads = 3})(x); }),
                 "multi_head_attention: 3 heads of keys do not divide 4 heads"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 3)(x, {.value = x, .key = more}); }),
                 "multi_head_attention: there are 5 keys for 3 values"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 3)(x, {.mask = flat}); }),
                 "multi_head_attention: mask is f32[2, 4]\n  at HERE\n  Give bool [queries, keys]"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 3)(x, {.key_mask = more}); }),
                 "multi_head_attention: key_mask is f32[2, 5, 4]\n  at HERE\n  Give bool [batch, keys]"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 3)(x, {.key = more}); }),
                 "multi_head_attention: there is a key without a value\n  x: f32[2, 5, 4] from more\n  at HERE"));
  const Value heads = input(g, "heads", boolean, {any(2), 2, 3, 3});
  for (const std::int64_t kv_heads : {0, 2})
    BOOST_TEST(has(message([&] { MultiHeadAttention(4, 3, {.kv_heads = kv_heads})(x, {.mask = heads}); }),
                   "multi_head_attention: mask is bool[2, 2, 3, 3], for 2 heads\n  at HERE\n  Give one for each of 4"));
  const auto of = [&](MultiHeadAttentionOptions o) { return message([&] { MultiHeadAttention(2, 3, o)(x); }); };
  const auto block = [&](TransformerBlockOptions o) { return message([&] { TransformerBlock(2, o)(x); }); };
  BOOST_TEST(has(of({.kv_heads = -1}), "multi_head_attention: kv_heads is -1\n"));
  BOOST_TEST(has(of({.value_dim = -2}), "multi_head_attention: value_dim is -2\n"));
  BOOST_TEST(has(of({.output_dim = -3}), "multi_head_attention: output_dim is -3\n"));
  BOOST_TEST(has(block({.intermediate_dim = -4}), "transformer_block: intermediate_dim is -4\n"));
  BOOST_TEST(has(block({.kv_heads = -1}), "transformer_block: kv_heads is -1\n"));
  BOOST_TEST(has(of({.rotary = true}),
                 "multi_head_attention: rotary positions turn pairs, but a head has 3 features\n  x: f32[2, 3, 4]"));
  BOOST_TEST(has(message([&] { MultiHeadAttention(2, 4, {.rotary = true, .rotary_base = 0})(x); }),
                 "multi_head_attention: rotary_base 0 is not positive"));
  for (const double rate : {-0.1, 1.0, std::nan("")}) {
    BOOST_TEST(has(of({.dropout = rate}), "multi_head_attention: dropout is "));
    BOOST_TEST(has(block({.dropout = rate}), "transformer_block: dropout is "));
  }
  BOOST_TEST(variables(g).empty());
  BOOST_TEST(has(message([&] { TransformerBlock(3)(x); }), "transformer_block: 3 heads do not divide 4 features"));
}

BOOST_AUTO_TEST_SUITE_END()
