// Attention as a node: beside its composition of products and a softmax; what is not seen; how much memory a training
// step takes; what is refused. Values and gradients of small ones are tested with the samples of all ops.
// Labels: memory, levels.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_attention)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

Value in_heads(Value x, std::int64_t heads, std::int64_t each) {
  return transpose(reshape(x, {0, 0, heads, each}), {0, 2, 1, 3});
}

// The definition, with all scores.
Value composed(Value q, Value k, Value v, std::int64_t heads, Value mask) {
  const std::int64_t d = q.shape()[-1] / heads, e = v.shape()[-1] / heads;
  const Value scores = matmul(in_heads(q, heads, d), in_heads(k, heads, d), {.transpose_b = true}) *
                       (1 / std::sqrt(static_cast<double>(d)));
  const Value weights = softmax(mask ? where(mask, scores, -1e30) : scores);
  return reshape(transpose(matmul(weights, in_heads(v, heads, e)), {0, 2, 1, 3}), {0, 0, heads * e});
}

Tensor before(std::int64_t t, std::int64_t s) {
  Tensor mask({boolean, {t, s}});
  for (std::int64_t i = 0; i < t; ++i)
    for (std::int64_t j = 0; j < s; ++j) mask.data<bool>()[i * s + j] = j <= i + s - t;
  return mask;
}

double farthest(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (std::int64_t i = 0; i < a.count(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a.data<float>()[i]) - static_cast<double>(b.data<float>()[i])));
  return most;
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_near_its_composition_on_any_threads) {
  struct Asked {
    std::int64_t t, s, d, e;
    bool causal;
  };
  for (const Asked& a : {Asked{64, 64, 32, 32, true}, Asked{200, 200, 64, 64, true}, Asked{1, 130, 64, 64, false},
                         Asked{100, 77, 24, 40, false}, Asked{65, 190, 16, 8, true}, Asked{150, 90, 20, 20, true}}) {
    Graph g;
    const Value q = input(g, "q", f32, {2, a.t, 3 * a.d}), k = input(g, "k", f32, {2, a.s, 3 * a.d}),
                v = input(g, "v", f32, {2, a.s, 3 * a.e});
    const Value mask = a.causal ? constant(g, before(a.t, a.s)) : Value();
    const Value weights = constant(g, draw({2, a.t, 3 * a.e}, -1, 1, 9, f32));
    std::vector<Value> fetches;
    for (const Value& y :
         {scaled_dot_product_attention(q, k, v, {.causal = a.causal, .heads = 3}),
          scaled_dot_product_attention(q, k, v, {.mask = mask, .heads = 3}), composed(q, k, v, 3, mask)}) {
      fetches.push_back(y);
      for (const Value& slope : gradients(sum(y * weights), {q, k, v})) fetches.push_back(slope);
    }
    const std::vector<Tensor> got = on_all_threads(fetches, {{"q", draw(q.shape(), -2, 2, 1, f32)},
                                                             {"k", draw(k.shape(), -2, 2, 2, f32)},
                                                             {"v", draw(v.shape(), -1, 1, 3, f32)}});
    for (std::size_t i = 0; i < 4; ++i) {
      BOOST_TEST(farthest(got[i], got[8 + i]) < 2e-5, "value " << i << " of " << a.t << " by " << a.s);
      BOOST_TEST(same_bits(got[i], got[4 + i]), "value " << i << " of " << a.t << " by " << a.s);
    }
  }
}

// A query's bits are those that it has alone, whatever stands beside it or behind what it sees.
BOOST_AUTO_TEST_CASE(a_query_is_the_same_alone) {
  for (const std::int64_t e : {3, 16, 64}) {
    Graph g;
    const Value q = input(g, "q", f32, {any(8), 32}), k = input(g, "k", f32, {any(8), 32}),
                v = input(g, "v", f32, {any(8), e});
    const Program program = compile({scaled_dot_product_attention(q, k, v, {.causal = true})});
    Store store(g);
    constexpr std::int64_t n = 150;
    const Tensor all_q = draw({n, 32}, -2, 2, 1, f32), all_k = draw({n, 32}, -2, 2, 2, f32),
                 all_v = draw({n, e}, -1, 1, 3, f32);
    const auto part = [](const Tensor& x, std::int64_t first, std::int64_t count) {
      const std::int64_t width = x.shape()[1];
      return Tensor::of<float>({count, width}, x.span<float>().subspan(static_cast<std::size_t>(first * width),
                                                                       static_cast<std::size_t>(count * width)));
    };
    const Tensor whole = program.run(store, {{"q", all_q}, {"k", all_k}, {"v", all_v}})[0];
    for (const std::int64_t i : {0, 5, 63, 64, 100, 149}) {
      const Tensor one =
          program.run(store, {{"q", part(all_q, i, 1)}, {"k", part(all_k, 0, i + 1)}, {"v", part(all_v, 0, i + 1)}})[0];
      BOOST_TEST(same_bits(one, part(whole, i, 1)), "query " << i << ", " << e << " features");
    }
  }
}

BOOST_AUTO_TEST_CASE(who_sees_nothing_takes_the_mean) {
  Graph g;
  const Value q = input(g, "q", f64, {2, 2}), k = input(g, "k", f64, {3, 2}), v = input(g, "v", f64, {3, 2});
  const Value mask = constant(g, Tensor::of<bool>({2, 3}, {false, false, false, true, false, true}));
  const Value y = scaled_dot_product_attention(q, k, v, {.mask = mask});
  const Tensors feeds{{"q", draw({2, 2}, -1, 1, 1)}, {"k", draw({3, 2}, -1, 1, 2)}, {"v", draw({3, 2}, -1, 1, 3)}};
  Store store(g);
  const Tensor got = compile({y}).run(store, feeds)[0];
  for (int c = 0; c < 2; ++c) {
    const double* x = feeds.at("v").data<double>();
    BOOST_TEST(got.data<double>()[c] == (x[c] + x[2 + c] + x[4 + c]) / 3, boost::test_tools::tolerance(1e-15));
  }
  check_gradients(y, {q, k, v}, feeds);
  // More queries than keys: the first ones see nothing.
  const Value more = scaled_dot_product_attention(k, q, q, {.causal = true});
  const Tensor first = compile({more}).run(store, {{"q", feeds.at("q")}, {"k", feeds.at("k")}})[0];
  const double* x = feeds.at("q").data<double>();
  BOOST_TEST(first.data<double>()[0] == (x[0] + x[2]) / 2, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(first.data<double>()[2] == x[0]);
}

BOOST_AUTO_TEST_CASE(a_nan_that_is_not_seen_stays_where_it_is) {
  constexpr std::int64_t n = 70, bad = 66;
  for (const char* where_it_is : {"q", "k", "v", "dy"})
    for (const double what : {nan, infinity}) {
      Graph g;
      const Value q = input(g, "q", f32, {n, 8}), k = input(g, "k", f32, {n, 8}), v = input(g, "v", f32, {n, 8}),
                  dy = input(g, "dy", f32, {n, 8});
      const Value y = scaled_dot_product_attention(q, k, v, {.causal = true});
      const std::vector<Value> slopes = gradients(y, dy, {q, k, v});
      Tensors feeds;
      std::uint64_t seed = 1;
      for (const char* name : {"q", "k", "v", "dy"}) feeds.emplace(name, draw({n, 8}, -1, 1, seed++, f32));
      feeds.at(where_it_is).data<float>()[bad * 8] = static_cast<float>(what);
      Store store(g);
      const std::vector<Tensor> got = compile({y, slopes[0], slopes[1], slopes[2]}).run(store, feeds);
      const std::string_view at = where_it_is;
      for (std::int64_t i = 0; i < n; ++i) {
        const auto is_nan = [&](std::size_t value) { return !std::isfinite(got[value].data<float>()[i * 8]); };
        // Queries from `bad` on see it. A score of -inf has a weight of 0.
        const bool is_seen = at == "q" ? i == bad : at != "dy" && i >= bad;
        BOOST_TEST((is_nan(0) == is_seen || (at == "k" && what == infinity && i >= bad)), at << ", y, " << i);
        BOOST_TEST((!is_nan(1) || i >= bad), at << ", dq, " << i);
        if (at == "dy" || at == "q") BOOST_TEST((!is_nan(2) || i <= bad), at << ", dk, " << i);
        if (at == "dy" || at == "q") BOOST_TEST((!is_nan(3) || i <= bad), at << ", dv, " << i);
      }
      if (std::isnan(what)) BOOST_TEST(std::isnan(got[1].data<float>()[bad * 8]), at);
    }
}

// In tiles behind the first one too, where a sum goes on.
BOOST_AUTO_TEST_CASE(a_nan_that_is_not_seen_changes_no_bit) {
  for (const DType dtype : {f32, f64}) {
    constexpr std::int64_t n = 150, bad = 140;
    Graph g;
    std::vector<Value> in;
    for (const char* name : {"q", "k", "v", "dy"}) in.push_back(input(g, name, dtype, {n, 24}));
    const Value y = scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true});
    const Program program = compile({y, gradients(y, in[3], {in[0]})[0]});
    Store store(g);
    Tensors feeds;
    std::uint64_t seed = 1;
    for (const char* name : {"q", "k", "v", "dy"}) feeds.emplace(name, draw({n, 24}, -1, 1, seed++, dtype));
    const std::vector<Tensor> sound = program.run(store, feeds);
    for (const char* name : {"k", "v"})
      dispatch<dtypes::Floats>(
          dtype, [&]<class T>(std::type_identity<T>) { feeds.at(name).data<T>()[bad * 24] = static_cast<T>(nan); });
    const std::vector<Tensor> got = program.run(store, feeds);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto size = static_cast<std::size_t>(bad * 24 * size_of(dtype));  // of the queries before it
      BOOST_TEST(std::memcmp(got[i].bytes(), sound[i].bytes(), size) == 0, name(dtype) << ", value " << i);
    }
  }
}

// As 0 NaN is: also beside a key that is hidden from another query, where products go an own way.
BOOST_AUTO_TEST_CASE(a_nan_that_is_seen_counts_though_its_weight_is_0) {
  Graph g;
  const Value q = input(g, "q", f32, {2, 1}), k = input(g, "k", f32, {2, 1}), v = input(g, "v", f32, {2, 1});
  Store store(g);
  for (const bool causal : {false, true}) {
    const Value y = scaled_dot_product_attention(q, k, v, {.causal = causal});
    const Tensor got = compile({y}).run(store, {{"q", Tensor::of<float>({2, 1}, {1, 1})},
                                                {"k", Tensor::of<float>({2, 1}, {300, 0})},
                                                {"v", Tensor::of<float>({2, 1}, {1, static_cast<float>(nan)})}})[0];
    BOOST_TEST(std::isnan(got.data<float>()[0]) == !causal);
    BOOST_TEST(std::isnan(got.data<float>()[1]), "causal " << causal);
  }
}

// How many heads share keys is known only when it runs.
BOOST_AUTO_TEST_CASE(free_heads_have_second_derivatives) {
  const auto slopes = [](Value q, Value k, Value v) {
    const Value y = scaled_dot_product_attention(q, k, v);
    Value loss;
    for (const Value& slope : gradients(sum(square(y)), {q, k, v}))
      loss = loss ? loss + sum(square(slope)) : sum(square(slope));
    Store store(q.graph());
    return compile(gradients(loss, {q, k, v}))
        .run(store,
             {{"q", draw({6, 3, 2}, -1, 1, 1)}, {"k", draw({3, 4, 2}, -1, 1, 2)}, {"v", draw({3, 4, 2}, -1, 1, 3)}});
  };
  Graph g, fixed;
  const auto free = slopes(input(g, "q", f64, {any(4), 3, 2}), input(g, "k", f64, {any(1), 4, 2}),
                           input(g, "v", f64, {any(1), 4, 2}));
  const auto exact =
      slopes(input(fixed, "q", f64, {6, 3, 2}), input(fixed, "k", f64, {3, 4, 2}), input(fixed, "v", f64, {3, 4, 2}));
  for (std::size_t i = 0; i < exact.size(); ++i) BOOST_TEST(same_bits(free[i], exact[i]), i);
}

BOOST_AUTO_TEST_CASE(halves_are_rounded_once) {
  for (const DType dtype : {f16, bf16}) {
    Graph g;
    const Value q = input(g, "q", f32, {20, 8}), k = input(g, "k", f32, {30, 8}), v = input(g, "v", f32, {30, 8});
    const auto rounded = [&](Value x) { return cast(x, dtype); };
    const Value y = scaled_dot_product_attention(rounded(q), rounded(k), rounded(v));
    BOOST_TEST((y.dtype() == dtype));
    const auto again = [&](Value x) { return cast(rounded(x), f32); };
    const Value wide = cast(scaled_dot_product_attention(again(q), again(k), again(v)), dtype);
    const std::vector<Value> slopes = gradients(sum(cast(y, f32)), {q, k, v});
    const std::vector<Tensor> got = on_all_threads({cast(y, f32), cast(wide, f32), slopes[0], slopes[1], slopes[2]},
                                                   {{"q", draw({20, 8}, -1, 1, 1, f32)},
                                                    {"k", draw({30, 8}, -1, 1, 2, f32)},
                                                    {"v", draw({30, 8}, -1, 1, 3, f32)}});
    BOOST_TEST(same_bits(got[0], got[1]));
    for (std::size_t i = 2; i < 5; ++i) BOOST_TEST(std::isfinite(got[i].data<float>()[0]));
  }
}

// From 256 places to 2,048 a step takes 8 times the memory; the scores alone would take 64 times theirs.
BOOST_AUTO_TEST_CASE(memory_is_linear_in_length) {
  for (const double dropout : {0.0, 0.1}) {
    const auto arena = [dropout](std::int64_t length) {
      Graph g;
      const Value x = input(g, "x", f32, {1, length, 64});
      const MultiHeadAttention attend(2, 32, {.causal = true, .rotary = true, .dropout = dropout});
      const Value loss = mean(square(attend(x)));
      const std::vector<Value> slopes = gradients(loss, attend.variables());
      return ledger(compile(slopes, {.pool = Pool(2)})).arena_bytes;
    };
    const std::int64_t least = arena(256);
    for (const std::int64_t times : {2, 4, 8}) {
      const std::int64_t bytes = arena(256 * times);
      BOOST_TEST_MESSAGE(256 * times << " places: " << bytes << " bytes");
      BOOST_TEST(static_cast<double>(bytes) < 1.1 * static_cast<double>(least * times));
    }
  }
}

// Of queries of zeros and values of ones on the diagonal, the result is the weights, and so is, turned, the gradient to
// the values from slopes of ones there.
BOOST_AUTO_TEST_CASE(dropout_is_the_same_in_both_directions_and_fair) {
  constexpr std::int64_t n = 150;
  constexpr double rate = 0.25;
  Graph g;
  const Value zeros = input(g, "zeros", f32, {2, n, 8}), v = input(g, "v", f32, {2, n, n});
  const Value y = scaled_dot_product_attention(zeros, zeros, v, {.dropout = rate}),
              other = scaled_dot_product_attention(zeros, zeros, v, {.dropout = rate}),
              none = scaled_dot_product_attention(zeros, zeros, v);
  const std::vector<Value> fetches{y,
                                   transpose(gradients(y, v, {v})[0], {0, 2, 1}),
                                   other,
                                   none,
                                   gradients(sum(square(y)), {v})[0],
                                   gradients(sum(square(none)), {v})[0]};
  Tensor diagonal({f32, {2, n, n}});
  for (std::int64_t i = 0; i < 2 * n; ++i) diagonal.data<float>()[i * n + i % n] = 1;
  const Tensors feeds{{"zeros", Tensor({f32, {2, n, 8}})}, {"v", diagonal}};
  const std::vector<Tensor> got = on_all_threads(fetches, feeds);
  for (std::int64_t i = 0; i < got[0].count(); ++i)
    BOOST_TEST((got[0].data<float>()[i] == 0) == (got[1].data<float>()[i] == 0), i);
  BOOST_TEST(farthest(got[0], got[1]) < 1e-6);
  BOOST_TEST(!same_bits(got[0], got[2]));  // a stream of its own
  BOOST_TEST(farthest(got[3], got[0]) > 0);
  const double kept_as = 1 / (1 - rate) / static_cast<double>(n);
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < got[0].count(); ++i) {
    const double weight = static_cast<double>(got[0].data<float>()[i]);
    BOOST_TEST((weight == 0 || std::abs(weight - kept_as) < 1e-6), weight);
    kept += weight != 0;
  }
  const double share = static_cast<double>(kept) / static_cast<double>(got[0].count());
  BOOST_TEST(std::abs(share - (1 - rate)) < 0.01, share);  // five standard deviations
  const std::vector<Tensor> served = on_all_threads(fetches, feeds, Mode::inference);
  BOOST_TEST(same_bits(served[0], served[3]));
  BOOST_TEST(same_bits(served[4], served[5]));
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  Graph g;
  const Value q = input(g, "q", f32, {2, 3, 8}), k = input(g, "k", f32, {2, 5, 8}), v = input(g, "v", f32, {2, 5, 6}),
              row = input(g, "row", f32, {8}), other = input(g, "other", f32, {3, 5, 8}),
              wide = input(g, "wide", f64, {2, 5, 8}), mask = input(g, "mask", boolean, {2, 4}),
              ids = input(g, "ids", i64, {2, 3, 8}), none = input(g, "none", f32, {1, 0, 0});
  const auto of = [&](Value a, Value b, Value c, const AttentionOptions& o = {}) {
    return message([&] { scaled_dot_product_attention(a, b, c, o); });
  };
  BOOST_TEST(has(of(row, k, v), "scaled_dot_product_attention: q is f32[8], without an axis of places"));
  BOOST_TEST(has(of(q, v, v), "a query has 8 features a head, and a key 6"));
  BOOST_TEST(has(of(q, other, other), "the leading axes differ: q is f32[2, 3, 8] and k is f32[3, 5, 8]"));
  BOOST_TEST(has(of(q, k, q), "k is f32[2, 5, 8] and v is f32[2, 3, 8]\n"));
  BOOST_TEST(has(of(q, wide, wide), "the dtypes differ: q, k and v are f32, f64 and f64"));
  BOOST_TEST(has(of(ids, ids, ids), "q is i64[2, 3, 8], but must be one of: f32"));
  BOOST_TEST(
      has(of(q, k, v, {.mask = mask}), "mask is bool[2, 4], which does not broadcast to the scores' shape [2, 3, 5]"));
  BOOST_TEST(has(of(q, k, v, {.mask = q}), "mask is f32[2, 3, 8]\n"));
  BOOST_TEST(has(of(q, k, v, {.heads = 3}), "3 heads do not divide the 8 features of q"));
  BOOST_TEST(has(of(q, k, v, {.heads = 4, .kv_heads = 3}), "3 heads of keys do not divide 4 heads"));
  BOOST_TEST(has(of(q, k, v, {.kv_heads = 2}), "there are 0 heads, and 2 of keys"));
  BOOST_TEST(has(of(q, k, v, {.heads = -1}), "there are -1 heads"));
  BOOST_TEST(has(of(none, none, none, {.heads = 2}), "2 heads do not divide the 0 features of q"));
  BOOST_TEST(has(of(q, Value(), v), "scaled_dot_product_attention: "));
  for (const double rate : {-0.1, 1.0, nan}) BOOST_TEST(has(of(q, k, v, {.dropout = rate}), " is not in [0, 1)\n"));
  const Value slope = gradients(sum(square(scaled_dot_product_attention(q, k, v, {.dropout = 0.5}))), {q})[0];
  BOOST_TEST(has(message([&] { gradients(sum(slope), {q}); }), "the weights that dropout keeps are never stored"));
}

BOOST_AUTO_TEST_SUITE_END()
