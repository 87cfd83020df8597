// Files that earlier versions wrote (old_files/VERSION) are read as they were meant. tools/docs/files.md lists formats
// and versions.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

#include "support/has.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_old_files)

using namespace oxbow;
using namespace oxbow::internal;

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
  const std::string plan = text_of("0.1/plan.txt");
  const std::shared_ptr<const Graph> planned = parse(plan, catalog(), "plan.txt");
  const std::optional<Ledger> ledger = parse_ledger(plan, planned, "plan.txt");
  BOOST_REQUIRE(ledger.has_value());
  BOOST_TEST(ledger->arena_bytes > 0);
}

// Ops had other names then, and a cross entropy's gradient had no losses; a rewritten text groups steps once more. The
// values are those of version 0.1, to what kernels have become more exact by.
BOOST_AUTO_TEST_CASE(texts_of_version_0_1_give_its_values) {
  for (const std::string name : {"0.1/training_graph", "0.1/rewritten"}) {
    const auto graph = parse(text_of(name + ".txt"), catalog(), name);
    std::map<std::string, Tensor> then;
    for (const auto& [key, tensor] : load_safetensors(old_files + name + ".safetensors").tensors)
      then.emplace(key, tensor);
    std::vector<Value> fetches;
    for (const auto& [output, v] : graph->outputs()) fetches.push_back(v);
    Store store(*graph);
    const std::vector<Tensor> now = compile(fetches).run(store, {{"x", then.at("x")}, {"label", then.at("label")}});
    for (std::size_t k = 0; k < now.size(); ++k) {
      const Tensor& was = then.at(graph->outputs()[k].first);
      BOOST_REQUIRE((now[k].type() == was.type()));
      for (std::int64_t i = 0; i < was.count(); ++i)
        BOOST_TEST(std::abs(now[k].data<float>()[i] - was.data<float>()[i]) < 1e-6f,
                   name << ", " << graph->outputs()[k].first << ", element " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_op_that_is_gone_is_shown_but_not_run) {
  const auto graph = parse(text_of("0.1/concat_part.txt"), catalog(), "concat_part.txt");
  BOOST_TEST(print(*graph, {.locations = false}) == text_of("0.1/concat_part.txt"));
  BOOST_CHECK_EXCEPTION(compile(graph->outputs()[0].second), Error, [](const Error& e) {
    return test::has(e.what(), "If an older Oxbow wrote the text, build its graph again");
  });
}

BOOST_AUTO_TEST_SUITE_END()
