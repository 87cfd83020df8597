// Classes from a CSV file: in which district a flat is, by its size, age, floor and rent. Writes districts.oxb, which
// the example `predict` loads. Arguments: the file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdlib>
#include <iostream>

using namespace oxbow;

int main(int argc, char** argv) try {
  const Table flats = read_csv(argc > 1 ? argv[1] : "tools/data/flats.csv");
  const TableEncoder encode(flats, {.inputs = {"size", "age", "floor", "rent"}, .target = "district"});
  const auto [train, test] = encode(flats).split(0.2, {.stratify = "y"});
  Graph g;
  const Value x = input(g, "x", f32, {any(64), encode.width()}), y = input(g, "y", i64, {any(64)});
  const Value logits = Sequential{Normalization(train["x"]), Dense(64, {.activation = relu}),
                                  Dense(64, {.activation = relu}), Dense(std::ssize(encode.labels()))}(x);
  Model model = compile(cross_entropy(logits, y), optim::Adam{.learning_rate = 3e-3},
                        {.metrics = {{"accuracy", accuracy(logits, y)}}, .predictions = softmax(logits)});
  model.fit(train, {.epochs = argc > 2 ? std::atoi(argv[2]) : 60, .batch_size = 32});
  std::cout << classification_report(model.predict(test), test["y"], {.labels = encode.labels()});
  model.export_model("districts.oxb", encode);
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
