// The learning-rate range test (Smith 2017, "Cyclical learning rates", https://arxiv.org/abs/1506.01186): a short mock
// training whose rate grows step by step, from far too small to far too large. The loss over the rate shows where
// learning begins and where it breaks down; four rules, as fastai defines them
// (https://docs.fast.ai/callback.schedule), suggest a rate. The model is afterwards as it was, bit for bit: parameters,
// optimizer state, steps, generators.
//
//   const optim::RateRange range = optim::find_rate(model, train, {.batch_size = 64});
//   if (range.fell) model.set_learning_rate(range.minimum_tenth);
//
// Where no rate made the loss fall there is nothing to suggest. It fell where the mean of some tenth of the losses in a
// row (at least 4) lies below that of the first tenth by more than 4 standard errors of their difference and by more
// than 1 %. The noise in either is that of its steps' changes about their mean, so that a steep fall does not count as
// noise, but at least that of the first half's changes. Losses that are nothing but noise pass for a fall in some 0.3 %
// of tests. Tests of 20 steps miss every other fall of ten times the noise that ends in a breakdown, those of 30 every
// thirtieth, longer ones hardly any; where a batch is so small that it is as noisy as its loss, none is seen.
//
// Thread safety: as the model's.
#pragma once

#include <oxbow/optim/model.h>

namespace oxbow::optim {

struct RateRangeOptions {
  double lowest = 1e-7, highest = 10;  ///< rates; each step's is a constant times the last one's
  int steps = 100;                     ///< at least 20
  std::int64_t batch_size = 32;
  std::uint64_t seed = 0;   ///< of the order of samples
  double smoothing = 0.98;  ///< of the losses: an exponential average without bias; 0 for none
  double stop_at = 4;       ///< times the lowest smoothed loss: there the run has diverged and ends. 0: never
  std::stop_token stop = {};
};

struct RateRange {
  std::vector<double> rates, losses, smoothed;  ///< one a step that was run, the last one perhaps not finite
  bool fell = false;                            ///< by more than its noise; where not, the four rates below are NaN
  bool diverged = false;  ///< ended before all steps: the loss rose beyond `stop_at`, or was not finite
  /// In the middle of the longest valley, the longest falling subsequence of the losses: fastai's default. Too small by
  /// orders of magnitude where the test begins far below the rates that learn: the noise there falls, too.
  double valley = 0;
  double steepest = 0;       ///< where the loss falls fastest over the logarithm of the rate
  double minimum_tenth = 0;  ///< a tenth of the rate with the lowest loss: it may lie below all rates that were tried
  double slide = 0;          ///< left of the last place at which the slope changes by more than 0.5 % over 15 steps
};

/// Runs the test. Throws `Error` when the model's rate is a schedule, the options make no sense, the data do not fit,
/// memory runs out, or fewer than 20 steps were run before the loss broke down: then `lowest` is too large.
RateRange find_rate(Model& model, const Dataset& data, RateRangeOptions options);
inline RateRange find_rate(Model& model, const Dataset& data) { return find_rate(model, data, RateRangeOptions{}); }

/// The suggestions for a recorded test: sets `fell` and the four rates from `rates`, `losses` and `smoothed`. For the
/// rates the first tenth and the last five of the steps are left out, as fastai does; so are losses that are not
/// finite. Throws `Error` for fewer than 20 steps, lists of different lengths, or where no loss is finite.
void suggest(RateRange& range);

}  // namespace oxbow::optim
