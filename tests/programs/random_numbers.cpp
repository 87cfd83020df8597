#include <oxbow/oxbow.h>

#include <cstdio>

using namespace oxbow;

int main() {
  Graph g;
  const Value center = parameter(g, "center", {f32, {}}, init::zeros());
  const Value log_width = parameter(g, "log_width", {f32, {}}, init::zeros());

  // Draws whose gradients reach both parameters, towards the normal distribution of mean 3 and deviation 2.
  const Value z = center + exp(log_width) * random_normal(g, {1000});
  const Value loss = mean(square((z - 3.0) / 2.0)) / 2.0 - log_width;

  const optim::Minimized step = optim::minimize(loss, optim::Adam{.learning_rate = 0.05});
  Store store(g);
  Session session(compile(step.fetches()), store);
  for (int i = 0; i < 300; ++i) session.run();

  const Value spread = sqrt(mean(square(z - center)));
  const Program trained = compile({center, spread}), served = compile({center, spread}, {.mode = Mode::inference});
  for (const Program& program : {trained, served}) {
    const auto out = program.run(store, {});
    std::printf("around %.1f, spread over %.1f\n", out[0].item<float>(), out[1].item<float>());
  }
  const Tensor state = store.get("random/state");
  std::printf("step %d of seed %d\n", static_cast<int>(state.data<std::int64_t>()[1]),
              static_cast<int>(state.data<std::int64_t>()[0]));
}
