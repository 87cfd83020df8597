// What holds of every kind of layer: a training that is saved and resumed has the bits of one that was not, what is
// saved and loaded predicts the same, it stands in the summary, its graph reads back, and its gradients have gradients.
// Labels: memory.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/layer_kinds.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_layer_kinds)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A model of the kind, the same each time.
struct Trained {
  Graph g;
  OfKind net;
  Model model;
  explicit Trained(const LayerKind& kind)
      : net(of_kind(g, kind, f32)),
        model(compile(mean(square(net.out - 0.5)), optim::Adam{.learning_rate = 0.05}, {.predictions = net.out})) {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_table_has_all_kinds) {
  std::set<std::string> known{"Recurrent"}, declared;  // what recurrent layers have in common is no kind
  for (const LayerKind& kind : layer_kinds(f32)) known.insert(kind.name);
  const std::regex one("\nclass (\\w+) : public (?:Layer|Recurrent) ");
  for (const auto& entry : std::filesystem::directory_iterator(source("ops/layers"))) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::sregex_iterator i(text.begin(), text.end(), one), end; i != end; ++i) declared.insert((*i)[1]);
  }
  BOOST_TEST(known == declared, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_is_saved_loaded_and_resumed_bit_for_bit) {
  const TemporaryFolder folder;
  const std::string half = folder / "half.safetensors", whole = folder / "whole.safetensors";
  for (const LayerKind& kind : layer_kinds(f32)) {
    const Dataset data{{"x", samples_of(kind, 10, f32)}};
    const FitOptions two{.epochs = 2, .batch_size = 3};
    Trained straight(kind), first(kind), second(kind), other(kind);
    straight.model.fit(data, two);
    first.model.fit(data, {.epochs = 1, .batch_size = 3});
    first.model.save(half, Saved::training);
    second.model.load(half);
    second.model.fit(data, {.epochs = 2, .batch_size = 3, .resume = true});
    BOOST_TEST(second.model.steps() == straight.model.steps());
    for (const std::string& name : straight.model.store().names())
      BOOST_TEST(same_bits(straight.model.store().get(name), second.model.store().get(name)),
                 kind.name << ": " << name);

    straight.model.save(whole);
    BOOST_TEST(!same_bits(other.model.predict(data), straight.model.predict(data)), kind.name);
    other.model.load(whole);
    BOOST_TEST(same_bits(other.model.predict(data), straight.model.predict(data)), kind.name);
  }
}

BOOST_AUTO_TEST_CASE(each_stands_in_the_summary_and_reads_back) {
  for (const LayerKind& kind : layer_kinds(f32)) {
    const Trained t(kind);
    BOOST_TEST(t.net.layer.kind() == kind.name);
    const bool holds_others = kind.name == "Sequential" || kind.name == "Lambda" || kind.name == "Residual";
    const std::string shown = summary(t.net.layer);
    BOOST_TEST(has(shown, holds_others ? "(Dense)" : "(" + kind.name + ")"), shown);
    BOOST_TEST(has(summary(t.g), "head (Dense)"));
    for (const Value& v : t.net.layer.variables())
      BOOST_TEST(has(summary(t.g), v.node().origin().scope.str() + " ("), summary(t.g));
    const std::string text = print(t.model.graph(), {.locations = true});
    BOOST_TEST((print(*parse(text, catalog()), {.locations = true}) == text), kind.name);
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_each_have_gradients) {
  for (const LayerKind& kind : layer_kinds(f64)) {
    if (!kind.smooth) continue;
    Graph g;
    const OfKind net = of_kind(g, kind, f64);
    std::vector<Value> all = net.layer.parameters();
    if (!kind.of_places) all.push_back(net.x);
    const Value bent = sum(net.y * net.y * net.y);  // the layer may be linear
    Value first;
    for (const Value& slope : gradients(bent, all)) {
      const Value row = reshape(slope, {-1});
      first = first ? concat({first, row}) : row;
    }
    BOOST_TEST_CONTEXT(kind.name)
    check_gradients(first, all, {{"x", samples_of(kind, 3, f64)}}, 1e-5);
  }
}

BOOST_AUTO_TEST_SUITE_END()
