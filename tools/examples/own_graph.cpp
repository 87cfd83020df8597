// The program's tools on a net of one's own: writes its graph, and the data to train it on, as files that `oxbow dump`,
// `plan`, `profile`, `train` and `lr find` take. The data is made up: which of two spirals a point is on. Argument: the
// number of points.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

static void build(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 2}), label = input(g, "label", i64, {any(64)});
  const Value logits = Sequential{Dense(64, {.activation = tanh}), Dense(64, {.activation = tanh}), Dense(2)}(x);
  g.add_output("loss", cross_entropy(logits, label));
  g.add_output("accuracy", accuracy(logits, label));
}

// Points on two spirals, one of which is the other turned by half.
static Dataset spirals(std::int64_t points) {
  Graph g;
  const Value label = cast(random_uniform(g, {points}, {.high = 2}), i64);
  const Value along = random_uniform(g, {points}, {.high = 2}), turned = along * 1.5 + cast(label, f32);
  const Value x = stack({along * cospi(turned), along * sinpi(turned)}, 1);
  Store none(g);
  const std::vector<Tensor> t = compile({x + 0.03 * random_normal_like(x), label}).run(none, {});
  return {{"x", t[0]}, {"label", t[1]}};
}

int main(int argc, char** argv) try {
  Graph g;
  build(g);
  write_file("spirals.txt", print(g));
  const auto [train, test] = spirals(argc > 1 ? std::atoi(argv[1]) : 4000).split(0.2);
  save_npz("train.npz", train.columns());
  save_npz("test.npz", test.columns());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
