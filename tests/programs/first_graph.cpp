#include <oxbow/oxbow.h>

#include <iostream>

using namespace oxbow;

int main() {
  Graph g;
  const Value x = input(g, "x", f32, {any(3)});
  const Value w = parameter(g, "w", {f32, {}}, init::constant(2));
  const Value loss = sum(square(w * x - 1.0)).named("loss");
  const Value slope = gradients(loss, {w})[0].named("slope");
  Store store(g);
  const auto out = compile({loss, slope}).run(store, {{"x", Tensor::of<float>({3}, {1, 2, 3})}});
  std::cout << "loss " << out[0].item<float>() << ", slope " << out[1].item<float>() << "\n\n" << print(g);
}
