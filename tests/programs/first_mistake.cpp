#include <oxbow/oxbow.h>

#include <iostream>

using namespace oxbow;

int main() try {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 3});
  const Value w = parameter(g, "w", {f32, {4, 8}}, init::glorot_uniform());
  const Value h = matmul(x, w);
} catch (const Error& e) {
  std::cout << e.what() << "\n";
}
