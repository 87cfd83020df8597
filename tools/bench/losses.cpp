// Networks of the layers, trained in double by 200 steps of Adam, for tools/bench/losses.py to compare with PyTorch.
//
//   build/bin/bench_losses NET FOLDER
//
// Writes what a training starts from, weights and batches, to FOLDER/NET.safetensors, and prints the loss of each step
// with all its digits.
#include <fmt/format.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/safetensors.h>

#include <cstdio>
#include <functional>
#include <string_view>

using namespace oxbow;

namespace {

constexpr std::int64_t steps = 200, batches = 5, letters = 65;

struct Net {
  std::string_view name;
  Shape x, label;  // of a batch
  double rate;
  std::int64_t classes;
  std::function<Value(Value x)> logits;
};

Sequential conv_norm(std::int64_t filters, std::int64_t size, std::int64_t stride) {
  return {Conv2D(filters, {.size = size, .stride = stride, .use_bias = false}), BatchNorm()};
}

Sequential residual(std::int64_t filters, std::int64_t stride) {
  const Layer shortcut = stride > 1 ? Layer(conv_norm(filters, 1, stride)) : Layer();
  const Sequential two{conv_norm(filters, 3, stride), relu, conv_norm(filters, 3, 1)};
  return {Residual(two, {.shortcut = shortcut}), relu};
}

Value resnet20(Value x) {
  Value h = relu(conv_norm(16, 3, 1)(x));
  for (const std::int64_t filters : {16, 32, 64})
    for (int i = 0; i < 3; ++i) h = residual(filters, filters > 16 && i == 0 ? 2 : 1)(h);
  return Dense(10)(GlobalPool()(h));
}

Sequential two_convs(std::int64_t filters) {
  return {Conv2D(filters), BatchNorm(), relu, Conv2D(filters), BatchNorm(), relu};
}

Value u(Value x, std::int64_t filters, int depth) {
  const Value here = two_convs(filters)(x);
  if (depth == 0) return here;
  const Value below = u(MaxPool2D()(here), 2 * filters, depth - 1);
  return two_convs(filters)(concat({here, Conv2DTranspose(filters, {.size = 2, .stride = 2})(below)}, -1));
}

Value gpt(Value x) {
  Value h = PositionEmbedding(32)(Embedding(letters, 64, {.dtype = f64})(x));
  for (int i = 0; i < 2; ++i) h = TransformerBlock(4, {.causal = true})(h);
  return Dense(letters)(LayerNorm({.epsilon = 1e-5})(h));
}

Value lstm(Value x) {
  return Dense(letters)(LSTM(64, {.return_sequences = true})(Embedding(letters, 32, {.dtype = f64})(x)));
}

const Net nets[] = {
    {"gpt", {8, 32}, {8, 32}, 3e-3, letters, gpt},
    {"lstm", {8, 40}, {8, 40}, 3e-3, letters, lstm},
    {"resnet20", {16, 16, 16, 3}, {16}, 1e-3, 10, resnet20},
    {"unet", {8, 16, 16, 1}, {8, 16, 16}, 1e-3, 3, [](Value x) { return Conv2D(3, {.size = 1})(u(x, 4, 2)); }},
};

void train(const Net& net, const std::string& folder) {
  Graph g;
  const bool text = net.classes == letters;
  const Value x = input(g, "x", text ? i64 : f64, net.x), label = input(g, "label", i64, net.label);
  const Value loss = cross_entropy(net.logits(x), label);
  Safetensors start;
  Store store(g);
  for (const std::string& name : store.names()) start.tensors.emplace_back(name, store.get(name));
  std::vector<Tensor> xs, labels;
  for (std::int64_t i = 0; i < batches; ++i) {
    const auto seed = static_cast<std::uint64_t>(2 * i);
    xs.push_back(text ? draw(net.x, 0, letters, seed, i64) : draw(net.x, -1, 1, seed));
    labels.push_back(draw(net.label, 0, static_cast<double>(net.classes), seed + 1, i64));
    start.tensors.emplace_back("x/" + std::to_string(i), xs.back());
    start.tensors.emplace_back("label/" + std::to_string(i), labels.back());
  }
  save_safetensors(folder + "/" + std::string(net.name) + ".safetensors", start);

  const auto step =
      optim::minimize(loss, optim::Adam{.learning_rate = net.rate, .convention = optim::Convention::pytorch});
  const Program program = compile(step.fetches());
  store.add(g);
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto now = static_cast<std::size_t>(i % batches);
    fmt::print("{:.17g}\n", program.run(store, {{"x", xs[now]}, {"label", labels[now]}})[0].item<double>());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  for (const Net& net : nets)
    if (argc == 3 && net.name == argv[1]) return train(net, argv[2]), 0;
  std::fprintf(stderr, "Usage: bench_losses gpt|lstm|resnet20|unet FOLDER\n");
  return 2;
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
