#include "rewrites.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/verify.h>

#include <boost/test/unit_test.hpp>
#include <limits>

namespace oxbow::test {
namespace {

// Numbers in which what is special is not rare.
Tensor awkward(const Shape& shape, std::uint64_t seed) {
  using Limits = std::numeric_limits<float>;
  const float special[] = {0.f, -0.f, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(), 1.f};
  const Tensor drawn = draw(shape, -2, 2, seed);
  Tensor t({f32, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const double d = drawn.data<double>()[i];
    t.data<float>()[i] = i % 5 == 3 ? special[static_cast<std::size_t>((d + 2) * 1.7)] : static_cast<float>(d);
  }
  return t;
}

// The graph's outputs, node by node, inputs drawn by their place in the graph.
std::vector<Tensor> values_of(const Graph& g) {
  std::vector<std::vector<Tensor>> values(static_cast<std::size_t>(g.size()));
  const auto value = [&](const Value& v) {
    return values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())];
  };
  for (NodeId i = 0; i < g.size(); ++i) {
    const Node node = g.node(i);
    std::vector<Tensor> in;
    for (int k = 0; k < node.input_count(); ++k) in.push_back(value(node.input(k)));
    auto& out = values[static_cast<std::size_t>(i)];
    if (const auto* input = node.op().as<ops::Input>())
      out = {awkward(input->type.shape, std::hash<std::string>()(input->name))};
    else if (const auto* constant = node.op().as<ops::Constant>())
      out = {constant->value};
    else
      out = internal::evaluate(node.op(), in);
  }
  std::vector<Tensor> outputs;
  for (const auto& [name, v] : g.outputs()) outputs.push_back(value(v));
  return outputs;
}

}  // namespace

std::vector<std::string> op_names(const Graph& g) {
  std::vector<std::string> names;
  for (NodeId i = 0; i < g.size(); ++i) names.emplace_back(g.node(i).op().name());
  return names;
}
int count(const Graph& g, std::string_view op) {
  int n = 0;
  for (NodeId i = 0; i < g.size(); ++i) n += g.node(i).op().name() == op;
  return n;
}

void check_same(const Graph& before, const Graph& after) {
  verify(after);
  const auto a = values_of(before), b = values_of(after);
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(before.outputs()[i].first == after.outputs()[i].first);
    BOOST_TEST(same_bits(a[i], b[i]), "output " << i);
  }
}

}  // namespace oxbow::test
