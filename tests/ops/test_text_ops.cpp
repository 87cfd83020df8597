// Every op of the catalogue as text: its samples, what they are rewritten and lowered to, and its attributes with
// values that make no sense.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/text/opaque.h>
#include <oxbow/ops/catalog.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "samples/sample.h"

BOOST_AUTO_TEST_SUITE(test_text_ops)

using namespace oxbow;

namespace {

// Calls `f(name, sample)` for all samples of all ops.
template <class F>
void for_all_samples(F&& f) {
  for (const auto& [name, samples] : test::all_samples()) {
    for (const test::Sample& sample : samples) {
      BOOST_TEST_CONTEXT(name << ": " << sample.what) f(name, sample);
    }
  }
}

// The sample's op on inputs that are fed, with all its outputs as the graph's.
std::unique_ptr<Graph> graph_of(const test::Sample& sample) {
  auto g = std::make_unique<Graph>();
  std::vector<Value> inputs;
  for (const Tensor& t : sample.inputs) {
    if (sample.op.info().by_value.contains(static_cast<int>(inputs.size()))) {
      inputs.push_back(constant(*g, t));
      continue;
    }
    const std::string name = "x" + std::to_string(inputs.size());
    inputs.push_back(g->append(ops::Input{name, t.type(), {}}, {}, {}).output());
  }
  const Node n = g->append(sample.op, inputs, {});
  for (int i = 0; i < n.output_count(); ++i) g->add_output("y" + std::to_string(i), n.output(i));
  return g;
}

void check_round_trip(const Graph& g) {
  const std::string text = print(g);
  const auto back = parse(text, catalog(), "sample.graph");
  BOOST_TEST(print(*back) == text);
  BOOST_TEST(equal(g, *back));
  for (NodeId i = 0; i < back->size(); ++i)
    BOOST_TEST(!back->node(i).op().is<internal::Opaque>(), g.node(i).op().name() << " is not in the catalogue");
}

// Calls `f` with copies of `value` in each of which one number or word is another.
void for_each_distortion(const AttrValue& value, const std::function<void(const AttrValue&)>& f) {
  if (std::holds_alternative<std::int64_t>(value)) {
    using Limits = std::numeric_limits<std::int64_t>;
    for (std::int64_t v :
         {Limits::min(), std::int64_t{-7}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1'000'000}, Limits::max()})
      f(AttrValue(v));
  } else if (std::holds_alternative<double>(value)) {
    for (double v : {std::numeric_limits<double>::quiet_NaN(), -1.0, 1e300}) f(AttrValue(v));
  } else if (std::holds_alternative<std::string>(value)) {
    f(AttrValue(std::string("nonsense")));
  } else if (const auto* list = std::get_if<AttrList>(&value)) {
    f(AttrValue(AttrList{}));
    f(AttrValue(AttrList(20, std::int64_t{0})));
    for (std::size_t i = 0; i < list->size(); ++i)
      for_each_distortion((*list)[i], [&](const AttrValue& e) {
        AttrList changed = *list;
        changed[i] = e;
        f(AttrValue(changed));
      });
  } else if (const auto* record = std::get_if<AttrRecord>(&value)) {
    for (std::size_t i = 0; i < record->size(); ++i)
      for_each_distortion((*record)[i].second, [&](const AttrValue& e) {
        AttrRecord changed = *record;
        changed[i].second = e;
        f(AttrValue(changed));
      });
  }
  if (!std::holds_alternative<bool>(value)) f(AttrValue(true));
}

}  // namespace

BOOST_AUTO_TEST_CASE(samples_round_trip) {
  for_all_samples([](const std::string&, const test::Sample& sample) { check_round_trip(*graph_of(sample)); });
}

BOOST_AUTO_TEST_CASE(what_samples_are_rewritten_to_round_trips) {
  for_all_samples([](const std::string&, const test::Sample& sample) {
    check_round_trip(*internal::rewrite(*graph_of(sample)).graph);
  });
}

// An op whose attributes come from a text refuses what makes no sense by an Error; it never does harm. Asked of the
// samples' ops and of what they are rewritten to.
BOOST_AUTO_TEST_CASE(senseless_attributes_are_refused) {
  int tried = 0, refused = 0;
  const auto distort = [&](Node n) {
    const Catalog::Entry* entry = catalog().find(n.op().name());
    if (!entry || n.op().is<ops::Constant>()) return;
    for_each_distortion(AttrValue(n.op().attributes()), [&](const AttrValue& attributes) {
      const auto* record = std::get_if<AttrRecord>(&attributes);
      if (!record) return;
      ++tried;
      try {
        const Op op = entry->make(*record, catalog());
        op.infer(n.input_types());
        BOOST_TEST(!print(AttrValue(op.attributes())).empty());
      } catch (const Error&) {
        ++refused;
      }
    });
  };
  for (const auto& [name, samples] : test::all_samples()) {
    for (std::size_t k = 0; k < samples.size() && k < 3; ++k) {
      BOOST_TEST_CONTEXT(name << ": " << samples[k].what) {
        const auto g = graph_of(samples[k]);
        const auto rewritten = internal::rewrite(*g);
        for (const Graph* graph : {g.get(), rewritten.graph.get()})
          for (NodeId i = 0; i < graph->size(); ++i) distort(graph->node(i));
      }
    }
  }
  BOOST_TEST_MESSAGE(refused << " of " << tried << " refused");
  BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_SUITE_END()
