// From a CSV file to a model that predicts: rents of flats, the shortest way. Writes flats.oxb, which `oxbow predict
// flats.oxb --data FILE` serves. Arguments: the file, the number of epochs.
#include <oxbow/oxbow.h>

#include <cstdlib>
#include <iostream>

using namespace oxbow;

int main(int argc, char** argv) try {
  const Table flats = read_csv(argc > 1 ? argv[1] : "tools/data/flats.csv");
  const TableEncoder encode(flats, {.inputs = {"size", "age", "floor", "district"}, .target = "rent"});
  const auto [train, test] = encode(flats).split(0.2);
  Graph g;
  const Value x = input(g, "x", f32, {any(64), encode.width()}), y = input(g, "y", f32, {any(64), 1});
  const Normalization scale(train["y"]);
  const Value h = Sequential{Normalization(train["x"]), Dense(64, {.activation = relu}),
                             Dense(64, {.activation = relu}), Dense(1)}(x);
  const Value guess = scale.inverse(h);
  Model model = compile(mean_squared_error(h, scale(y)), "adam",
                        {.metrics = {{"error", mean(abs(guess - y))}}, .predictions = guess});
  model.fit(train, {.epochs = argc > 2 ? std::atoi(argv[2]) : 60, .batch_size = 32});
  std::cout << "of flats that it has not seen: " << model.evaluate(test) << "\n";
  model.export_model("flats.oxb", encode);

  const Table asked = parse_csv("size,age,floor,district\n75,12,3,Hafen\n75,12,3,Nord\n30,90,0,Altstadt\n");
  const Tensor rents = load_model("flats.oxb").predict(asked);  // in any other program
  for (std::int64_t row = 0; row < asked.size(); ++row)
    std::cout << asked["size"].text(row) << " square metres in " << asked["district"].text(row) << ": "
              << rents.data<float>()[row] << "\n";
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
