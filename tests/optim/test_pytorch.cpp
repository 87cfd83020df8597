// PyTorch's parameters in and out: each layer's tensors by their names and in their layouts there. What PyTorch
// computes of them is compared by tools/bench/examples/torch_weights.py.
// Labels: memory.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_pytorch)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Numbers 0, 1, 2, ... so that each element is known by its value.
Tensor counted(const Shape& shape, float first = 0) {
  Tensor t({f32, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = first + static_cast<float>(i);
  return t;
}

// A net, called on an input of this shape, with its store.
struct Called {
  Graph g;
  Layer net;
  Store store;
  Called(Layer layer, const Shape& shape) : net(std::move(layer)) {
    net(input(g, "x", f32, shape));
    store.add(g);
  }
  std::vector<float> get(const std::string& name) const {
    const Tensor t = store.get(name);
    return {t.data<float>(), t.data<float>() + t.count()};
  }
};

std::string written(const TemporaryFolder& folder, std::vector<std::pair<std::string, Tensor>> tensors) {
  save_safetensors(folder / "torch.safetensors", {std::move(tensors), {}});
  return folder / "torch.safetensors";
}

const Tensor& find(const Safetensors& file, const std::string& name) {
  for (const auto& [key, tensor] : file.tensors)
    if (key == name) return tensor;
  throw Error("no " + name);
}

// Written and read into another net of the same kind, all variables are as they were.
void comes_back(const std::function<Layer()>& make, const Shape& shape, const std::vector<std::string>& keys) {
  const TemporaryFolder folder;
  Called a(make(), shape), b(make(), shape);
  float first = 1;
  for (const std::string& name : a.store.names()) {
    a.store.set(name, counted(a.store.get(name).shape(), first));
    first += 1000;
  }
  save_pytorch(folder / "net.safetensors", a.net, a.store);
  const Safetensors file = load_safetensors(folder / "net.safetensors");
  std::vector<std::string> found;
  for (const auto& [key, tensor] : file.tensors) found.push_back(key);
  std::sort(found.begin(), found.end());
  BOOST_TEST(found == keys, boost::test_tools::per_element());
  load_pytorch(folder / "net.safetensors", b.net, b.store);
  for (const std::string& name : a.store.names())
    BOOST_TEST(b.get(name) == a.get(name), boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(kernels_have_their_outputs_first_there) {
  const TemporaryFolder folder;
  Called c(Sequential{Conv2D(5, {.size = 2, .name = "conv1"}), DepthwiseConv2D({.depth_multiplier = 2, .name = "dw"}),
                      GlobalPool(), Dense(3, {.name = "fc"})},
           {1, 4, 4, 2});
  const Tensor conv = counted({5, 2, 2, 2}), dw = counted({10, 1, 3, 3}), fc = counted({3, 10});
  load_pytorch(written(folder, {{"conv1.weight", conv},
                                {"conv1.bias", counted({5})},
                                {"dw.weight", dw},
                                {"dw.bias", counted({10})},
                                {"fc.weight", fc},
                                {"fc.bias", counted({3})}}),
               c.net, c.store);
  for (std::int64_t out = 0; out < 5; ++out)
    for (std::int64_t in = 0; in < 2; ++in)
      for (std::int64_t y = 0; y < 2; ++y)
        for (std::int64_t x = 0; x < 2; ++x)
          BOOST_TEST(c.get("conv1/kernel")[((y * 2 + x) * 2 + in) * 5 + out] ==
                     conv.data<float>()[((out * 2 + in) * 2 + y) * 2 + x]);
  for (std::int64_t k = 0; k < 10; ++k)
    for (std::int64_t at = 0; at < 9; ++at)
      BOOST_TEST(c.get("dw/depthwise_kernel")[at * 10 + k] == dw.data<float>()[k * 9 + at]);
  for (std::int64_t out = 0; out < 3; ++out)
    for (std::int64_t in = 0; in < 10; ++in)
      BOOST_TEST(c.get("fc/kernel")[in * 3 + out] == fc.data<float>()[out * 10 + in]);
}

BOOST_AUTO_TEST_CASE(gates_and_biases_of_recurrent_layers) {
  const TemporaryFolder folder;
  Called lstm(LSTM(2, {.name = "rnn"}), {1, 3, 2}), gru(GRU(2, {.name = "rnn"}), {1, 3, 2});
  load_pytorch(written(folder, {{"weight_ih_l0", counted({8, 2})},
                                {"weight_hh_l0", counted({8, 2})},
                                {"bias_ih_l0", counted({8})},
                                {"bias_hh_l0", counted({8}, 100)}}),
               lstm.net, lstm.store);
  for (std::size_t i = 0; i < 8; ++i) BOOST_TEST(lstm.get("rnn/bias")[i] == 100 + 2 * static_cast<float>(i));
  load_pytorch(written(folder, {{"weight_ih_l0", counted({6, 2})},
                                {"weight_hh_l0", counted({6, 2})},
                                {"bias_ih_l0", counted({6})},
                                {"bias_hh_l0", counted({6}, 100)}}),
               gru.net, gru.store);
  const float bias[] = {2, 3, 0, 1, 4, 5, 102, 103, 100, 101, 104, 105}, first_row[] = {4, 6, 0, 2, 8, 10};
  BOOST_TEST(gru.get("rnn/bias") == std::vector(std::begin(bias), std::end(bias)), boost::test_tools::per_element());
  const std::vector<float> kernel = gru.get("rnn/kernel");
  BOOST_TEST(std::span(kernel).first(6) == std::span(first_row), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  comes_back(
      [] {
        return Sequential{BatchNorm({.name = "bn"}), LayerNorm({.name = "ln"})};
      },
      {2, 3}, {"bn.bias", "bn.running_mean", "bn.running_var", "bn.weight", "ln.bias", "ln.weight"});
  comes_back(
      [] {
        return Sequential{Conv1D(3, {.name = "c"}), Bidirectional(GRU(2), {.name = "rnn"})};
      },
      {1, 4, 2},
      {"c.bias", "c.weight", "rnn.bias_hh_l0", "rnn.bias_hh_l0_reverse", "rnn.bias_ih_l0", "rnn.bias_ih_l0_reverse",
       "rnn.weight_hh_l0", "rnn.weight_hh_l0_reverse", "rnn.weight_ih_l0", "rnn.weight_ih_l0_reverse"});
  comes_back([] { return TransformerBlock(2, {.name = "block"}); }, {1, 3, 4},
             {"linear1.bias", "linear1.weight", "linear2.bias", "linear2.weight", "norm1.bias", "norm1.weight",
              "norm2.bias", "norm2.weight", "self_attn.in_proj_bias", "self_attn.in_proj_weight",
              "self_attn.out_proj.bias", "self_attn.out_proj.weight"});
}

BOOST_AUTO_TEST_CASE(modules_of_other_names) {
  const TemporaryFolder folder;
  Called c(Sequential("net", {Dense(2), relu, Dense(2)}), {1, 2});
  const std::string path = written(folder, {{"0.weight", counted({2, 2})},
                                            {"0.bias", counted({2})},
                                            {"body.2.weight", counted({2, 2}, 10)},
                                            {"body.2.bias", counted({2})},
                                            {"bn.num_batches_tracked", Tensor::of<std::int64_t>({}, {3})},
                                            {"head.weight", counted({2})}});
  const PyTorchNames names{.modules = {{"dense", "0"}, {"dense_1", "body.2"}}, .ignored = {"head"}};
  load_pytorch(path, c.net, c.store, names);
  BOOST_TEST(c.get("net/dense_1/kernel")[1] == 12);
  save_pytorch(folder / "again.safetensors", c.net, c.store, names);
  const Safetensors again = load_safetensors(folder / "again.safetensors");
  BOOST_TEST(find(again, "body.2.weight").data<float>()[1] == 11);
  BOOST_TEST(again.metadata.at("format") == "pt");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told_and_changes_nothing) {
  const TemporaryFolder folder;
  Called c(Sequential{Dense(2, {.name = "fc"})}, {1, 3});
  const std::vector<float> before = c.get("fc/kernel");
  const auto refuses = [&](std::vector<std::pair<std::string, Tensor>> tensors, const std::string& text) {
    says([&] { load_pytorch(written(folder, std::move(tensors)), c.net, c.store); }, text);
    BOOST_TEST(c.get("fc/kernel") == before, boost::test_tools::per_element());
  };
  refuses({{"fc.weight", counted({2, 3})}},
          "torch.safetensors lacks the tensor \"fc.bias\", which the variable \"fc/bias\" is read from");
  refuses({{"fc.weight", counted({2, 3})}, {"fc1.bias", counted({2})}}, "Did you mean \"fc1.bias\"");
  refuses(
      {{"fc.weight", counted({3, 2})}, {"fc.bias", counted({2})}},
      "the tensor \"fc.weight\" is f32[3, 2], but for the variable \"fc/kernel\", f32[3, 2], it has to be f32[2, 3]");
  refuses({{"fc.weight", counted({2, 3})}, {"fc.bias", counted({2})}, {"head.bias", counted({2})}},
          "has the tensor \"head.bias\", which no layer takes");
  c.store.freeze("fc/bias");
  refuses({{"fc.weight", counted({2, 3})}, {"fc.bias", counted({2})}}, "frozen");
  says([&] { load_pytorch(folder / "torch.safetensors", Dense(2), c.store); }, "Call it first");
  Called other(Sequential{SeparableConv2D(2, {.name = "sep"})}, {1, 4, 4, 2});
  says([&] { save_pytorch(folder / "x.safetensors", other.net, other.store); },
       "save_pytorch: the SeparableConv2D \"sep\" has no counterpart");
  Called before_product(GRU(2, {.reset_after = false}), {1, 4, 2});
  says([&] { save_pytorch(folder / "x.safetensors", before_product.net, before_product.store); }, ".reset_after");
  Called grouped(MultiHeadAttention(2, 4, {.kv_heads = 1}), {1, 4, 8});
  says([&] { save_pytorch(folder / "x.safetensors", grouped.net, grouped.store); }, "different sizes");
}

BOOST_AUTO_TEST_SUITE_END()
