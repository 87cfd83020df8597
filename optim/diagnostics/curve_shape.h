// The shape of a loss curve in numbers: what judge.h decides by. Internal to judge.cpp and lr_find.cpp. Safe from any
// thread.
//
// Ratios and deviations are of the loss's natural logarithm, so that the scale of the loss does not matter. Losses
// below 0 have no logarithm: such a curve is lifted until its lowest is a hundredth of its range. (Unless none is lower
// than a millionth of the highest: that is 0, rounded.) What is less than 1e-12 of the first loss counts as that.
#pragma once

#include <span>

namespace oxbow::optim::internal {

struct CurveShape {
  double lift = 0;  ///< what was added to each loss; 0 where none is below 0

  // Levels: means of the (lifted) losses.
  double first = 0;    ///< the very first loss
  double start = 0;    ///< of the first 5 %, at least 3
  double middle = 0;   ///< of 30 % to 50 %
  double end = 0;      ///< of the last 20 %
  double highest = 0;  ///< of all

  // A leap in the opening, the first half.
  double peak = 0;       ///< the highest loss there
  double peak_step = 0;  ///< at which step, from 1
  double before = 0;     ///< mean of the losses before the leap: until they have doubled, or risen half way to the peak
  double began = 0;      ///< of the first of these alone: at most 5 % of the run, or 3
  double leap = 0;       ///< by how many deviations of the later log losses the peak lies above their mean
  double late_high = 0;  ///< the highest (lifted) loss of the last 20 %: a leap is none that comes again

  // Noise, as standard deviations.
  double step = 0;           ///< of a step's change, over sqrt 2, from the mean of its size: a few leaps count little
  double late_step = 0;      ///< the same of the second half, from the mean square
  double late_noise = 0;     ///< the same of the second half's (lifted) losses, from the mean size
  double opening_noise = 0;  ///< of the first 10 %, at least 10 losses, about their line
  double swing = 0;          ///< of the second half about its line

  // The second half's deviations from its line.
  double memory = 0;  ///< correlation with the next one
  double cycle = 0;   ///< share of their squares that the two before foretell: near 1 where they go up and down by rule
  double skew = 0;    ///< third moment: a minibatch's noise has a tail downwards, below 0; spikes are above
  double turns = 0;   ///< share of steps where the loss turns: a smooth curve that bends has next to none

  // Trends.
  double fall_t = 0;       ///< slope of all log losses in its own standard errors
  double fall_loss_t = 0;  ///< the same of the losses themselves
  double late_fall = 0;    ///< change of the line through the last 70 %, stretched to the whole run
  double half_t = 0;       ///< slope of the last half in its own standard errors
  double last_t = 0;       ///< the same of the last 30 %
  double flattened = 0;    ///< by how many of its standard errors the last 30 %'s slope lies above the last half's
  double wander = 0;       ///< correlation of all deviations from the line through all with the next ones

  // That the loss fell quickly and then stays: what a + b exp(-t / tau) with tau of at most 15 % of the run explains
  // beyond a straight line, as twice the gain in log likelihood of normal errors.
  double settled = 0;       ///< of the losses
  double log_settled = 0;   ///< of the log losses from the second on
  double settled_t = 0;     ///< b of the latter in its standard errors: above 0 where it fell
  double settled_from = 0;  ///< share of the run after which less than 5 % of the latter's b is left

  // Upwards, in deviations of the late steps.
  double jump = 0;  ///< from the first loss to the next three
  double rise = 0;  ///< from the start to the end

  double above_first = 0;  ///< by how much four fifths of the losses are above the first one
};

/// The noise of a curve, as a standard deviation, from the mean size of its steps' changes: a few leaps count little.
/// The mean size of a normal number is sqrt(2 / pi) of its deviation, and a change is the difference of two. At least
/// two losses.
double step_noise(std::span<const double> losses);

/// Measures at least 20 finite losses whose squares are finite, too.
CurveShape measure_curve(std::span<const double> losses);

}  // namespace oxbow::optim::internal
