// Dense and embedding layers: tied kernels, and rows that are looked up.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_layers_dense)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_tied_layer_has_the_transposed_kernel) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 6}), ids = input(g, "ids", i64, {any(4)});
  const Dense encode(3, {.activation = tanh});
  const Dense decode(6, {.transpose_of = encode});
  const Value h = encode(x), y = decode(h);
  const Embedding words(5, 3, {.dtype = f64});
  const Value logits = Dense(5, {.use_bias = false, .transpose_of = words})(words(ids) + h);
  BOOST_TEST(names(variables(g)) == (NameList{"dense/kernel", "dense/bias", "dense_1/bias", "embedding/embeddings"}),
             boost::test_tools::per_element());
  BOOST_TEST(decode.parameter_count() == 6);
  const Value by_hand = matmul(h, transpose(encode.kernel())) + decode.bias();
  const Value by_hand_too = matmul(gather(words.embeddings(), ids) + h, words.embeddings(), {.transpose_b = true});
  const Tensors feeds{{"x", draw({4, 6}, -1, 1, 1)}, {"ids", Tensor::of<std::int64_t>({4}, {0, 4, 2, 0})}};
  const std::vector<Tensor> t = on_all_threads({y, by_hand, logits, by_hand_too}, feeds);
  for (std::int64_t i = 0; i < t[0].count(); ++i)
    BOOST_TEST(t[0].data<double>()[i] == t[1].data<double>()[i], boost::test_tools::tolerance(1e-13));
  BOOST_TEST(same_bits(t[2], t[3]));
  check_gradients(concat({y, logits}, 1), {encode.kernel(), encode.bias(), decode.bias(), words.embeddings(), x},
                  feeds);

  const Dense early(6, {.transpose_of = Dense(3)}), narrow(5, {.transpose_of = encode});
  BOOST_TEST(
      message([&] { early(h); }) ==
      "dense: the layer that it is the transpose of was not called yet\n  x: f64[4, 3] from dense/tanh_6\n  at HERE\n"
      "  Call a Dense layer or an Embedding, then the one that is tied to it");
  BOOST_TEST(
      has(message([&] { narrow(h); }), "\"dense/kernel\" is f64[6, 3], not the transpose of a kernel f64[3, 5]"));
}

BOOST_AUTO_TEST_CASE(an_embedding_looks_rows_up) {
  Graph g;
  const Value ids = input(g, "ids", i32, {any(2), 2});
  const Embedding words(3, 2, {.dtype = f64});
  const Value y = words(ids);
  const Tensors feeds{{"ids", Tensor::of<std::int32_t>({2, 2}, {2, 0, 0, 2})}};
  Store store(g);
  const Tensor t = compile({y}).run(store, feeds)[0], table = store.get("embedding/embeddings");
  BOOST_TEST(to_string(t.type()) == "f64[2, 2, 2]");
  const int rows[] = {2, 0, 0, 2};
  for (int i = 0; i < 8; ++i) BOOST_TEST(t.data<double>()[i] == table.data<double>()[rows[i / 2] * 2 + i % 2]);
  for (const double v : table.span<double>()) BOOST_TEST(std::abs(v) < 0.05);
  check_gradients(y, {words.embeddings()}, feeds);
}

BOOST_AUTO_TEST_SUITE_END()
