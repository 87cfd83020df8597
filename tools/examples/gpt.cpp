// Writes letter by letter: a small GPT (Radford et al. 2018), two blocks of causal attention with rotary positions,
// learns which letter of a text comes next, and then goes on by itself. Arguments: a text file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

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
  const TransformerBlockOptions block{.causal = true, .rotary = true};
  const Sequential gpt{Embedding(letters, width), TransformerBlock(4, block), TransformerBlock(4, block), LayerNorm(),
                       Dense(letters)};

  const Dataset pieces{{"piece", windows(series, length + 1, 6)}};
  const optim::Cosine rate{.initial = 5e-3, .steps = epochs * (pieces.size() / batch + 1)};
  Model model = compile(cross_entropy(gpt(x), next), optim::Adam{.learning_rate = rate});
  const auto print = [](Progress& p) { std::printf("epoch %2d  loss %.3f\n", p.epoch, p.history["loss"].back()); };
  model.fit(pieces, {.epochs = epochs, .batch_size = batch, .callbacks = {{.on_epoch = print}}});

  // The same layers on the last letters of what was written, of which the last one is followed by the next. Divided by
  // less than 1, the logits are further apart: fewer surprises.
  const Value window = input(g, "window", u8, {1, length});
  const Value logits = gpt(window)[{0, -1}];
  const Value letter = cast(random_categorical(logits / 0.6, {.in_inference = true}), u8);
  const Program write = compile({letter, random_update(g)}, {.mode = Mode::inference});

  Store store = model.store();
  store.add(g);  // the state of the draws
  std::vector<std::uint8_t> written(text.begin(), text.begin() + length);
  for (int i = 0; i < 400; ++i) {
    const std::vector<std::uint8_t> last(written.end() - length, written.end());
    written.push_back(write.run(store, {{"window", Tensor::of({1, length}, last)}})[0].item<std::uint8_t>());
    std::putchar(written.back());
  }
  std::putchar('\n');
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
