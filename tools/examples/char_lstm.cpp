// Writes letter by letter: an LSTM (Hochreiter and Schmidhuber 1997) learns which letter of a text comes next, and then
// goes on by itself. Arguments: a text file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace oxbow;

constexpr std::int64_t letters = 256, units = 128, length = 48;

struct Writer {
  Embedding embed{letters, 32, {.embeddings_init = init::normal()}};  // letters far apart at first learn faster
  LSTM lstm{units, {.return_sequences = true}};
  Dense head{letters};
};

static Model build(Graph& g, const Writer& net = {}) {
  const Value piece = input(g, "piece", u8, {any(32), length + 1});
  const Value x = piece[{range(), range(0, -1)}], next = piece[{range(), range(1, to_end)}];
  return compile(cross_entropy(net.head(net.lstm(net.embed(x))), next), optim::Adam{.learning_rate = 3e-3});
}

int main(int argc, char** argv) try {
  std::ifstream file(argc > 1 ? argv[1] : "LICENSE", std::ios::binary);
  const std::vector<std::uint8_t> text(std::istreambuf_iterator<char>(file), {});
  const Tensor series = Tensor::of({static_cast<std::int64_t>(text.size())}, text);

  Graph g;
  const Writer net;
  Model model = build(g, net);
  model.fit({{"piece", windows(series, length + 1, 3)}},
            {.epochs = argc > 2 ? std::atoi(argv[2]) : 10, .callbacks = {print_epochs()}});

  // The same layers for one letter, from the state that those before it left. Divided by less than 1, the logits are
  // further apart: fewer surprises.
  const Value last = input(g, "last", u8, {1, 1}), h = input(g, "h", f32, {1, units}),
              c = input(g, "c", f32, {1, units});
  const auto [output, state] = net.lstm.run(net.embed(last), {h, c});
  const Value letter = cast(random_categorical(net.head(output) / 0.7, {.in_inference = true}), u8);
  const Program write = compile({letter, state[0], state[1], random_update(g)}, {.mode = Mode::inference});

  Store store = model.store();
  store.add(g);  // the state of the draws
  std::vector<Tensor> now{Tensor::of<std::uint8_t>({1, 1}, {'\n'}), Tensor({f32, {1, units}}),
                          Tensor({f32, {1, units}})};
  for (int i = 0; i < 400; ++i) {
    now = write.run(store, {{"last", now[0]}, {"h", now[1]}, {"c", now[2]}});
    std::putchar(now[0].item<std::uint8_t>());
  }
  std::putchar('\n');
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
