#include <oxbow/oxbow.h>

#include <iostream>

using namespace oxbow;

int main() try {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)});
  const Value w = parameter(g, "w", {f32, {}}, init::constant(1));
  const Value risk = log(w * x).named("risk");  // of what may be negative
  const Value loss = mean(square(risk));
  Model model = compile(loss, "sgd", {.numerics = {.check = CheckNumerics::results}});
  model.fit({{"x", Tensor::of<float>({4}, {1, 2, -3, 4})}}, {.batch_size = 4});
} catch (const NumericsError& e) {
  std::cout << e.what() << "\n";
}
