// Words as vectors: skip-grams with negative sampling (Mikolov et al. 2013, https://arxiv.org/abs/1310.4546) learn from
// made-up sentences which words are alike, by what stands beside them. Argument: the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// Eight kinds of five words, one after another; and sentences, as the kinds of their words.
static const char* const words[] = {"cat",      "dog",   "horse",  "cow",   "mouse",   "bread", "soup",   "rice",
                                    "cheese",   "pie",   "anna",   "ben",   "mary",    "tom",   "eve",    "paris",
                                    "rome",     "oslo",  "lima",   "cairo", "january", "march", "july",   "october",
                                    "december", "red",   "blue",   "green", "white",   "black", "eats",   "wants",
                                    "cooks",    "likes", "smells", "sees",  "visits",  "loves", "leaves", "paints"};
static const std::vector<std::vector<std::int64_t>> sentences = {{0, 6, 1},    {5, 0, 6, 1}, {2, 6, 5, 1},
                                                                 {2, 7, 3, 4}, {4, 2, 7, 3}, {2, 7, 5, 0}};

static Tensor text(std::int64_t count) {  // as numbers of words
  const Tensor which = draw({count}, 0, 6, 1, i64), word = draw({count, 4}, 0, 5, 2, i64);
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t* any = word.data<std::int64_t>() + 4 * i;
    for (const std::int64_t kind : sentences[static_cast<std::size_t>(which.data<std::int64_t>()[i])])
      numbers.push_back(5 * kind + *any++);
  }
  return Tensor::of({static_cast<std::int64_t>(numbers.size())}, numbers);
}

static Model build(Graph& g, const Embedding& embed = {40, 16}) {
  const Value piece = input(g, "piece", i64, {any(64), 5}), word = embed(piece[{range(), range(2, 3)}]);
  const Value beside = concat({piece[{range(), range(0, 2)}], piece[{range(), range(3, 5)}]}, 1);
  const Value noise = cast(random_uniform_like(concat({beside, beside}, 1), {.high = 40}), i64);
  const Embedding context(40, 16);
  const Value near = context(beside), far = context(noise);  // [n, 4, 16] and [n, 8, 16]
  const Value pull = sum(word * near, -1), push = sum(word * far, -1);
  return compile(mean(sum(softplus(concat({-pull, push}, 1)), 1)), optim::Adam{.learning_rate = 2e-3});
}

int main(int argc, char** argv) try {
  Graph g;
  const Embedding embed(40, 16);
  Model model = build(g, embed);
  model.fit({{"piece", windows(text(8000), 5)}},
            {.epochs = argc > 1 ? std::atoi(argv[1]) : 10, .batch_size = 64, .callbacks = {print_epochs()}});

  const Value table = embed.embeddings(), unit = table / norm(table, 1, true);
  const Value nearest = top_k(matmul(unit, unit, {.transpose_b = true}), 4).indices;  // the first is the word itself
  const Tensor found = compile(nearest).run(model.store(), {})[0];
  int alike = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::int64_t* row = found.data<std::int64_t>() + 4 * i;
    alike += row[1] / 5 == i / 5;
    if (i % 5 == 0) std::printf("%-8s %s, %s, %s\n", words[i], words[row[1]], words[row[2]], words[row[3]]);
  }
  std::printf("of 40 words, %d have one of their own kind nearest\n", alike);
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
