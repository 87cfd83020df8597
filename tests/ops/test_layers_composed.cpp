// Layers of layers, and functions as layers and as activations.
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_layers_composed)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(layers_that_functions_call_are_in_their_layer) {
  const auto net_of = [](const Dense& a, const Dense& b, const Dense& c) {
    return Sequential{[=](Value v) {
                        const Value first = a(v), gate = sigmoid(b(v));
                        return first * gate + a(v);
                      },
                      Dense(3, {.activation = [=](Value v) { return tanh(c(v)); }}), relu};
  };
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Dense a(3), b(3), c(3, {.use_bias = false});
  const Sequential net = net_of(a, b, c);
  BOOST_TEST(net.variables().empty());
  net(x);
  net(x);
  BOOST_TEST(names(net.variables()) == (NameList{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
                                                 "dense_2/kernel", "dense_2/bias", "dense_2/dense/kernel"}),
             boost::test_tools::per_element());
  BOOST_TEST(net.parameter_count() == 3 * 12 + 9);
  BOOST_TEST(summary(net) ==
             "Layer (kind)     Output     Parameters\n"
             "======================================\n"
             "dense (Dense)    f32[4, 3]          12\n"
             "dense_1 (Dense)  f32[4, 3]          12\n"
             "(Lambda)         f32[4, 3]           0\n"
             "dense_2 (Dense)  f32[4, 3]          21\n"
             "(Lambda)         f32[4, 3]           0\n"
             "======================================\n"
             "Parameters: 45, trainable 45, not trainable 0\n");

  // What a frozen function calls is frozen, also what it makes.
  Graph other;
  const Value y = input(other, "x", f32, {any(4), 3});
  const Dense d(3), e(3), f(3), trained(3);
  Sequential{net_of(d, e, f), [](Value v) { return BatchNorm()(dense(v, 2)); }}.freeze()(y);
  BOOST_TEST(variables(other).empty());
  BOOST_TEST(variables(other, false).size() == 14u);
  BOOST_TEST(other.updates().empty());
  trained(y);
  const Layer late = Lambda([=](Value v) { return trained(v); }).freeze();
  BOOST_TEST(has(message([&] { late(y); }), "dense: it is too late to freeze \"dense_"), message([&] { late(y); }));
  // A function that calls its own layer does not hold itself.
  Layer deep;
  int depth = 0;
  deep = Lambda([&](Value v) { return ++depth < 3 ? deep(d(v)) : v; });
  deep(y);
  BOOST_TEST(deep.variables().size() == 2u);
}

BOOST_AUTO_TEST_CASE(sequential_residual_and_functions) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4, 4, 3});
  const Sequential net{
      Conv2D(4, {.size = 3, .activation = relu}),
      Residual{BatchNorm(), relu, Conv2D(4)},
      Residual(Conv2D(6, {.stride = 2}), {.shortcut = Conv2D(6, {.size = 1, .stride = 2})}),
      [](Value v) { return max_pool(v); },
      flatten,
      Dropout(0.25),
      Sequential("head", {Dense(5, {.activation = tanh}), Dense(3)}),
  };
  const Value y = net(x);
  BOOST_TEST(to_string(y.type()) == "f32[2, 3]");
  const NameList wanted{"conv/kernel",         "conv/bias",        "batch_norm/scale",  "batch_norm/offset",
                        "conv_1/kernel",       "conv_1/bias",      "conv_2/kernel",     "conv_2/bias",
                        "conv_3/kernel",       "conv_3/bias",      "head/dense/kernel", "head/dense/bias",
                        "head/dense_1/kernel", "head/dense_1/bias"};
  BOOST_TEST(names(variables(g)) == wanted, boost::test_tools::per_element());
  BOOST_TEST(net.variables().size() == 16u);
  const NodeId before = g.size();
  net(x);
  BOOST_TEST(variables(g).size() == 14u);
  for (NodeId id = before; id < g.size(); ++id) BOOST_TEST(!g.node(id).op().is<ops::Variable>());
  BOOST_TEST(Sequential{}(x).same(x));
  const Value pooled = GlobalPool()(x), largest = GlobalPool(GlobalPool::max)(x);
  const Tensors feeds{{"x", draw({2, 4, 4, 3}, -1, 1, 1, f32)}};
  const std::vector<Tensor> t = on_all_threads({pooled, largest, mean(x, {1, 2}), max(x, {1, 2})}, feeds);
  BOOST_TEST(same_bits(t[0], t[2]));
  BOOST_TEST(same_bits(t[1], t[3]));
  const Residual block{Conv2D(3)}, again{block}, longer{relu, block, relu};
  BOOST_TEST(block(x).node().op().name() == "add");
  BOOST_TEST(again.variables()[0].same(block.variables()[0]));
  const NodeId first = g.size();
  again(x);
  BOOST_TEST(g.size() - first == 3);  // products, bias, sum: x is added once
  BOOST_TEST(longer(x).node().input(1).node().op().name() == "relu");
  BOOST_TEST(message([&] { Residual(Dense(5))(x); }) ==
             "residual: its layer gives f32[2, 4, 4, 5] and the shortcut f32[2, 4, 4, 3]\n  x: f32[2, 4, 4, 3] from x\n"
             "  at HERE\n  Give a .shortcut that changes the shape in the same way, such as Dense or Conv2D");
  BOOST_TEST(has(message([&] { Sequential{Dense(2), Layer()}(x); }), "sequential: layer 1 is empty"));
}

BOOST_AUTO_TEST_CASE(whatever_takes_a_value_is_an_activation) {
  struct Scaled {
    double by;
    Value operator()(Value v, At at = At::current()) const { return multiply(v, by, at); }
  };
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const LayerNorm norm;
  const Activation none, activations[] = {relu, Scaled{2}, norm, [](Value v) { return v * v; },
                                          [](Value v, At at) { return tanh(v, at); }};
  BOOST_TEST(none(x).same(x));
  BOOST_TEST(Layer(none)(x).same(x));
  const char* ops[] = {"relu", "multiply", "add", "multiply", "tanh"};
  for (int i = 0; i < 5; ++i) {
    const Dense dense(3, {.activation = activations[i]});
    BOOST_TEST(dense(x).node().op().name() == ops[i]);
    BOOST_TEST(dense.variables().size() == (i == 2 ? 4u : 2u));
    BOOST_TEST(Layer(activations[i])(x).node().op().name() == ops[i]);
  }
  BOOST_TEST(Sequential{Scaled{3}}(x).node().op().name() == "multiply");
}

BOOST_AUTO_TEST_SUITE_END()
