// Each optimizer against what Keras, PyTorch and others made of the same gradients (tests/figures/make_optimizers.py).
#include <oxbow/graph/op.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "support/descent.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_optimizers_figures)

using namespace oxbow;
using namespace oxbow::optim;
using nlohmann::json;

namespace {

json figures() {
  std::ifstream file(oxbow::test::source("tests/figures/optimizers.json"));
  return json::parse(file);
}

AttrValue field(const json& v) {
  if (v.is_boolean()) return v.get<bool>();
  if (v.is_string()) return v.get<std::string>();
  return v.get<double>();
}

Optimizer optimizer_of(const json& c) {
  Optimizer o(c["optimizer"].get<std::string>());
  for (const auto& [name, value] : c["fields"].items()) o = o.with(name, field(value));
  return o;
}

Tensor tensor(const json& values, const Shape& shape) {
  const auto all = values.get<std::vector<double>>();
  return Tensor::of<double>(shape, std::span(all).first(static_cast<std::size_t>(shape.count())));
}

}  // namespace

// To 1e-12, but where Keras takes a mean or a norm: it computes those in single precision, whatever it is told.
BOOST_AUTO_TEST_CASE(others_get_the_same) {
  const json all = figures();
  const auto kept = all["kept"].get<std::vector<std::size_t>>();
  for (const json& c : all["cases"]) {
    const Shape shape(c["shape"].get<std::vector<std::int64_t>>());
    test::Descent descent(optimizer_of(c), tensor(all["start"], shape));
    std::size_t row = 0;
    double worst = 0;
    for (std::size_t t = 1; t <= kept.back(); ++t) {
      descent.step(tensor(all["gradients"][t - 1], shape));
      if (t != kept[row]) continue;
      const auto expected = c["parameters"][row++].get<std::vector<double>>();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double now = descent.parameter().data<double>()[i];
        worst = std::max(worst, std::abs(now - expected[i]) / std::max(1e-3, std::abs(expected[i])));
      }
    }
    const std::string name = c["optimizer"];
    const bool single = c["by"].get<std::string>().starts_with("keras") && (name == "adafactor" || name == "muon");
    BOOST_TEST(worst <= (single ? 3e-8 : 1e-12), to_string(optimizer_of(c))
                                                     << " differs by " << worst << " from " << c["by"]);
  }
}

BOOST_AUTO_TEST_CASE(every_optimizer_was_compared_under_each_convention) {
  std::set<std::string> seen;
  const json all = figures();
  for (const json& c : all["cases"]) {
    const std::string convention = c["fields"].contains("convention") ? "pytorch" : "keras";
    seen.insert(c["optimizer"].get<std::string>() + " " + convention);
  }
  for (const Named& o : optimizers()) {
    BOOST_TEST(seen.count(std::string(o.name) + " keras") == 1u, o.name);
    for (const auto& [field, value] : o.optimizer.attributes())
      if (field == "convention") BOOST_TEST(seen.count(std::string(o.name) + " pytorch") == 1u, o.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
