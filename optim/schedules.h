// Schedules of the learning rate, as closed formulas of the step: see optim/rate.h for what a schedule is. In all
// of them the first step of a training is step 0, as in Keras and PyTorch, and beyond the last step the rate stays as
// it is there. t is the step.
//
//   optim::Adam{.learning_rate = optim::Cosine{.initial = 1e-3, .steps = 10000}}
//   optim::Warmup{.steps = 500, .then = optim::Cosine{.initial = 1e-3, .steps = 9500}}
//   optim::Sequence{.rates = {0.1, 0.01, 0.001}, .at = {3000, 6000}}
//
// Fields are checked when the optimizer is used or a rate is asked for: `Error` for a rate that is negative or not
// finite, for steps below 1.
// Thread safety: values.
#pragma once

#include <oxbow/optim/rate.h>

namespace oxbow::optim {

using oxbow::from_attr;
using oxbow::to_attr;
AttrValue to_attr(const std::vector<Rate>& rates);
void from_attr(const AttrValue& a, std::vector<Rate>& rates);

/// Falls by `factor` every `steps` steps, smoothly:  initial factor^(t / steps).  Keras: ExponentialDecay; PyTorch's
/// ExponentialLR with steps 1.
struct Exponential {
  static constexpr ScheduleInfo info{.name = "exponential"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double factor = 0.5;
  static void attributes(auto&& visit) {
    visit("initial", &Exponential::initial);
    visit("steps", &Exponential::steps);
    visit("factor", &Exponential::factor);
  }
  bool operator==(const Exponential&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// Falls by `factor` at once, every `steps` steps:  initial factor^floor(t / steps).  Keras: ExponentialDecay with
/// staircase; PyTorch: StepLR.
struct StepDecay {
  static constexpr ScheduleInfo info{.name = "step"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double factor = 0.1;
  static void attributes(auto&& visit) {
    visit("initial", &StepDecay::initial);
    visit("steps", &StepDecay::steps);
    visit("factor", &StepDecay::factor);
  }
  bool operator==(const StepDecay&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// Falls by `factor` at each of these rising steps:  initial factor^(how many of `at` are <= t).  PyTorch: MultiStepLR.
struct MultiStep {
  static constexpr ScheduleInfo info{.name = "multi_step"};
  double initial = 1e-3;
  std::vector<std::int64_t> at = {};
  double factor = 0.1;
  static void attributes(auto&& visit) {
    visit("initial", &MultiStep::initial);
    visit("at", &MultiStep::at);
    visit("factor", &MultiStep::factor);
  }
  bool operator==(const MultiStep&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// initial / (1 + decay t / steps).  Keras: InverseTimeDecay.
struct InverseTime {
  static constexpr ScheduleInfo info{.name = "inverse_time"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double decay = 1;
  static void attributes(auto&& visit) {
    visit("initial", &InverseTime::initial);
    visit("steps", &InverseTime::steps);
    visit("decay", &InverseTime::decay);
  }
  bool operator==(const InverseTime&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// final + (initial - final) (1 - min(t, steps) / steps)^power.  Keras: PolynomialDecay; PyTorch: PolynomialLR.
struct Polynomial {
  static constexpr ScheduleInfo info{.name = "polynomial"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double final = 0;
  double power = 2;
  static void attributes(auto&& visit) {
    visit("initial", &Polynomial::initial);
    visit("steps", &Polynomial::steps);
    visit("final", &Polynomial::final);
    visit("power", &Polynomial::power);
  }
  bool operator==(const Polynomial&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// A straight line, down or up:  initial + (final - initial) min(t, steps) / steps.  PyTorch: LinearLR.
struct Linear {
  static constexpr ScheduleInfo info{.name = "linear"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double final = 0;
  static void attributes(auto&& visit) {
    visit("initial", &Linear::initial);
    visit("steps", &Linear::steps);
    visit("final", &Linear::final);
  }
  bool operator==(const Linear&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// Half a cosine:  final + (initial - final) (1 + cos(pi min(t, steps) / steps)) / 2.  Loshchilov and Hutter 2017,
/// https://arxiv.org/abs/1608.03983, without restarts. Keras: CosineDecay; PyTorch: CosineAnnealingLR up to `steps`.
struct Cosine {
  static constexpr ScheduleInfo info{.name = "cosine"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double final = 0;
  static void attributes(auto&& visit) {
    visit("initial", &Cosine::initial);
    visit("steps", &Cosine::steps);
    visit("final", &Cosine::final);
  }
  bool operator==(const Cosine&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// The same, begun again and again: the first cycle takes `steps` steps, each later one `growth` times as many as that
/// before, and starts at `shrink` times its rate. The same paper; Keras: CosineDecayRestarts (t_mul, m_mul); PyTorch:
/// CosineAnnealingWarmRestarts.
struct CosineRestarts {
  static constexpr ScheduleInfo info{.name = "cosine_restarts"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  std::int64_t growth = 1;
  double shrink = 1;
  double final = 0;
  static void attributes(auto&& visit) {
    visit("initial", &CosineRestarts::initial);
    visit("steps", &CosineRestarts::steps);
    visit("growth", &CosineRestarts::growth);
    visit("shrink", &CosineRestarts::shrink);
    visit("final", &CosineRestarts::final);
  }
  bool operator==(const CosineRestarts&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// Up from peak / divide to the peak in the first `warmup` of the steps, then down to peak / divide / final_divide at
/// the last one, t = steps - 1; both along half a cosine. Smith and Topin 2018, https://arxiv.org/abs/1708.07120;
/// PyTorch: OneCycleLR.
struct OneCycle {
  static constexpr ScheduleInfo info{.name = "one_cycle"};
  double peak = 1e-2;
  std::int64_t steps = 1000;
  double warmup = 0.3;
  double divide = 25;
  double final_divide = 1e4;
  static void attributes(auto&& visit) {
    visit("peak", &OneCycle::peak);
    visit("steps", &OneCycle::steps);
    visit("warmup", &OneCycle::warmup);
    visit("divide", &OneCycle::divide);
    visit("final_divide", &OneCycle::final_divide);
  }
  bool operator==(const OneCycle&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// A triangle from `low` up to `high` in `up` steps and down again in `down`, over and over; the height of each is
/// `shrink` times that of the one before (0.5: triangular2), and falls by `decay` at each step (exp_range). Smith 2017,
/// https://arxiv.org/abs/1506.01186; PyTorch: CyclicLR.
struct Cyclic {
  static constexpr ScheduleInfo info{.name = "cyclic"};
  double low = 1e-4;
  double high = 1e-2;
  std::int64_t up = 2000;
  std::int64_t down = 2000;
  double shrink = 1;
  double decay = 1;
  static void attributes(auto&& visit) {
    visit("low", &Cyclic::low);
    visit("high", &Cyclic::high);
    visit("up", &Cyclic::up);
    visit("down", &Cyclic::down);
    visit("shrink", &Cyclic::shrink);
    visit("decay", &Cyclic::decay);
  }
  bool operator==(const Cyclic&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// scale width^-0.5 min(n^-0.5, n warmup^-1.5) with n = t + 1: the paper counts from 1. Vaswani et al. 2017,
/// https://arxiv.org/abs/1706.03762, section 5.3.
struct Noam {
  static constexpr ScheduleInfo info{.name = "noam"};
  double scale = 1;
  std::int64_t width = 512;
  std::int64_t warmup = 4000;
  static void attributes(auto&& visit) {
    visit("scale", &Noam::scale);
    visit("width", &Noam::width);
    visit("warmup", &Noam::warmup);
  }
  bool operator==(const Noam&) const = default;
  void check() const;
  Value rate(Value step) const;
};

/// A straight line from `from` times the first rate of `then` up to it, in `steps` steps; after them `then`, whose own
/// steps begin there. Goyal et al. 2017, https://arxiv.org/abs/1706.02677; Keras: CosineDecay's warmup; PyTorch:
/// LinearLR before another in a SequentialLR.
struct Warmup {
  static constexpr ScheduleInfo info{.name = "warmup"};
  std::int64_t steps = 100;
  Rate then = 1e-3;
  double from = 0;
  static void attributes(auto&& visit) {
    visit("steps", &Warmup::steps);
    visit("then", &Warmup::then);
    visit("from", &Warmup::from);
  }
  bool operator==(const Warmup&) const = default;
  void check() const;
  Value rate(Value step, std::span<const Value> state) const;
  std::vector<Remembered> remembers() const;
  std::vector<std::string> monitors() const;
  std::vector<Value> observe(const Observed& o) const;
};

/// One after another: rates[0] for t < at[0], then rates[1], whose own steps begin at at[0], and so on; one rate more
/// than `at` has. Of numbers it is a piecewise constant. PyTorch: SequentialLR; Keras: PiecewiseConstantDecay, whose
/// boundaries are the last steps of a piece and so smaller by one.
struct Sequence {
  static constexpr ScheduleInfo info{.name = "sequence"};
  std::vector<Rate> rates = {1e-3};
  std::vector<std::int64_t> at = {};
  static void attributes(auto&& visit) {
    visit("rates", &Sequence::rates);
    visit("at", &Sequence::at);
  }
  bool operator==(const Sequence&) const = default;
  void check() const;
  Value rate(Value step, std::span<const Value> state) const;
  std::vector<Remembered> remembers() const;
  std::vector<std::string> monitors() const;
  std::vector<Value> observe(const Observed& o) const;
};

/// A schedule that counts in something longer than a step, such as an epoch of `steps` steps:  then(floor(t / steps)).
struct Every {
  static constexpr ScheduleInfo info{.name = "every"};
  std::int64_t steps = 1;
  Rate then = 1e-3;
  static void attributes(auto&& visit) {
    visit("steps", &Every::steps);
    visit("then", &Every::then);
  }
  bool operator==(const Every&) const = default;
  void check() const;
  Value rate(Value step, std::span<const Value> state) const;
  std::vector<Remembered> remembers() const;
  std::vector<std::string> monitors() const;
  std::vector<Value> observe(const Observed& o) const;
};

/// Falls by `factor` when a result has not become smaller (with `maximize`, greater) by more than `min_delta` for more
/// than `patience` epochs in a row, never below `least` times itself; the `cooldown` epochs after that do not count. In
/// a `Warmup` or `Sequence`, epochs count that end in its own part. What it remembers are variables, so it is saved
/// with the training. `Model::fit` tells it the result `monitor` after each epoch; by default that is "val_loss" where
/// there are validation data, and "loss" elsewhere. A NaN counts as no improvement. PyTorch and Keras:
/// ReduceLROnPlateau (Keras lowers the rate one epoch earlier: there `patience` epochs are enough).
struct Plateau {
  static constexpr ScheduleInfo info{.name = "plateau"};
  Rate initial = 1e-3;  ///< a number, or a schedule that is scaled
  double factor = 0.1;
  std::int64_t patience = 10;
  double min_delta = 0;
  std::int64_t cooldown = 0;
  double least = 0;
  std::string monitor = "";
  bool maximize = false;  ///< greater is better: an accuracy
  static void attributes(auto&& visit) {
    visit("initial", &Plateau::initial);
    visit("factor", &Plateau::factor);
    visit("patience", &Plateau::patience);
    visit("min_delta", &Plateau::min_delta);
    visit("cooldown", &Plateau::cooldown);
    visit("least", &Plateau::least);
    visit("monitor", &Plateau::monitor);
    visit("maximize", &Plateau::maximize);
  }
  bool operator==(const Plateau&) const = default;
  void check() const;
  Value rate(Value step, std::span<const Value> state) const;
  std::vector<Remembered> remembers() const;
  std::vector<std::string> monitors() const;
  std::vector<Value> observe(const Observed& o) const;
};

}  // namespace oxbow::optim
