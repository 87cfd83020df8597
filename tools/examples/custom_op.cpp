// Values and slopes of an op of one's own: see gaussian.h.
#include <cstdio>

#include "examples.h"
#include "gaussian.h"

using namespace oxbow;

static void build(Graph& g) {
  const Value x = input(g, "x", f32, {any(1000)});
  const Value y = examples::gaussian(x);
  g.add_output("y", y);
  g.add_output("slope", gradients(sum(y), {x})[0]);
}

int main() {
  Graph g;
  build(g);
  const Program program = compile({g.outputs()[0].second, g.outputs()[1].second});
  Store store(g);
  const auto out = program.run(store, {{"x", Tensor::of<float>({5}, {-2, -1, -0.5, 1, 2})}});
  for (std::size_t i = 0; i < 5; ++i)
    std::printf("y = %6.3f  slope = %.4f\n", out[0].span<float>()[i], out[1].span<float>()[i]);
}
