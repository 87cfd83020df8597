// A pole kept upright on a cart (Barto, Sutton and Anderson 1983), by an actor whose deeds a critic judges (Sutton et
// al. 1999, "Policy gradient methods"). A round is 16 attempts of at most 500 steps. Argument: the number of rounds.
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// Pushes the cart for 0.02 s, to the right or to the left. Whether its pole still stands.
static bool push(float* cart, bool right) {
  float &x = cart[0], &speed = cart[1], &angle = cart[2], &turn = cart[3];
  const float s = std::sin(angle), c = std::cos(angle), force = ((right ? 10 : -10) + 0.05f * turn * turn * s) / 1.1f;
  const float fall = (9.8f * s - c * force) / (0.5f * (4.0f / 3 - 0.1f * c * c / 1.1f));
  x += 0.02f * speed, speed += 0.02f * (force - 0.05f * fall * c / 1.1f), angle += 0.02f * turn, turn += 0.02f * fall;
  return std::abs(x) < 2.4f && std::abs(angle) < 0.2095f;
}

static Model build(Graph& g, const Sequential& actor = {Dense(64, {.activation = tanh}), Dense(2)}) {
  const Value seen = input(g, "seen", f32, {any(32), 4}), done = input(g, "done", i64, {any(32)});
  const Value good = input(g, "good", f32, {any(32)});  // how long it stood from there on
  const Value logits = actor(seen), judged = Sequential{Dense(64, {.activation = tanh}), Dense(1)}(seen);
  const Value expected = squeeze(judged, {1}), better = stop_gradient(good - expected);
  const Value surprise = cross_entropy(logits, done, Reduction::none), error = mean_squared_error(expected, good);
  return compile(mean(better * surprise) + error, optim::Adam{.learning_rate = 5e-4});
}

int main(int argc, char** argv) try {
  Graph g;
  const Sequential actor{Dense(64, {.activation = tanh}), Dense(2)};
  Model model = build(g, actor);
  const Value deed = random_categorical(actor(input(g, "cart", f32, {1, 4})), {.in_inference = true});
  model.store().add(g);  // the state of the draws
  Session act(compile({deed, random_update(g)}, {.mode = Mode::inference}), model.store());

  for (int round = 1; round <= (argc > 1 ? std::atoi(argv[1]) : 100); ++round) {
    std::vector<float> seen, good;
    std::vector<std::int64_t> done;
    for (int attempt = 0; attempt < 16; ++attempt) {
      Tensor cart = draw({4}, -0.05, 0.05, static_cast<std::uint64_t>(16 * round + attempt), f32);
      act.feed("cart", cart.span<float>());  // read in place
      int steps = 0;
      for (bool stands = true; stands && steps < 500; ++steps) {
        act.run();
        seen.insert(seen.end(), cart.data<float>(), cart.data<float>() + 4);
        done.push_back(act.fetch<std::int64_t>(0)[0]);
        stands = push(cart.data<float>(), done.back() == 1);
      }
      // The sum of 0.99^k over the steps to come, out of that of a pole which stands for ever.
      for (int left = steps; left > 0; --left) good.push_back(steps == 500 ? 1 : 1 - std::pow(0.99f, left));
    }
    const auto n = static_cast<std::int64_t>(done.size());
    model.fit({{"seen", Tensor::of({n, 4}, seen)}, {"done", Tensor::of({n}, done)}, {"good", Tensor::of({n}, good)}});
    if (round % 10 == 0) std::printf("round %3d: it stands for %.0f steps\n", round, static_cast<double>(n) / 16);
  }
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
