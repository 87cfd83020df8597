// Activations that wait for backward in 16 bits: what is stored, what stays, how much memory it saves, what training
// makes of it, and what is refused.
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/plan.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "support/message.h"
#include "support/points.h"

BOOST_AUTO_TEST_SUITE(test_store_activations)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// The types of what backward nodes read of forward ones, but through casts.
std::vector<std::string> waiting(const Graph& g, const std::vector<Value>& fetches) {
  const std::vector<bool> live = ancestors(g, fetches);
  std::vector<std::string> all;
  for (NodeId i = 0; i < g.size(); ++i) {
    const Node n = g.node(i);
    if (!live[static_cast<std::size_t>(i)] || n.origin().phase != Phase::backward) continue;
    for (int k = 0; k < n.input_count(); ++k)
      if (const Value v = n.input(k); v && v.node().origin().phase == Phase::forward && v.node().input_count() > 0 &&
                                      !n.op().info().shape_only.contains(k) && !n.op().is<ops::Variable>())
        all.push_back(to_string(v.type()));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::int64_t arena(const std::vector<Value>& fetches, int threads) {
  const auto sized = specialise(fetches[0].graph(), fetches, {}, Mode::training).graph;
  return make_plan(rewrite(*sized).graph, threads)->arena_bytes;
}

// A deep net of one width: all but its activations is small.
struct Deep {
  Graph g;
  std::vector<Value> fetches;
  explicit Deep(int layers = 12, std::int64_t batch = 1024, std::int64_t width = 64) {
    const Value x = input(g, "x", f32, {batch, width}), y = input(g, "y", f32, {batch, width});
    Value h = x;
    for (int i = 0; i < layers; ++i) h = gelu(dense(LayerNorm()(h), width));
    const Value loss = mean_squared_error(h, y);
    const optim::Minimized step = optim::minimize(loss, optim::SGD());
    fetches = {loss};
    fetches.insert(fetches.end(), step.updates.begin(), step.updates.end());
  }
};

Tensor waves(const Type& type, double phase) {
  Tensor t(type);
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.data<float>()[i] = static_cast<float>(std::sin(0.37 * static_cast<double>(i) + phase));
  return t;
}

std::vector<Tensor> results(const std::vector<Value>& fetches, int threads) {
  const Program program = compile(fetches, {.pool = Pool(threads)});
  Store store(fetches[0].graph());
  std::map<std::string, Tensor> feeds;
  for (const ops::Input& in : program.inputs()) feeds.emplace(in.name, waves(in.type, in.name == "x" ? 0 : 1));
  return program.run(store, feeds);
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && std::memcmp(a.bytes(), b.bytes(), static_cast<std::size_t>(a.type().bytes())) == 0;
}

}  // namespace

// Of sum((x w)^2) the gradient is 2 (x w) x, so x w waits: 1.01 is 1.0078125 in bf16, and 257 is 256.
BOOST_AUTO_TEST_CASE(forward_and_backward_read_the_same_rounded_values) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 1}), w = parameter(g, "w", {f32, {1, 1}}, init::constant(1));
  const Value loss = sum(square(matmul(x, w))), slope = gradients(loss, {w})[0];
  const StoredActivations stored = store_activations({loss, slope}, bf16);
  Store store(g);
  const Tensor fed = Tensor::of<float>({2, 1}, {1.01f, 257});
  const auto out = compile(stored.fetches).run(store, {{"x", fed}}),
             plain = compile({loss, slope}).run(store, {{"x", fed}});
  BOOST_TEST(out[0].item<float>() == 1.0078125f * 1.0078125f + 256.f * 256.f);
  BOOST_TEST(out[1].item<float>() == 2 * 1.0078125f * 1.01f + 2 * 256.f * 257.f);
  BOOST_TEST(plain[0].item<float>() != out[0].item<float>());
}

// The gradient of `max` looks for the elements that are equal to it: rounded ones, as it was made of.
BOOST_AUTO_TEST_CASE(the_largest_is_found_again) {
  Graph g;
  const Value x = input(g, "x", f32, {4}), w = parameter(g, "w", {f32, {4}}, init::constant(1.003));
  const Value h = tanh(w * x), loss = max(square(h)), slope = gradients(loss, {w})[0];
  const StoredActivations stored = store_activations({loss, slope}, bf16);
  Store store(g);
  const Tensor fed = Tensor::of<float>({4}, {0.1f, 0.7f, -0.3f, 0.5f});
  const Tensor found = compile(stored.fetches).run(store, {{"x", fed}})[1],
               plain = compile({loss, slope}).run(store, {{"x", fed}})[1];
  for (int i = 0; i < 4; ++i) BOOST_TEST(std::abs(found.data<float>()[i] - plain.data<float>()[i]) < 0.01);
  BOOST_TEST(found.data<float>()[1] > 0.4f);
}

// A penalty on gradients: what the second backward reads was made by the first.
BOOST_AUTO_TEST_CASE(losses_of_gradients_stay_close) {
  Graph g;
  const Value x = input(g, "x", f32, {16, 8}), w = parameter(g, "w", {f32, {8, 8}}), v = parameter(g, "v", {f32, {8}});
  const Value score = sum(matmul(tanh(matmul(x, w)), v)), slope = gradients(score, {x})[0];
  const Value loss = mean(square(norm(slope, -1) - 1));
  const std::vector<Value> dw = gradients(loss, {w, v});
  const StoredActivations stored = store_activations({loss, dw[0], dw[1]}, bf16);
  Store store(g);
  const Tensor fed = waves({f32, {16, 8}}, 0.2);
  const auto out = compile(stored.fetches).run(store, {{"x", fed}}),
             plain = compile({loss, dw[0], dw[1]}).run(store, {{"x", fed}});
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::int64_t k = 0; k < out[i].count(); ++k)
      BOOST_TEST(std::abs(out[i].data<float>()[k] - plain[i].data<float>()[k]) < 0.01);
}

// Weights under any name: transposed, of two products, cut.
BOOST_AUTO_TEST_CASE(what_depends_on_variables_alone_stays) {
  Graph g;
  const Value x = input(g, "x", f32, {4, 64}), w = parameter(g, "w", {f32, {64, 64}});
  const Value both = matmul(w, transpose(w)), loss = sum(square(matmul(matmul(x, both), slice(both, 1, 0, 32))));
  const StoredActivations stored = store_activations({loss, gradients(loss, {w})[0]}, bf16);
  for (NodeId i = 0; i < stored.graph->size(); ++i)
    if (const Node n = stored.graph->node(i); n.op().info().name == "cast" && n.output().dtype() == bf16)
      BOOST_TEST(n.output().shape()[0] == 4);
}

// A net whose data are drawn, as those of a generator are.
BOOST_AUTO_TEST_CASE(what_depends_on_random_numbers_waits_in_16_bits) {
  Graph g;
  const Value w = parameter(g, "w", {f32, {8, 64}}), x = random_normal(g, {32, 8});
  const Value loss = sum(square(tanh(matmul(x, w))));
  const StoredActivations stored = store_activations({loss, gradients(loss, {w})[0]}, bf16);
  const std::vector<std::string> kept = waiting(*stored.graph, stored.fetches);
  BOOST_TEST(std::count(kept.begin(), kept.end(), "bf16[32, 64]") == 1);
  BOOST_TEST(std::count(kept.begin(), kept.end(), "f32[32, 64]") == 0);
}

BOOST_AUTO_TEST_CASE(large_values_wait_in_16_bits_and_statistics_in_32) {
  const Deep net(2, 256, 96);
  const StoredActivations stored = store_activations(net.fetches, bf16);
  const std::vector<std::string> kept = waiting(*stored.graph, stored.fetches);
  BOOST_TEST(std::count(kept.begin(), kept.end(), "bf16[256, 96]") == 1);
  BOOST_TEST(std::count(kept.begin(), kept.end(), "f32[256, 96]") == 0);
  BOOST_TEST(std::count_if(kept.begin(), kept.end(), [](const std::string& t) { return t.starts_with("f32"); }) > 0);
}

// Both shapes of one value, and each is read by backward.
BOOST_AUTO_TEST_CASE(what_a_view_shows_is_stored_once) {
  Graph g;
  const Value x = input(g, "x", f32, {8, 6}), w = parameter(g, "w", {f32, {6, 4}});
  const Value h = tanh(matmul(x, w)), flat = reshape(h, {-1});
  const Value loss = sum(square(flat)), slope = gradients(loss, {w})[0];
  const StoredActivations stored = store_activations({loss, slope}, bf16);
  int casts = 0;
  for (NodeId i = 0; i < stored.graph->size(); ++i)
    if (const Node n = stored.graph->node(i); n.op().info().name == "cast" && n.output().dtype() == bf16) ++casts;
  BOOST_TEST(casts == 1);
}

// What is normalised and goes through relu is made again of it, also where a product reads it.
BOOST_AUTO_TEST_CASE(of_a_normalised_convolution_one_value_is_stored) {
  Graph g;
  Value h = input(g, "x", f32, {8, 12, 12, 8});
  for (int i = 0; i < 4; ++i) h = relu(BatchNorm()(Conv2D(8)(h)));
  const Value loss = mean(square(h));
  const optim::Minimized step = optim::minimize(loss, optim::SGD());
  std::vector<Value> fetches{loss};
  fetches.insert(fetches.end(), step.updates.begin(), step.updates.end());
  const StoredActivations stored = store_activations(fetches, bf16);
  int casts = 0;
  for (NodeId i = 0; i < stored.graph->size(); ++i)
    if (const Node n = stored.graph->node(i); n.op().info().name == "cast" && n.output().dtype() == bf16) ++casts;
  BOOST_TEST(casts == 4);
  const auto one = results(stored.fetches, 1);
  for (const int threads : {2, 4}) {
    const auto more = results(stored.fetches, threads);
    for (std::size_t i = 0; i < one.size(); ++i) BOOST_TEST(same_bytes(one[i], more[i]));
  }
}

BOOST_AUTO_TEST_CASE(halves_the_memory_and_gives_the_same_bits_on_any_number_of_threads) {
  const Deep net;
  const StoredActivations stored = store_activations(net.fetches, bf16);
  for (const int threads : {1, 2}) {
    const double ratio =
        static_cast<double>(arena(stored.fetches, threads)) / static_cast<double>(arena(net.fetches, threads));
    BOOST_TEST_MESSAGE(ratio);
    BOOST_TEST(ratio <= 0.62);  // with gradients in flight, which stay in f32
  }
  const auto plain = results(net.fetches, 1), one = results(stored.fetches, 1);
  for (std::size_t i = 0; i < one.size(); ++i)
    for (std::int64_t k = 0; k < one[i].count() && one[i].dtype() == f32; ++k)
      BOOST_TEST(std::abs(one[i].data<float>()[k] - plain[i].data<float>()[k]) < 1e-3);
  for (const int threads : {2, 4, 8}) {
    const auto more = results(stored.fetches, threads);
    for (std::size_t i = 0; i < one.size(); ++i) BOOST_TEST(same_bytes(one[i], more[i]));
  }
}

BOOST_AUTO_TEST_CASE(a_model_trains_as_well) {
  const Net net;
  const Dataset train = points(300, 1);
  std::vector<double> losses;
  for (const std::optional<DType> dtype : {std::optional<DType>(), std::optional(bf16), std::optional(f16)}) {
    Model model = compile(net.loss, "adam", {.activations = dtype});
    losses.push_back(model.fit(train, {.epochs = 20, .batch_size = 32})["loss"].back());
    BOOST_TEST(model.graph().updates().size() > 0);
  }
  BOOST_TEST(losses[1] != losses[0]);
  BOOST_TEST(std::abs(losses[1] - losses[0]) < 0.02 * losses[0]);
  BOOST_TEST(std::abs(losses[2] - losses[0]) < 0.02 * losses[0]);
}

BOOST_AUTO_TEST_CASE(bad_calls_are_told) {
  Graph g, other;
  const Value x = input(g, "x", f32, {2}), y = input(other, "y", f32, {2});
  BOOST_TEST(message([&] { store_activations({x}, f32); }) ==
             "store_activations: activations cannot be stored as f32\n  at HERE\n  Take bf16 or f16");
  BOOST_TEST(message([&] { store_activations({}, bf16); }) ==
             "store_activations: nothing is fetched\n  at HERE\n  Name what a step computes: its loss and its updates");
  BOOST_TEST(message([&] {
               store_activations({x, y}, bf16);
             }) == "store_activations: the fetches are of two graphs\n  at HERE\n  Give values of one graph");
  BOOST_TEST(message([&] {
               store_activations({x, Value()}, bf16);
             }) == "store_activations: a fetched Value is empty\n  at HERE\n  Give values of one graph");
}

BOOST_AUTO_TEST_SUITE_END()
