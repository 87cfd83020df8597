// Decoding with a cache of keys and values: the bits of a call on the whole sequence, a place or several at a time.
// Labels: memory.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_cache)

using namespace oxbow;
using namespace oxbow::test;

namespace {

Tensor places(const Tensor& x, std::int64_t first, std::int64_t count) {
  const std::int64_t batch = x.shape()[0], all = x.shape()[1], width = x.shape()[2];
  Tensor y({f32, {batch, count, width}});
  for (std::int64_t i = 0; i < batch; ++i)
    std::copy_n(x.data<float>() + (i * all + first) * width, count * width, y.data<float>() + i * count * width);
  return y;
}

Tensor number(std::int64_t n) { return Tensor::scalar<std::int64_t>(n); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_place_at_a_time_has_the_bits_of_the_whole) {
  constexpr std::int64_t length = 90, width = 24, slots = 100;
  for (const bool rotary : {false, true})
    for (const std::int64_t kv_heads : {4, 2}) {
      Graph g;
      const Value x = input(g, "x", f32, {2, any(length), width}), memory = input(g, "memory", f32, {2, 5, 8});
      const TransformerBlockOptions options{.causal = true, .rotary = rotary, .kv_heads = kv_heads};
      const TransformerBlock one(4, options), two(4, options);
      const Value whole = two(one(x), {.memory = memory});

      const Value next = input(g, "next", f32, {2, any(1), width}), index = input(g, "index", i64, Shape{});
      const std::int64_t wide = width / 4 * kv_heads;
      std::vector<AttentionCache> caches;
      for (const char* name : {"one", "two"})
        caches.push_back({input(g, std::string(name) + "_key", f32, {2, slots, wide}),
                          input(g, std::string(name) + "_value", f32, {2, slots, wide})});
      const AttentionResult first = one.run(next, caches[0], index),
                            second = two.run(first.output, caches[1], index, {.memory = memory});
      const Program decode =
          compile({second.output, first.cache.key, first.cache.value, second.cache.key, second.cache.value},
                  {.mode = Mode::inference});
      Store store(g);
      const Tensor fed = draw({2, length, width}, -1, 1, 7, f32), remembered = draw({2, 5, 8}, -1, 1, 8, f32);
      const Tensor wanted =
          compile({whole}, {.mode = Mode::inference}).run(store, {{"x", fed}, {"memory", remembered}})[0];
      std::vector<Tensor> state(5, Tensor({f32, {2, slots, wide}}));
      // What stands in slots that are not taken is not read.
      for (std::size_t i = 1; i < 5; ++i)
        std::fill_n(state[i].data<float>(), state[i].count(), std::numeric_limits<float>::quiet_NaN());
      std::int64_t at = 0;
      for (const std::int64_t count : {1, 1, 17, 1, 50, 1, 1, 18}) {
        state = decode.run(store, {{"next", places(fed, at, count)},
                                   {"index", number(at)},
                                   {"memory", remembered},
                                   {"one_key", state[1]},
                                   {"one_value", state[2]},
                                   {"two_key", state[3]},
                                   {"two_value", state[4]}});
        BOOST_TEST(same_bits(state[0], places(wanted, at, count)), count << " places from " << at << " on");
        at += count;
      }
      BOOST_TEST(at == length);
      const std::string said = message([&] {
        decode.run(store, {{"next", places(fed, 0, 11)},
                           {"index", number(at)},
                           {"memory", remembered},
                           {"one_key", state[1]},
                           {"one_value", state[2]},
                           {"two_key", state[3]},
                           {"two_value", state[4]}});
      });
      BOOST_TEST(has(said, "100"), said);  // slot 100 of 100
      BOOST_TEST(has(said, "attention"), said);
    }
}

BOOST_AUTO_TEST_CASE(what_a_cache_refuses) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 1, 8}), keys = input(g, "keys", f32, {2, 5, 8}),
              narrow = input(g, "narrow", f32, {2, 5, 4}), more = input(g, "more", f32, {2, 6, 8}),
              index = input(g, "index", i64, Shape{}), two = input(g, "two", i64, {2}),
              mask = input(g, "mask", boolean, {1, 5});
  const MultiHeadAttention attend(2, 4, {.causal = true}), open(2, 4);
  const AttentionCache cache{keys, keys};
  BOOST_TEST(has(message([&] { open.run(x, cache, index); }), "multi_head_attention: it is not causal"));
  BOOST_TEST(has(message([&] {
                   attend.run(x, {keys, narrow}, index);
                 }),
                 "multi_head_attention: the cache's value is f32[2, 5, 4]\n"));
  BOOST_TEST(has(message([&] { attend.run(x, {}, index); }), "multi_head_attention: the cache's key is empty\n"));
  BOOST_TEST(has(message([&] { attend.run(x, {keys, more}, index); }), "different lengths"));
  BOOST_TEST(has(message([&] { attend.run(x, cache, two); }), "multi_head_attention: index is i64[2]\n"));
  BOOST_TEST(has(message([&] { attend.run(x, cache, {}); }), "multi_head_attention: index is an empty Value"));
  const TransformerBlock block(2, {.causal = true});
  BOOST_TEST(has(message([&] { block.run(x, cache, index, {.mask = mask}); }),
                 "transformer_block: there is a mask of x itself"));
  BOOST_TEST(variables(g).empty());
  BOOST_TEST(attend.run(x, cache, index).output.shape() == x.shape());
}

BOOST_AUTO_TEST_SUITE_END()
