// Trains with all there is at once: resume_program FROM MINIBATCHES TO. Goes on from the file FROM, unless that is "-",
// for so many minibatches, and saves to TO. tests/system/test_resume.cpp runs it as one process and as several.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/optim/schedules.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace oxbow;

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 5}), y = input(g, "y", f32, {any(8), 1});
  const Value noisy = x + random_normal_like(x, {.deviation = 0.01});
  const Value h = dropout(dense(noisy, 16, {.activation = relu}), 0.2);
  const Value loss = 50.0 * mean(square(dense(h, 1) - y));  // so that the scaled one overflows
  const optim::Rate rate = optim::Plateau{
      .initial = optim::Warmup{.steps = 7, .then = optim::CosineRestarts{.initial = 0.05, .steps = 9, .growth = 2}},
      .factor = 0.9,
      .patience = 0};
  Model model = compile(loss, optim::SGD{.learning_rate = rate, .momentum = 0.9, .nesterov = true},
                        {.minimize = {.groups = {{.pattern = "*/bias", .rate = 0.5}},
                                      .clip = {.global_norm = 1},
                                      .accumulate = 3,
                                      .average = optim::EMA{.decay = 0.9},
                                      .loss_scale = optim::LossScale{.initial = 0x1p126, .interval = 10}}});
  if (argv[1] != std::string("-")) model.load(argv[1]);

  Tensor values = draw({83, 5}, -1, 1, 3, f32), targets({f32, {83, 1}});
  for (std::int64_t i = 0; i < 83; ++i)
    targets.data<float>()[i] = values.data<float>()[5 * i] * values.data<float>()[5 * i + 1];
  std::int64_t left = std::atoi(argv[2]);
  const auto count = [&](Progress& p) { p.stop = --left == 0; };
  model.fit({{"x", values}, {"y", targets}},
            {.epochs = 1000, .batch_size = 8, .seed = 5, .callbacks = {{.on_step = count}}, .resume = true});
  model.save(argv[3], Saved::training);
  std::printf("%lld steps, %lld skipped\n", static_cast<long long>(model.steps()),
              static_cast<long long>(model.store().get("optimizer/skipped").item<std::int64_t>()));
  return 0;
}
