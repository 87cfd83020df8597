#include <oxbow/oxbow.h>

#include <iostream>

using namespace oxbow;

int main() {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 20, 8}), other = input(g, "other", f32, {any(32), 20, 8});

  // One encoder for both: a layer called twice has one set of variables.
  const Sequential encode("encoder", {GRU(24, {.return_sequences = true}), TransformerBlock(4, {.causal = true}),
                                      GlobalPool(), Dense(6, {.activation = tanh})});
  const Value a = encode(x), b = encode(other);

  // Tied: this kernel is that of `narrow`, transposed.
  const Dense narrow(3), widen(6, {.transpose_of = narrow});
  const Value again = widen(narrow(a));

  const Value loss = mean_squared_error(again, a) + mean(square(a - b));
  std::cout << summary(encode) << "\n"
            << summary(g) << "\n"
            << narrow.kernel().node().full_name() << " is " << to_string(narrow.kernel().type()) << ", loss "
            << to_string(loss.type()) << "\n";
}
