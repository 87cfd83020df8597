// Predictions for a table by a model from its file, in a program that knows neither net nor optimizer: what the
// examples `flats` and `classify` wrote. Arguments: the model, a CSV file.
#include <oxbow/oxbow.h>

#include <iostream>

using namespace oxbow;

int main(int argc, char** argv) try {
  const SavedModel model = load_model(argc > 1 ? argv[1] : "flats.oxb");
  const CsvOptions columns = model.columns() ? model.columns()->csv_options() : CsvOptions{};
  const Table asked = read_csv(argc > 2 ? argv[2] : "tools/data/flats.csv", columns);
  std::cout << to_csv(model.table(model.predict(asked)));
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
