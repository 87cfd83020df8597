// A character LSTM and a GPT learn to write a text, for tools/bench/text.py to compare with PyTorch.
//
//   build/bin/bench_text NET TEXT FOLDER SEED EPOCHS
//
// Writes the weights that it starts from to FOLDER/NET.safetensors. Learns from the first nine tenths of the text, and
// prints after each epoch the mean loss of that and of the last tenth, with all their digits.
#include <fmt/format.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/safetensors.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <string_view>

using namespace oxbow;

namespace {

constexpr std::int64_t letters = 256;

struct Net {
  std::string_view name;
  std::int64_t length, batch;
  double rate;  // at first, of a cosine
  std::function<Value(Value x)> logits;
};

Value lstm(Value x) { return Dense(letters)(LSTM(256, {.return_sequences = true})(Embedding(letters, 64)(x))); }

Value gpt(Value x) {
  Value h = PositionEmbedding(48)(Embedding(letters, 64)(x));
  for (int i = 0; i < 2; ++i) h = TransformerBlock(4, {.causal = true})(h);
  return Dense(letters)(LayerNorm({.epsilon = 1e-5})(h));
}

const Net nets[] = {{"lstm", 100, 32, 3e-3, lstm}, {"gpt", 48, 16, 3e-3, gpt}};

void train(const Net& net, const std::string& path, const std::string& folder, std::uint64_t seed, int epochs) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> text(std::istreambuf_iterator<char>(file), {});
  const auto pieces = [&](std::span<const std::uint8_t> part) {
    const Tensor series = Tensor::of({static_cast<std::int64_t>(part.size())}, part);
    return Dataset{{"piece", windows(series, net.length + 1, net.length)}};
  };
  const std::size_t known = text.size() / 10 * 9;
  const Dataset data = pieces(std::span(text).first(known)), rest = pieces(std::span(text).subspan(known));

  Graph g;
  g.set_seed(seed);
  const Value piece = input(g, "piece", u8, {any(net.batch), net.length + 1});
  const Value x = piece[{range(), range(0, -1)}], next = piece[{range(), range(1, to_end)}];
  const Value loss = cross_entropy(net.logits(x), next);
  Safetensors start;
  const Store store(g);
  for (const std::string& name : store.names()) start.tensors.emplace_back(name, store.get(name));
  save_safetensors(folder + "/" + std::string(net.name) + ".safetensors", start);

  const std::int64_t steps = epochs * ((data.size() + net.batch - 1) / net.batch);
  const optim::Cosine rate{.initial = net.rate, .steps = steps};
  Model model = compile(loss, optim::Adam{.learning_rate = rate, .convention = optim::Convention::pytorch});
  const auto print = [](Progress& p) {
    const Results& r = p.history.epochs.back().results;
    fmt::print("{:.17g} {:.17g}\n", r["loss"], r["val_loss"]);
  };
  model.fit(data, {.epochs = epochs,
                   .batch_size = net.batch,
                   .seed = seed,
                   .validation = rest,
                   .callbacks = {{.on_epoch = print}}});
}

}  // namespace

int main(int argc, char** argv) try {
  for (const Net& net : nets)
    if (argc == 6 && net.name == argv[1])
      return train(net, argv[2], argv[3], std::stoull(argv[4]), std::stoi(argv[5])), 0;
  std::fprintf(stderr, "Usage: bench_text lstm|gpt TEXT FOLDER SEED EPOCHS\n");
  return 2;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
