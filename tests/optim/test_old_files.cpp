// Files that earlier versions wrote (old_files/VERSION) are read as they were meant. tools/docs/files.md lists formats
// and versions.
#include <oxbow/graph/sample.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_old_files)

using namespace oxbow;

namespace {

const std::string old_files = test::source("tests/old_files/");

std::string text_of(const std::string& name) {
  std::ifstream file(old_files + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// Version 0.1 wrote no checksum. Training goes on from its state, to the loss that version 0.1 itself came to.
BOOST_AUTO_TEST_CASE(states_of_version_0_1_are_resumed) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 2}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = mean(square(dense(dense(x, 3, {.activation = relu}), 1) - y));
  Model model = compile(loss, optim::Adam{.learning_rate = 0.01});
  const Dataset data{{"x", draw({8, 2}, -1, 1, 3, f32)}, {"y", draw({8, 1}, -1, 1, 4, f32)}};
  model.load(old_files + "0.1/training.safetensors");
  BOOST_TEST(model.steps() == 4);
  BOOST_TEST(load_safetensors(old_files + "0.1/parameters.safetensors").metadata.empty());
  const History rest = model.fit(data, {.epochs = 5, .batch_size = 4, .seed = 5, .resume = true});
  BOOST_TEST(rest.step_losses.size() == 6u);
  BOOST_TEST(rest.step_losses.back() == 0.345887482, boost::test_tools::tolerance(1e-5));
  model.load(old_files + "0.1/parameters.safetensors");
}

BOOST_AUTO_TEST_CASE(texts_of_version_0_1_are_read) {
  const auto graph = parse(text_of("0.1/graph.txt"), catalog(), "graph.txt");
  BOOST_TEST(graph->outputs().size() == 1u);
  BOOST_TEST(graph->find("dense_1/kernel").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
