// Writes letter by letter: a small GPT (Radford et al. 2018), two blocks of causal attention with rotary positions,
// learns which letter of a text comes next, and then goes on by itself. Arguments: a text file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace oxbow;
constexpr std::int64_t letters = 256, width = 64, length = 48, batch = 16;

struct Gpt {
  Embedding embed{letters, width, {.embeddings_init = init::normal()}};  // letters far apart at first learn faster
  TransformerBlock one{4, {.causal = true, .rotary = true}}, two{4, {.causal = true, .rotary = true}};
  Sequential head{LayerNorm(), Dense(letters)};
};
static Model build(Graph& g, const Gpt& gpt = {}, std::int64_t steps = 1000) {
  const Value piece = input(g, "piece", u8, {any(batch), length + 1});
  const Value x = piece[{range(), range(0, -1)}], next = piece[{range(), range(1, to_end)}];
  const optim::Cosine rate{.initial = 5e-3, .steps = steps};
  return compile(cross_entropy(gpt.head(gpt.two(gpt.one(gpt.embed(x)))), next), optim::Adam{.learning_rate = rate});
}

int main(int argc, char** argv) try {
  std::ifstream file(argc > 1 ? argv[1] : "LICENSE", std::ios::binary);
  const std::vector<std::uint8_t> text(std::istreambuf_iterator<char>(file), {});
  const Tensor series = Tensor::of({static_cast<std::int64_t>(text.size())}, text);
  const Dataset pieces{{"piece", windows(series, length + 1, 6)}};
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 10;
  Graph g;
  const Gpt gpt;
  Model model = build(g, gpt, epochs * (pieces.size() / batch + 1));
  model.fit(pieces, {.epochs = epochs, .batch_size = batch, .callbacks = {print_epochs()}});
  // The same layers for one letter, by the keys and values that each block has kept of those before it. Divided by less
  // than 1, the logits are further apart: fewer surprises.
  const auto kept = [&](const char* name) { return variable(g, name, {f32, {1, length, width}}, {}, false); };
  const AttentionCache first{kept("keys_1"), kept("values_1")}, second{kept("keys_2"), kept("values_2")};
  const Value last = input(g, "last", u8, {1, any(1)}), place = input(g, "place", i64, Shape{});
  const AttentionResult a = gpt.one.run(gpt.embed(last), first, place), b = gpt.two.run(a.output, second, place);
  const Value letter = cast(random_categorical(gpt.head(b.output)[{0, -1}] / 0.6, {.in_inference = true}), u8);
  model.store().add(g);  // the state of the draws, and empty caches
  const Value keys_1 = assign(first.key, a.cache.key), values_1 = assign(first.value, a.cache.value);
  const Value keys_2 = assign(second.key, b.cache.key), values_2 = assign(second.value, b.cache.value);
  const CompileOptions inference{.mode = Mode::inference};
  Session write(compile({letter, keys_1, values_1, keys_2, values_2, random_update(g)}, inference), model.store());
  std::vector<std::uint8_t> written(text.begin(), text.begin() + length / 2);
  for (std::int64_t i = 0, places = 0, count = length / 2; i < 400; ++i) {
    write.feed("last", Tensor::of({1, count}, std::span(written.end() - count, written.end())));
    write.feed("place", Tensor::scalar(places));
    write.run();
    std::putchar(written.emplace_back(write.fetch<std::uint8_t>(0)[0]));
    places = (places + count) % length;
    count = places > 0 ? 1 : length / 2;  // there is no more place: it goes on from the later half
  }
  std::putchar('\n');
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
