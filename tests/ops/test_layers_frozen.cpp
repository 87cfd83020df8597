// Layers that are not trained, and until when they may be made so.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/message.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_layers_frozen)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(frozen_layers_are_not_trained) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 3});
  const Sequential body{Dense(3), BatchNorm({.epsilon = 1e-3}), Dense(2)};
  const Layer frozen = body.freeze();
  const Value y = Dense(1)(frozen(x));
  Dense(3, {.trainable = false})(x);
  BOOST_TEST(names(variables(g)) == (NameList{"dense_2/kernel", "dense_2/bias"}), boost::test_tools::per_element());
  BOOST_TEST(variables(g, false).size() == 12u);
  BOOST_TEST(body.variables().size() == 8u);
  BOOST_TEST(body.parameters().empty());
  BOOST_TEST(g.updates().empty());
  body.freeze();  // as it is
  // It takes the running statistics in training, too.
  const Tensors feeds{{"x", draw({4, 3}, -1, 1, 1)}};
  Store store(g);
  const Tensor trained = compile({y}).run(store, feeds)[0];
  BOOST_TEST(same_bits(trained, compile({y}, {.mode = Mode::inference}).run(store, feeds)[0]));
}

BOOST_AUTO_TEST_CASE(what_is_too_late_to_freeze_freezes_nothing) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Dense early(3), late(3);
  const Location first = At::current();
  late(x);
  const Sequential net{early, late};
  BOOST_TEST(message([&] { net.freeze(); }) ==
             "dense: it is too late to freeze \"dense\", whose variables were made at " + std::string(first.file) +
                 ":" + std::to_string(first.line + 1) +
                 "\n  Freeze a layer before its first call. What is to be trained at other times belongs to a group of "
                 "the optimizer: {.pattern = \"dense/*\", .frozen = true}");
  net(x);
  BOOST_TEST(names(variables(g)) == (NameList{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
