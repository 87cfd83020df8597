// Points like others: a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028)
// learns to make points in eight heaps on a ring. Draws both into wgan_gp.svg. Argument: the number of steps.
#include <oxbow/oxbow.h>
#include <oxbow/tools/plot/plot.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

using namespace oxbow;

struct Gan {
  Sequential generator{"generator", {Dense(128, {.activation = relu}), Dense(128, {.activation = relu}), Dense(2)}};
  Sequential critic{"critic", {Dense(128, {.activation = relu}), Dense(128, {.activation = relu}), Dense(1)}};
};

static Value centres(Graph& g) {
  const Value angle = reshape(cast(arange(g, 8), f32) / 4.0, {8, 1});
  return concat({cospi(angle), sinpi(angle)}, 1);
}

static Value heaps(Graph& g, std::int64_t n) {
  const Value which = cast(random_uniform(g, {n}, {.high = 8}), i64), centre = gather(centres(g), which);
  return centre + random_normal_like(centre, {.deviation = 0.05});
}

// A step of the critic, which is to rate real points higher, by slopes of 1 in between; and one of the generator.
static std::pair<optim::Minimized, optim::Minimized> build(Graph& g, const Gan& gan = {}) {
  const Value real = heaps(g, 128), share = random_uniform(g, {128, 1});
  const Value made = gan.generator(random_normal_like(real)), between = made + share * (real - made);
  const Value of_real = gan.critic(real), of_made = gan.critic(made), of_between = gan.critic(between);
  const Value distance = mean(of_real - of_made), slope = norm(gradients(sum(of_between), {between})[0], 1);
  const Value penalty = mean(square(slope - 1.0)), praise = mean(of_made);
  const optim::Adam adam{.learning_rate = 1e-3, .beta_1 = 0, .beta_2 = 0.9};
  return {optim::minimize(penalty - distance, adam, {.parameters = gan.critic.parameters(), .scope = "critic_adam"}),
          optim::minimize(-praise, adam, {.parameters = gan.generator.parameters(), .scope = "generator_adam"})};
}

int main(int argc, char** argv) try {
  Graph g;
  const Gan gan;
  const auto [better_critic, better_generator] = build(g, gan);
  const Value wanted = heaps(g, 1000), made = gan.generator(random_normal_like(wanted));
  const Value apart = norm(reshape(made, {1000, 1, 2}) - centres(g), 2), hits = sum(cast(apart < 0.2, i32), 0);

  Store store(g);
  Session critic(compile(better_critic.fetches()), store), generator(compile(better_generator.fetches()), store);
  for (int step = 1; step <= (argc > 1 ? std::atoi(argv[1]) : 3000); ++step) {
    for (int i = 0; i < 5; ++i) critic.run();
    generator.run();
  }
  const std::vector<Tensor> t = compile({wanted, made, hits}).run(store, {});
  for (int heap = 0; heap < 8; ++heap) std::printf("%d ", t[2].data<std::int32_t>()[heap]);
  std::printf("of 1000 points lie in the heaps\n");
  std::ofstream("wgan_gp.svg") << tools::svg(
      {.panels = {{.series = {tools::scatter("wanted", t[0]), tools::scatter("made", t[1])}, .height = 632}}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
