#include <oxbow/oxbow.h>

#include <cstdio>

using namespace oxbow;

int main() {
  // Build: functions check their operands and append nodes.
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Value w = parameter(g, "w", {f32, {3, 2}}, init::constant(0.1));
  const Value y = tanh(matmul(x, w)).named("y");
  const Value loss = sum(square(y)).named("loss");
  std::printf("built: %d nodes\n", g.size());

  // Differentiate: more nodes of the same graph.
  const Value slope = gradients(loss, {w})[0].named("slope");
  std::printf("differentiated: %d nodes\n", g.size());

  // Specialise, rewrite and plan, without touching g.
  const Program program = compile({loss, assign(w, w - 0.01 * slope)});

  // Run: the store holds what a program reads and writes, a session what one thread needs.
  Store store(g);
  Session session(program, store);
  session.feed("x", Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));  // another number of samples than the example's
  for (int step = 0; step < 3; ++step) {
    session.run();
    std::printf("loss %.3f\n", session.fetch<float>(0)[0]);
  }
}
