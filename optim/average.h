// Averages of the weights over the steps, which often generalise better than the last ones. They are kept beside the
// parameters; training does not see them, evaluation and prediction take them.
//
//   compile(loss, "sgd", {.minimize = {.average = optim::EMA{.decay = 0.999}}})
//
// Layers' running statistics (batch normalisation) are those of the weights that train, and do not fit their averages.
// So `Model::fit` computes them anew for the averages at the end of each epoch: see `Model::refresh_statistics`.
// Thread safety: values.
#pragma once

#include <oxbow/graph/value.h>

#include <variant>

namespace oxbow::optim {

/// The exponential moving average (Polyak and Juditsky 1992), which begins at the weights before the first step:
///   a = decay a + (1 - decay) w
struct EMA {
  double decay = 0.999;
  bool operator==(const EMA&) const = default;
};

/// The mean of the weights after the steps start + every, start + 2 every, ... and until the first of these the weights
/// themselves. Stochastic weight averaging: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407.
struct SWA {
  std::int64_t start = 0;
  std::int64_t every = 1;
  bool operator==(const SWA&) const = default;
};

using Average = std::variant<std::monostate, EMA, SWA>;

/// Throws `Error` for a field that makes no sense.
void check(const Average& average);
/// The average after a step that makes `updated` of `parameter`; `count` is the number of that step, the first being 1.
Value averaged(const Average& average, Value before, Value parameter, Value updated, Value count);

}  // namespace oxbow::optim
