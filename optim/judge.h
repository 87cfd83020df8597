// What a loss curve says about the learning rate: too small a rate crawls, too large a one overshoots.
//
//   const optim::Judgement j = optim::judge(history);        // or judge(losses), a number a step
//   std::cout << to_string(j);
//     // oscillating: the loss swings by 82 % of its level ... divide the learning rate by 3 to 10 ...
//   model.fit(data, {.callbacks = {optim::stop_when_diverging()}});
//
// Pure functions of the numbers: the scale of the loss, its units, do not matter. Losses below 0 (a log likelihood,
// say) have no known level, so there a fall is measured by the range of the curve: one that is as fast at the end as at
// the start is too slow, however deep it goes, one that ends at twice its first height above the lowest diverges, and
// after a leap at the start one has overshot that does not come below its first losses again.
// How often verdicts are right is measured on curves whose fault follows from how they were made:
// tests/optim/curves.h, tests/optim/test_judge.cpp. Losses of minibatches of fewer than 8 samples are noisier than
// those: judge the means of several steps. Safe from any thread.
#pragma once

#include <oxbow/optim/fit.h>

#include <span>
#include <string>
#include <vector>

namespace oxbow::optim {

enum class Verdict : std::uint8_t {
  diverging,    ///< the loss is not finite, or ends at twice the first one or more, and not by noise: where a fifth of
                ///< the later losses are as low as the first, it swings
  overshot,     ///< it leapt up in the first half, and then stays near where it began, or is still on its way back:
                ///< dead or saturated units. After four times its start or more, from 0.45 to 2 times that is near
  oscillating,  ///< it swings more than a minibatch's noise does, and does not fall
  too_slow,     ///< it falls little, and evenly, or not visibly at all
  plateau,      ///< it fell (or jumped) and then stays where it is
  healthy       ///< it fell, and falls on or has nothing left to fall (0 throughout, say). Swings while it falls are
                ///< no fault: the edge of stability (Cohen et al. 2021, https://arxiv.org/abs/2103.00065)
};
/// "diverging", "overshot", "oscillating", "too slow", "plateau", "healthy".
std::string_view name(Verdict v);

/// The numbers that a verdict rests on.
struct Evidence {
  std::int64_t steps = 0;      ///< that were looked at
  std::int64_t first_bad = 0;  ///< the first step, from 1, whose loss is not finite; 0: none
  double lift = 0;             ///< added to each loss for `swing` and what follows, where some are below 0
  double first = 0;            ///< the first loss
  double start = 0;  ///< mean loss of the first 5 %; where the loss leaps up in the opening, of what comes before that
  double peak = 0;   ///< the highest loss of the opening, the first half
  std::int64_t peak_step = 0;  ///< where it is, from 1
  double middle = 0, end = 0;  ///< mean loss of 30 % to 50 %, and of the last 20 %
  double swing = 0;   ///< deviation of the last half's log loss from its straight line: 0.1 is 10 % of the level
  double memory = 0;  ///< correlation of one step's deviation with the next one's: 0 is a minibatch's noise, -1 hopping
                      ///< from side to side of a valley
  double change = 0;  ///< of the log loss along the line through the last 70 %, for the length of a whole run
  double change_t = 0;       ///< slope of the line through the whole run's log loss, in its own standard errors
  bool still_falls = false;  ///< the last half's line falls by 2 standard errors of its slope, and the last 30 %'s is
                             ///< not flatter by 2 of its own; or falls by 2 of them itself
  double restless = 0;   ///< points, -1.1 to 4.7, for swings that a minibatch's noise about a settled level does not
                         ///< explain: that wander, grow, or spike upwards. Above 1: oscillating, unless the loss falls
  double flat_from = 0;  ///< where the loss settled: the share of the run after which no fall is seen; else 0
};

struct Judgement {
  Verdict verdict;
  Evidence evidence;
  std::string because;  ///< the evidence in words, with its numbers
  std::string advice;   ///< what to do about it
};

/// Judges a run by its losses, one a step or an epoch, in order. Throws `Error` for fewer than 20 losses, unless one of
/// them is not finite.
Judgement judge(std::span<const double> losses);
/// The same of what `fit` returned, by steps. Where validation losses are there and have risen for a third of the
/// epochs while training's fell, the advice says so.
Judgement judge(const History& history);

/// "plateau: the loss fell from 2.3 to ... \nadvice".
std::string to_string(const Judgement& j);

/// A callback for `fit`: judges after every `every` steps and ends training when the verdict is diverging; `judgement`,
/// if given, keeps the last one and must outlive the training. Throws `Error` unless every >= 20.
Callback stop_when_diverging(std::int64_t every = 100, Judgement* judgement = nullptr);

}  // namespace oxbow::optim
