// Images with their channels first: the same values as with their channels last, and transpositions at the ends of a
// chain only. Labels: levels.
#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/passes/layout.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/ops/ops.h>

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "samples/sample.h"
#include "support/gradient_check.h"
#include "support/rewrites.h"

BOOST_AUTO_TEST_SUITE(test_layout)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr DataFormat first = channels_first;

// Transpositions that are left when everything is rewritten.
int transpositions(const std::vector<Value>& fetches, std::vector<std::string> disable = {}) {
  const internal::Rewritten s = internal::specialise(fetches[0].graph(), fetches, {}, Mode::training);
  disable.insert(disable.end(), {"fuse", "epilogue"});
  return count(*internal::rewrite(*s.graph, {.disable = disable}).graph, "transpose");
}

// The fetches have the same bits with the pass and without.
std::vector<Tensor> same_without(const std::vector<Value>& fetches, const Tensors& feeds) {
  Store store(fetches[0].graph());
  const auto with = compile(fetches).run(store, feeds);
  const auto without = compile(fetches, {.disable = {"layout"}}).run(store, feeds);
  for (std::size_t i = 0; i < with.size(); ++i) BOOST_TEST(same_bits(with[i], without[i]), "value " << i);
  return with;
}

struct Net {
  Graph g;
  Value x = input(g, "x", f32, {any(2), 3, 12, 12});
  std::vector<Value> weights;

  Value weight(const Shape& shape) {
    weights.push_back(parameter(g, "w" + std::to_string(weights.size()), {f32, shape}, init::he_normal()));
    return weights.back();
  }
  Value each(std::int64_t channels, double value) {
    return parameter(g, "v" + std::to_string(g.size()), {f32, {channels}}, init::constant(value));
  }
  Value convolved(Value v, std::int64_t kernels, std::int64_t size, std::int64_t stride = 1) {
    const Value w = weight({kernels, v.shape()[1], size, size});
    const Value y =
        conv2d(v, w, {.stride = stride, .padding = size / 2, .bias = each(kernels, 0.1), .data_format = first});
    return batch_norm(y, each(kernels, 1.5), each(kernels, 0.25), each(kernels, 0.5), each(kernels, 2),
                      {.data_format = first});
  }
  Value block(Value v, std::int64_t kernels, std::int64_t stride) {
    const Value shortcut = stride == 1 ? v : convolved(v, kernels, 1, stride);
    return relu(convolved(relu(convolved(v, kernels, 3, stride)), kernels, 3) + shortcut);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_residual_net_has_transpositions_at_its_ends_only) {
  Net n;
  Value h = relu(n.convolved(n.x, 8, 3));
  h = max_pool(h, {.size = 3, .stride = 2, .padding = 1, .data_format = first});
  h = n.block(n.block(n.block(h, 8, 1), 16, 2), 16, 1);
  const Value map = h;
  const Value pooled = flatten(global_average_pool(h, first));
  const Value loss = sum(square(matmul(pooled, parameter(n.g, "head", {f32, {16, 5}}, init::he_normal()))));
  const auto convolutions = static_cast<int>(n.weights.size());
  BOOST_TEST(convolutions == 8);
  BOOST_TEST(transpositions({loss}) == 1 + convolutions);       // of x and of each convolution's weights
  BOOST_TEST(transpositions({loss, map}) == 2 + convolutions);  // and of what is fetched
  BOOST_TEST(transpositions({loss}, {"layout"}) == 25);
  std::vector<Value> slopes = gradients(loss, n.weights);
  BOOST_TEST(transpositions(slopes) == 1 + 2 * convolutions);  // and of each weight's gradient
  const Tensors feeds{{"x", draw({3, 3, 12, 12}, -1, 1, 1, f32)}};
  slopes.insert(slopes.end(), {loss, map, gradients(loss, {n.x})[0]});
  same_without(slopes, feeds);
  on_all_threads(slopes, feeds);
}

BOOST_AUTO_TEST_CASE(joins_slices_padding_and_gates_are_no_obstacle) {
  Net n;
  const Value a = n.convolved(n.x, 8, 3), gate = sigmoid(n.convolved(global_average_pool(a, first), 8, 1));
  const Value gated = a * gate,
              halves = concat({slice(gated, 1, 0, 4), relu(slice(gated, 1, 4)), n.convolved(n.x, 2, 3)}, 1);
  const Value padded = pad(halves, {{0, 0}, {0, 0}, {1, 0}, {0, 2}}, 0.5);
  const Value up = resize(padded, {.scales = {2, 2}, .axes = {2, 3}, .mode = Interpolation::linear});
  const Value shrunk = average_pool(where(up > 0.0, up, up * 0.1), {.size = 2, .data_format = first});
  const Value y = n.convolved(shrunk[{range(), range(), range(1, to_end, 2)}], 4, 3);
  BOOST_TEST(transpositions({y}) <= 2 + 4);
  std::vector<Value> all = gradients(sum(square(y)), n.weights);
  all.push_back(y);
  same_without(all, {{"x", draw({2, 3, 12, 12}, -1, 1, 1, f32)}});
}

BOOST_AUTO_TEST_CASE(what_gains_nothing_stays_as_it_is) {
  Graph g;
  const Value x = input(g, "x", f32, {4, 5, 6}), y = input(g, "y", f32, {4, 6, 5});
  g.add_output("a", relu(transpose(x, {0, 2, 1})) + y);
  g.add_output("b", transpose(relu(x + 1.0), {2, 1, 0}));
  BOOST_TEST(!internal::layout(g).has_value());
  // What has to be transposed instead may be as large as what is saved.
  Graph h;
  const Value u = input(h, "u", f32, {4, 5, 6}), v = input(h, "v", f32, {4, 6, 5});
  h.add_output("c", transpose(transpose(u, {0, 2, 1}) * v, {0, 2, 1}));
  const auto r = internal::layout(h);
  BOOST_REQUIRE(r.has_value());
  check_same(h, *r->graph);
  BOOST_TEST(count(*internal::rewrite(h).graph, "transpose") == 1);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_wanted_both_ways_is_transposed_once) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 4, 5});
  const Value last = transpose(x, {0, 2, 3, 1}), a = transpose(tanh(last), {0, 3, 1, 2});
  const Value b = relu(a + 1.0), c = b * a;
  g.add_output("last", transpose(c, {0, 2, 3, 1}));
  g.add_output("sum", sum(c, {1}));
  const auto r = internal::layout(g);
  BOOST_REQUIRE(r.has_value());
  BOOST_TEST(count(*internal::rewrite(g).graph, "transpose") == 2);
  check_same(g, *r->graph);
  check_same(g, *internal::rewrite(g).graph);
}

BOOST_AUTO_TEST_CASE(each_op_that_says_so_commutes_with_transpositions) {
  int checked = 0;
  for (const auto& [name, samples] : all_samples())
    for (const Sample& s : samples) {
      if (!s.op.has_transposed()) continue;
      Graph g;
      std::vector<Value> plain;
      Tensors feeds;
      for (const Tensor& t : s.inputs) {
        const auto i = static_cast<int>(plain.size());
        if (s.op.info().by_value.contains(i)) {
          plain.push_back(constant(g, t));
        } else {
          plain.push_back(input(g, "x" + std::to_string(i), t.dtype(), t.shape()));
          feeds.emplace("x" + std::to_string(i), t);
        }
      }
      const Node node = g.append(s.op, plain, Location{});
      const int rank = node.output().rank();
      if (rank < 2) continue;
      std::vector<int> axes(static_cast<std::size_t>(rank));
      std::iota(axes.begin(), axes.end(), 0);
      std::rotate(axes.begin(), axes.begin() + 1, axes.end());
      const std::vector<std::int64_t> order(axes.begin(), axes.end());
      std::vector<Value> turned;  // all that the node has, absent ones too
      for (int i = 0; i < node.input_count(); ++i) {
        const Value v = node.input(i);
        const bool turns = v && v.rank() == rank && !s.op.info().by_value.contains(i);
        turned.push_back(turns ? transpose(v, order) : v);
      }
      std::vector<Value> fetches;
      for (int i = 0; i < node.output_count(); ++i) fetches.push_back(transpose(node.output(i), order));
      for (const Value& v : s.op.transposed(turned, axes)) fetches.push_back(v);
      Store store(g);
      const auto t = compile(fetches, {.disable = {"layout"}}).run(store, feeds);
      BOOST_REQUIRE(t.size() == 2 * static_cast<std::size_t>(node.output_count()));
      for (std::size_t i = 0; i < t.size() / 2; ++i)
        BOOST_TEST(same_bits(t[i], t[i + t.size() / 2]), name << ", " << s.what << ", output " << i);
      ++checked;
    }
  BOOST_TEST(checked > 200);
}

// A scalar's axes have one order, and so have a vector's.
BOOST_AUTO_TEST_CASE(scalars_and_vectors_stay) {
  Graph g;
  const Value x = input(g, "x", f32, {}), v = input(g, "v", f32, {3}), m = input(g, "m", f32, {2, 3});
  const Value y = transpose(tanh(transpose(x))) + transpose(transpose(m) * 2) + transpose(exp(transpose(v)));
  same_without({y},
               {{"x", draw({}, -1, 1, 1, f32)}, {"v", draw({3}, -1, 1, 2, f32)}, {"m", draw({2, 3}, -1, 1, 3, f32)}});
}

BOOST_AUTO_TEST_SUITE_END()
