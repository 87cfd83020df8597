// An op of one's own, outside Oxbow's tree, with all that a built-in one has: it fuses, differentiates, prints, and
// runs as fast. Softsign, y = x / (1 + |x|) (Turian, Bergstra, Bengio 2009), with the derivative 1 / (1 + |x|)^2.
#include <cmath>
#include <concepts>
#include <cstdio>

#include "examples.h"

using namespace oxbow;

namespace {

struct Softsign : Unary<Softsign> {
  static constexpr OpInfo info{.name = "softsign", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  static T at(T x) {
    return x / (1 + std::abs(x));
  }
  Grads gradient(const Node& n, Values dy) const { return {dy[0] / square(1.0 + abs(n.input(0)))}; }
  bool operator==(const Softsign&) const = default;
};

Value softsign(Value x, At at = At::current()) { return apply(Softsign{}, {x}, at); }

}  // namespace

void oxbow::examples::custom_op(Graph& g) {
  const Value x = input(g, "x", f32, {any(1000)});
  const Value y = softsign(x);
  g.add_output("y", y);
  g.add_output("slope", gradients(sum(y), {x})[0]);
}

int main() {
  Graph g;
  examples::custom_op(g);
  const Program program = compile({g.outputs()[0].second, g.outputs()[1].second});
  Store store(g);
  const auto out = program.run(store, {{"x", Tensor::of<float>({5}, {-3, -1, 0, 1, 3})}});
  for (std::size_t i = 0; i < 5; ++i)
    std::printf("y = %6.3f  slope = %.4f\n", out[0].span<float>()[i], out[1].span<float>()[i]);
}
