// Writes letter by letter: a small GPT (Radford et al. 2018), two blocks of causal attention with rotary positions,
// learns which letter of a text comes next, and then goes on by itself. Arguments: a text file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

using namespace oxbow;

int main(int argc, char** argv) try {
  std::ifstream file(argc > 1 ? argv[1] : "LICENSE", std::ios::binary);
  const std::vector<std::uint8_t> text(std::istreambuf_iterator<char>(file), {});
  const Tensor series = Tensor::of({static_cast<std::int64_t>(text.size())}, text);
  constexpr std::int64_t letters = 256, width = 64, length = 48, batch = 16;
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 10;

  Graph g;
  const Value piece = input(g, "piece", u8, {any(batch), length + 1});
  const Value x = piece[{range(), range(0, -1)}], next = piece[{range(), range(1, to_end)}];
  const Embedding embed(letters, width);
  const TransformerBlock one(4, {.causal = true, .rotary = true}), two(4, {.causal = true, .rotary = true});
  const Sequential head{LayerNorm(), Dense(letters)};
  const Dataset pieces{{"piece", windows(series, length + 1, 6)}};
  const optim::Cosine rate{.initial = 5e-3, .steps = epochs * (pieces.size() / batch + 1)};
  Model model = compile(cross_entropy(head(two(one(embed(x)))), next), optim::Adam{.learning_rate = rate});
  const auto print = [](Progress& p) { std::printf("epoch %2d  loss %.3f\n", p.epoch, p.history["loss"].back()); };
  model.fit(pieces, {.epochs = epochs, .batch_size = batch, .callbacks = {{.on_epoch = print}}});
  // The same layers for one letter, by the keys and values that each block has kept of those before it. Divided by less
  // than 1, the logits are further apart: fewer surprises.
  const char* names[] = {"keys1", "values1", "keys2", "values2"};
  const Value last = input(g, "last", u8, {1, any(1)}), place = input(g, "place", i64, Shape{});
  const auto kept = [&](int i) { return input(g, names[i], f32, {1, length, width}); };
  const AttentionResult a = one.run(embed(last), {kept(0), kept(1)}, place),
                        b = two.run(a.output, {kept(2), kept(3)}, place);
  const Value letter = cast(random_categorical(head(b.output)[{0, -1}] / 0.6, {.in_inference = true}), u8);
  const Program write = compile({letter, a.cache.key, a.cache.value, b.cache.key, b.cache.value, random_update(g)},
                                {.mode = Mode::inference});
  Store store = model.store();
  store.add(g);  // the state of the draws
  std::map<std::string, Tensor> feeds;
  for (const char* name : names) feeds[name] = Tensor({f32, {1, length, width}});
  std::vector<std::uint8_t> written(text.begin(), text.begin() + length / 2);
  for (std::int64_t i = 0, places = 0, count = length / 2; i < 400; ++i) {
    feeds["last"] = Tensor::of({1, count}, std::span(written.end() - count, written.end()));
    feeds["place"] = Tensor::scalar(places);
    const std::vector<Tensor> now = write.run(store, feeds);
    for (int k = 0; k < 4; ++k) feeds[names[k]] = now[static_cast<std::size_t>(k + 1)];
    written.push_back(now[0].item<std::uint8_t>());
    std::putchar(written.back());
    places = (places + count) % length;
    count = places > 0 ? 1 : length / 2;  // there is no more place: it goes on from the later half
  }
  std::putchar('\n');
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
