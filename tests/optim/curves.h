// Loss curves whose fault is known before anyone looks at them: what the judge of curves (optim/judge.h) is tested
// on.
//
// A label follows from how a curve was made, by the rule below, which is older than the judge: no threshold of it was
// ever set by what the judge says. Each curve has a seed. Seeds below 2'000'000, and even ones of MNIST's sweeps, may
// be used to tune a judge; a block from there on, and odd ones, only to test it, once it is written. A block that was
// read is spent when the judge changes after it: the next reading takes another one. Those from 2'000'000, 4'000'000
// and 6'000'000, and MNIST's 3 and 1001 to 1007, are. Sweeps of 2001 to 2015 were read before small nets' leaps were
// named, and again after; those were tuned on even seeds, and narrowed once where a curve of MNIST's 2007 was lost.
//
// Where the curves come from:
//
//   quadratic    full-batch descent with heavy-ball momentum on 1 to 12 axes of known curvature, that may differ on the
//                two sides of an axis's minimum (such a valley makes the loss swing), over a floor that no rate gets
//                below; perhaps the rate is cut to nothing on the way. share = rate / (2 (1 + momentum) / lambda_max).
//   regression   least squares on minibatches, inputs with second moment lambda I exactly. The expected squared
//   distance
//                from the minimum obeys e' = (1 - 2 rate lambda + rate^2 c) e + rate^2 n, with c and n known from the
//                data; it is stable below rate_ms = 2 lambda / c. share = rate / rate_ms; for divergence rate lambda
//                / 2.
//   mnist        recorded runs of small nets on the digits (tools/bench/record_curves.cpp): sweeps of ten rates.
//   nets         the same of nets of several kinds, with rates from near the edge to far beyond it.
//   small        the same of nets of a few units on small noisy batches, 240 steps, with five optimizers and rates from
//                1e-3 to 50: losses that leap late, or settle anywhere about their start.
//
// The rule for quadratics and regressions. L is the expected loss (exact), in windows of the run: start = its first 5
// %, middle = 35 % to 45 %, end = its last 10 %.
//
//   diverging    share >= 1.05, and end >= 3 start, or no longer finite
//   oscillating  share <= 1 and end < 3 start; the loss swings by at least 30 % of its level (quadratics: mean step
//                of L in the last half, on a two-sided valley; regressions: share in 0.75 .. 0.95 and a stationary
//                excess of at least 4 floors); and does not fall: mean of the last quarter >= 0.95 of the third's
//   too slow     share <= 0.1, end >= 0.75 start, still falling (the second half takes at least 35 % of the fall), and
//                five times the rate would at least double the fall
//   plateau      share <= 0.9 (regressions 0.3), fell by 15 % of start or more, of which less than 1 % since the
//   middle,
//                and less than 1 % of its level; end > start / 100
//   healthy      share <= 1 (regressions 0.3), end <= 0.35 start, and end <= 0.75 middle or end <= start / 1000. That
//   the
//                loss swings while it falls so is not a fault: the edge of stability (Cohen et al. 2021,
//                https://arxiv.org/abs/2103.00065).
//
// What is none of these, or in between, is not made into a curve: nobody could say what it is.
//
// The rule for recorded runs. Of each sweep (net, optimizer, batch size, seed) the best rate is the one with the lowest
// end (mean of the last fifth of the steps); start is the mean first loss of the sweep; early = 30 % to 50 %.
//
//   diverging    a loss that is not finite, or end >= 2 start, at a rate above the best
//   overshot     above the best rate: one of the first 30 % of the losses is at least 2 start, start / 2 <= end < 2
//   start,
//                |end - early| <= 10 % of end, and the deviation is below 20 %: a leap, and then dead or saturated
//                units
//   too slow     below the best rate, and the fall start - end is at most a quarter of the best one's
//   oscillating  above the best rate, end >= 1.5 best ends and < 2 start, the last half's losses deviate by at
//                least 20 % of their mean from the line through them, and end >= 0.9 early
//   plateau      above the best rate, end >= 1.5 best ends, deviation at most 10 %, |end - early| <= 5 % of end
//   healthy      start - end at least 80 % of the best one's, and end <= start / 2 and end <= 0.85 early
//   otherwise    unlabelled, left out
//
// Small nets' noise alone is often more than 20 %. Their sweep's slowest run, that stands at the start, shows how much:
//
//   overshot     also above the best rate: one of the first half's losses is at least 5 start, start / 2 <= end < 2
//                start, and end >= 1.5 best ends. Where the deviation is at least 20 % and 1.5 times the slowest run's,
//                "oscillating" is right, too: it leapt, and swings.
//   oscillating  only where the deviation is at least 1.5 times the slowest run's, too
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace oxbow::test {

enum class Fault : std::uint8_t { diverging, overshot, oscillating, too_slow, plateau, healthy };
inline constexpr const char* fault_names[] = {"diverging", "overshot", "oscillating", "too slow", "plateau", "healthy"};

struct LabelledCurve {
  std::string family;  ///< "quadratic", "regression", "mnist", "nets", "small"
  Fault fault;
  std::uint64_t seed;
  std::vector<double> losses;  ///< as training would report them: infinite or NaN ones included
  bool swings;                 ///< after it overshot, so that "oscillating" is right as well
};

inline constexpr std::uint64_t first_held_out = 8'000'000;
enum class Seeds : std::uint8_t { tuning, held_out };

/// 120 curves of each fault but "overshot" from quadratics, 120 of each from regressions, and all recorded curves whose
/// sweep is of these seeds (even ones tune, odd ones are held out). `recorded` is the folder of mnist_curves.csv,
/// overshoot_curves.csv and small_curves.csv, which tools/bench/record_curves.cpp wrote. The repository's hold sweeps
/// of the seeds 2001, 2003, 2005 and 2007, the second of 2009 to 2015 as well, and the third of 3001 and 3003.
std::vector<LabelledCurve> labelled_curves(Seeds seeds, const std::string& recorded);

}  // namespace oxbow::test
