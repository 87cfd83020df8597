// Learned positions, and the transformer's block as a decoder has it: with a memory to attend to. The block alone is
// tested beside attention.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_transformer)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(each_place_has_a_row_of_its_own) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), any(3), 4});
  const PositionEmbedding positions(5);
  const Value y = positions(x);
  BOOST_TEST(to_string(y.type()) == "f64[2, 3, 4]");
  BOOST_TEST(positions.embeddings().node().full_name() == "position_embedding/embeddings");
  BOOST_TEST(to_string(positions.embeddings().type()) == "f64[5, 4]");
  const Program program = compile({y});
  Store store(g);
  const Tensor table = store.get("position_embedding/embeddings");
  for (const std::int64_t length : {1, 3, 5}) {  // a free axis
    const Tensor at = draw({2, length, 4}, -1, 1, 7), got = program.run(store, {{"x", at}})[0];
    for (std::int64_t i = 0; i < at.count(); ++i)
      BOOST_TEST(got.data<double>()[i] == at.data<double>()[i] + table.data<double>()[i % (length * 4)]);
  }
  check_gradients(y, {x, positions.embeddings()}, {{"x", draw({2, 3, 4}, -1, 1, 7)}});
  const Value flat = input(g, "flat", f64, {3, 4});
  BOOST_TEST(to_string(positions(flat).type()) == "f64[3, 4]");
  BOOST_TEST(variables(g).size() == 1u);
  PositionEmbedding(3, {.name = "places"})(flat);
  BOOST_TEST(has(summary(g), "\nposition_embedding (PositionEmbedding)  f64[3, 4]          20\n"), summary(g));
  BOOST_TEST(has(summary(g), "\nplaces (PositionEmbedding)              f64[3, 4]          12\n"), summary(g));
}

BOOST_AUTO_TEST_CASE(more_places_than_there_are_rows_are_refused) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), any(1), 4}), row = input(g, "row", f32, {4}),
              ids = input(g, "ids", i64, {2, 3});
  for (const std::int64_t length : {1, 2}) {
    const PositionEmbedding positions(length);
    const Program program = compile({positions(x)});
    Store store(g);
    const std::string said = message([&] { program.run(store, {{"x", draw({2, 3, 4}, -1, 1, 7, f32)}}); });
    BOOST_TEST(has(said, "[3, 4]"), said);
    BOOST_TEST(has(said, "in scope position_embedding"), said);
  }
  const Value three = input(g, "three", f32, {2, 3, 4});
  BOOST_TEST(has(message([&] { PositionEmbedding(2)(three); }),
                 "position_embedding: x has 3 places, and there are 2\n  x: f32[2, 3, 4] from three\n  at HERE"));
  BOOST_TEST(has(message([&] { PositionEmbedding(0)(three); }), "position_embedding: it cannot have 0 places"));
  BOOST_TEST(has(message([&] { PositionEmbedding(2)(row); }), "position_embedding: x has 1 axes, fewer than 2"));
  BOOST_TEST(has(message([&] { PositionEmbedding(2)(ids); }), "position_embedding: x is not floating point"));
}

BOOST_AUTO_TEST_CASE(a_decoders_block_is_its_parts) {
  const Tensors feeds{{"x", draw({2, 3, 4}, -1, 1, 7)},
                      {"memory", draw({2, 5, 6}, -1, 1, 8)},
                      {"seen", draw({2, 3}, -1, 3, 9)},
                      {"kept", draw({2, 5}, -1, 3, 10)}};
  for (const bool first : {true, false}) {
    const auto inputs = [](Graph& g) {
      return std::vector<Value>{input(g, "x", f64, {any(2), any(3), 4}), input(g, "memory", f64, {any(2), any(4), 6}),
                                input(g, "seen", f64, {any(2), any(3)}) > 0.0,
                                input(g, "kept", f64, {any(2), any(4)}) > 0.0};
    };
    Graph g;
    const std::vector<Value> in = inputs(g);
    const TransformerBlock block(2, {.intermediate_dim = 5,
                                     .causal = true,
                                     .rotary = true,
                                     .rotary_base = 50,
                                     .kv_heads = 1,
                                     .normalize_first = first});
    const Value y = block(in[0], {.key_mask = in[2], .memory = in[1], .memory_key_mask = in[3]});
    std::vector<std::string> names;
    for (const Value& v : block.variables()) {
      const std::string name = v.node().full_name();
      const std::string layer = name.substr(0, name.rfind('/'));
      if (names.empty() || names.back() != layer) names.push_back(layer);
    }
    std::vector<std::string> wanted;
    for (const char* name : {"attention_norm", "attention/query", "attention/key", "attention/value",
                             "attention/output", "cross_attention_norm", "cross_attention/query", "cross_attention/key",
                             "cross_attention/value", "cross_attention/output", "dense_norm", "dense", "dense_1"})
      wanted.push_back("transformer_block/" + std::string(name));
    BOOST_TEST(names == wanted, boost::test_tools::per_element());

    // By layers of the same names, in a graph of its own.
    Graph other;
    const std::vector<Value> of = inputs(other);
    Value hand;
    {
      const Scope scope(other, "transformer_block");
      const auto norm = [](const char* name) { return LayerNorm({.epsilon = 1e-5, .name = name}); };
      const LayerNorm a = norm("attention_norm"), b = norm("cross_attention_norm"), c = norm("dense_norm");
      const MultiHeadAttention self(
          2, 2, {.kv_heads = 1, .causal = true, .rotary = true, .rotary_base = 50, .name = "attention"}),
          cross(2, 2, {.kv_heads = 1, .name = "cross_attention"});
      const Dense grow(5, {.activation = gelu}), shrink(4);
      const Attended to{.key_mask = of[2]}, memory{.value = of[1], .key_mask = of[3]};
      if (first) {
        Value h = of[0] + self(a(of[0]), to);
        h = h + cross(b(h), memory);
        hand = h + shrink(grow(c(h)));
      } else {
        Value h = a(of[0] + self(of[0], to));
        h = b(h + cross(h, memory));
        hand = c(h + shrink(grow(h)));
      }
    }
    Store store(g), same(other);
    std::uint64_t seed = 100;
    for (const Value& v : block.variables()) {
      const Tensor drawn = draw(v.shape(), -1, 1, seed++);
      store.set(v.node().full_name(), drawn);
      same.set(v.node().full_name(), drawn);
    }
    BOOST_TEST(same_bits(compile({y}).run(store, feeds)[0], compile({hand}).run(same, feeds)[0]));
    check_gradients(y, {in[0], in[1], block.variables()[11], block.variables().back()}, feeds);
    on_all_threads({y}, feeds);
  }
}

BOOST_AUTO_TEST_CASE(a_memory_is_given_to_all_calls_or_to_none) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 4}), mask = input(g, "mask", boolean, {2, 3});
  const TransformerBlock encode(2), decode(2);
  encode(x);
  decode(x, {.memory = x});
  BOOST_TEST(has(message([&] { encode(x, {.memory = x}); }),
                 "transformer_block: it is given a memory, but was not at its first call\n  x: f32[2, 3, 4] from x"));
  BOOST_TEST(has(message([&] { decode(x); }),
                 "transformer_block: it is given no memory, but was at its first call\n  x: f32[2, 3, 4] from x"));
  BOOST_TEST(has(message([&] { encode(x, {.memory_key_mask = mask}); }),
                 "transformer_block: there is a mask of a memory, but no memory"));
  BOOST_TEST(decode.parameters().size() == encode.parameters().size() + 10);
  // A first call that fails leaves no choice behind.
  const TransformerBlock undecided(2);
  BOOST_TEST(has(message([&] { undecided(x, {.memory = mask}); }), "multi_head_attention: x has 2 axes, not 3"));
  undecided(x);
  BOOST_TEST(undecided.parameters().size() == encode.parameters().size());
}

BOOST_AUTO_TEST_SUITE_END()
