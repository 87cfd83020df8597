// What a network consists of, as a table.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_summary)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(the_summary_of_a_network_and_of_a_graph) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 784});
  const Sequential net{Dense(256, {.activation = relu, .name = "first"}), BatchNorm(), Dropout(0.2), Dense(10)};
  BOOST_TEST(message([&] { summary(net); }) ==
             "summary: a layer (Dense) was not called, so that its shapes are not known\n  Call the network on an "
             "input first");
  net(x);
  BOOST_TEST(summary(net) ==
             "Layer (kind)            Output        Parameters\n"
             "================================================\n"
             "first (Dense)           f32[32, 256]     200,960\n"
             "batch_norm (BatchNorm)  f32[32, 256]       1,024\n"
             "(Dropout)               f32[32, 256]           0\n"
             "dense (Dense)           f32[32, 10]        2,570\n"
             "================================================\n"
             "Parameters: 204,554, trainable 204,042, not trainable 512\n");
  BOOST_TEST(summary(g) ==
             "Layer (kind)            Output        Parameters\n"
             "================================================\n"
             "first (Dense)           f32[32, 256]     200,960\n"
             "batch_norm (BatchNorm)  f32[32, 256]       1,024\n"
             "dense (Dense)           f32[32, 10]        2,570\n"
             "================================================\n"
             "Parameters: 204,554, trainable 204,042, not trainable 512\n"
             "State of optimizers and generators: 2\n");
}

BOOST_AUTO_TEST_CASE(a_summary_knows_layers_by_their_variables) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 6, 6, 4}), ids = input(g, "ids", i64, {any(2)});
  Value h = Conv2D(8, {.name = "a"})(x);
  h = GroupNorm(2, {.name = "b"})(h);
  h = LayerNorm({.name = "c"})(h);
  h = RMSNorm({.name = "d"})(h);
  h = BatchNorm({.name = "e"})(h);
  Embedding(3, 5, {.name = "f"})(ids);
  const Value steps = reshape(h, {0, 36, 8});
  sum(SimpleRNN(3, {.name = "g"})(steps));
  sum(GRU(3, {.name = "h"})(steps));
  sum(LSTM(3, {.name = "i"})(steps));
  parameter(g, "mine", {f32, {1234, 1000}});
  BOOST_TEST(summary(g) ==
             "Layer (kind)   Output           Parameters\n"
             "==========================================\n"
             "a (Conv2D)     f32[2, 6, 6, 8]         296\n"
             "b (GroupNorm)  f32[2, 6, 6, 8]          16\n"
             "c (LayerNorm)  f32[2, 6, 6, 8]          16\n"
             "d (RMSNorm)    f32[2, 6, 6, 8]           8\n"
             "e (BatchNorm)  f32[2, 6, 6, 8]          32\n"
             "f (Embedding)  f32[2, 5]                15\n"
             "g (SimpleRNN)  f32[2, 3]                36\n"
             "h (GRU)        f32[2, 3]               117\n"
             "i (LSTM)       f32[2, 3]               144\n"
             "(no scope)                       1,234,000\n"
             "==========================================\n"
             "Parameters: 1,234,680, trainable 1,234,664, not trainable 16\n");
}

BOOST_AUTO_TEST_SUITE_END()
