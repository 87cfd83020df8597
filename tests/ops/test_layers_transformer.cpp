// Learned positions. The transformer's block is tested beside attention.
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
  BOOST_TEST(has(summary(g), "\nposition_embedding (PositionEmbedding)  f64[3, 4]             20\n"), summary(g));
  BOOST_TEST(has(summary(g), "\nplaces (PositionEmbedding)              f64[3, 4]             12\n"), summary(g));
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

BOOST_AUTO_TEST_SUITE_END()
