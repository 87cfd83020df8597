#include <oxbow/optim/diagnostics/curve_shape.h>
#include <oxbow/optim/judge.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>

namespace oxbow::optim {
using namespace internal;

namespace {

// All thresholds were set on the tuning seeds of tests/optim/curves.h; held-out seeds served only to count errors.
constexpr std::int64_t fewest_losses = 20;
constexpr double next_to_nothing = 5.5e-4;  // of the first loss
constexpr double nearly = 1.25;             // as much, or as little

// 0 up to `low`, 1 from `high` on, straight between.
double ramp(double x, double low, double high) { return std::clamp((x - low) / (high - low), 0.0, 1.0); }

// Straight between the points given, constant beyond them.
struct Point {
  double x, y;
};
double between(double x, std::initializer_list<Point> points) {
  const Point* last = points.begin();
  if (x <= last->x) return last->y;
  for (const Point& p : points) {
    if (x < p.x) return last->y + (p.y - last->y) * (x - last->x) / (p.x - last->x);
    last = &p;
  }
  return last->y;
}

// What the shape shows, before a verdict.
struct Signs {
  bool hops;          // from side to side of a valley, at every step, or up and down by another rule
  bool wanders;       // widely, over many steps: more than a minibatch's noise does
  double restless;    // points for an unrest that no settled level explains
  bool fell_to_stay;  // quickly at first, or its noise did: something settled
  bool jumped;        // upwards, and stays there
  bool leapt;         // upwards in the opening, and came back
  bool high;          // upwards in the opening, wherever it goes then
  bool back;          // on the way back from a leap, or there: at the end not below where it began
  bool thrown;        // upwards by far, and ends about where it began: little of the start is lost, however noisily
};

Signs read(const CurveShape& s) {
  // A smooth curve that merely bends deviates from its line, too, but does not turn.
  const bool turns = s.turns >= 0.05;
  // The deviation that a mean of many steps has beside that of independent ones: log of swing * this.
  const double memory = std::clamp(s.memory, -0.95, 0.95);
  const double roaming = std::log(std::max(s.swing, 1e-9) * std::sqrt((1 + memory) / (1 - memory)));
  const double louder = std::log(std::max(s.swing, 1e-12) / std::max(s.opening_noise, 1e-12));
  Signs signs{};
  signs.hops = turns && s.swing > 0.1 && (s.memory < -0.9 || (s.memory < 0.3 && s.cycle > 0.75));
  signs.wanders = turns && s.memory > 0.1 && roaming > -0.3;
  // Of a lifted loss the level is made up: how much of it is noise says nothing.
  const double roams = s.lift == 0 ? ramp(roaming, -0.4, -0.1) : 0;
  if (turns && s.swing > 0.12)
    signs.restless = roams + ramp(louder, -0.3, 1.2) + ramp(s.wander, 0, 0.45) + ramp(s.skew, 0.2, 1) +
                     // Some settling is another sign of a leap at the start; a lot is a calm curve's.
                     between(std::log1p(s.settled), {{1.5, 0}, {2.8, 0.7}, {4.3, 0.3}, {5.1, -0.55}, {6.2, -1.1}});
  const double fell = std::log(s.highest / s.end);
  signs.fell_to_stay = (s.log_settled + s.settled / 2 > 12 && fell > 0.2 && (s.settled_t > 1.5 || s.swing < 0.11)) ||
                       (louder < -0.85 && s.opening_noise > 0.04) || (louder < -0.25 && fell > 1.4);
  signs.jumped = s.jump > 4 || s.rise > 1.3;
  signs.leapt = s.lift == 0 && s.peak >= 1.9 * s.before && s.leap >= 5.5;
  // A leap that takes long to come back from is as wide as the losses after it: there the last ones tell.
  const double height = s.peak - std::max(s.before, s.end);
  signs.high = s.lift == 0 ? s.peak >= 1.9 * s.before : height >= 20 * s.late_noise;
  const bool there = s.lift == 0 ? std::log(s.peak / s.end) >= 5.5 * s.late_step && s.late_step < 0.22 &&
                                       s.end >= 0.85 * s.before && s.end < 2 * s.before && s.late_high < 1.9 * s.before
                                 : s.end >= s.before - 3 * s.late_noise && s.end <= s.before + 0.1 * height &&
                                       s.late_high <= s.before + 0.2 * height;
  signs.back = signs.high && there;
  signs.thrown = s.lift == 0 && s.peak >= 4 * s.began && s.leap >= 4 &&
                 std::log(s.peak / s.began) >= 5.5 * s.late_step && s.end >= 0.45 * s.began && s.end < 2 * s.began;
  return signs;
}

// The end is at least twice the first loss, and the first loss was not low by chance alone.
bool diverges(const CurveShape& s, const Signs& signs) {
  const double rise = std::log(s.end / s.first), since_start = std::log(s.end / s.start);
  if (!(rise >= std::log(2.0))) return false;
  if (since_start < -1.4) return true;               // it leapt four times as high, and came back in part
  if (s.step < 0.36 && s.wander > 0.2) return true;  // there is little noise, and not independent
  if (s.above_first <= 0) return false;              // a fifth of the later losses are as low
  if (s.above_first > 2.9 * s.step) return true;     // hardly a later loss is as low
  if (since_start > 0.8 && s.above_first > 1.5 * s.step) return true;  // it rose all the way
  if (s.step > 0.7 && std::abs(s.wander) < 0.45) return true;          // few minibatches are so noisy
  const bool independent = s.memory > -0.9 && s.memory < 0.24 && s.wander < 0.45;
  return independent && (signs.restless > 0.8 || signs.fell_to_stay);
}

bool falls(const CurveShape& s, const Signs& signs) {
  const double since_middle = std::log(s.end / s.middle);
  if (s.late_fall <= -0.44 && s.fall_t <= (signs.wanders ? -10.5 : -6.2) && since_middle <= -0.14) return true;
  if (s.end > 0.85 * s.middle || s.end > 0.55 * s.first) return false;
  if (s.fall_loss_t <= -5.5 && s.settled > 20) return true;
  // Swings that grow while it falls: the edge of stability.
  return s.swing > 2 * s.opening_noise && s.wander < 0.5 && !signs.wanders;
}

// After a leap it stays about where it began, or has not come below that.
bool overshoots(const CurveShape& s, const Signs& signs) {
  return signs.back || (signs.leapt && s.swing < 0.22 && s.end >= 0.4 * std::max(s.began, s.before) &&
                        s.end >= 0.87 * s.middle && s.end <= 1.12 * s.middle);
}
bool gains_nothing(const CurveShape& s, const Signs& signs) {
  return signs.high && s.end >= (s.lift == 0 ? 0.95 * s.before : s.before - s.late_noise);
}

bool nothing_left(const CurveShape& s) { return s.end <= next_to_nothing * s.first && s.late_step < 0.11; }

// As fast at the end as at the start: by the rule of tests/optim/curves.h, 35 % of the fall or more belong to the
// second half. A straight line has 57 % of it between these levels, where it has 50 % in that half.
bool falls_evenly(const CurveShape& s) { return s.middle - s.end >= 0.35 / 0.5 * 0.57 * (s.start - s.end); }

Verdict decide(const CurveShape& s, const Signs& signs) {
  if (diverges(s, signs)) return Verdict::diverging;
  // Below 0 there is no level by which a leap is told from large swings, or from what a fall began with.
  if (s.lift == 0 && overshoots(s, signs)) return Verdict::overshot;
  // What only a minibatch's noise moves after a leap, without memory or a tail upwards, does not swing.
  const bool noise = !signs.hops && s.swing < 0.4 && s.memory < 0.25 && s.skew < 0.5;
  if (signs.thrown && noise && s.end < nearly * s.began) return Verdict::overshot;
  if (nothing_left(s) || falls(s, signs)) {
    if (signs.thrown || gains_nothing(s, signs)) return Verdict::overshot;
    // A curve that was lifted ends near 0 because of that alone, and would be healthy however it gets there.
    return s.lift != 0 && falls_evenly(s) ? Verdict::too_slow : Verdict::healthy;
  }
  if (signs.hops || signs.restless > 1) return Verdict::oscillating;
  if (signs.thrown || overshoots(s, signs)) return Verdict::overshot;
  return signs.fell_to_stay || signs.jumped ? Verdict::plateau : Verdict::too_slow;
}

Evidence evidence(std::span<const double> l, const CurveShape& s, const Signs& signs, Verdict verdict) {
  // What jumped at the first step, or became calm after the opening, is flat from then on.
  const double settled_from = signs.jumped ? 0.02 : s.settled_from > 0 ? s.settled_from : 0.1;
  // Levels without the lift: the user sees his own numbers.
  return {.steps = static_cast<std::int64_t>(l.size()),
          .first_bad = 0,
          .lift = s.lift,
          .first = l[0],
          .start = (signs.leapt || verdict == Verdict::overshot ? s.began : s.start) - s.lift,
          .peak = s.peak - s.lift,
          .peak_step = static_cast<std::int64_t>(s.peak_step),
          .middle = s.middle - s.lift,
          .end = s.end - s.lift,
          .swing = s.swing,
          .memory = s.memory,
          .change = s.late_fall,
          .change_t = s.fall_t,
          .still_falls = s.last_t < -2 || (s.half_t < -2 && s.flattened < 2),
          .restless = signs.restless,
          .flat_from = signs.fell_to_stay || signs.jumped ? settled_from : 0};
}

template <class... A>
std::string text(const char* format, A... a) {
  char line[400];
  std::snprintf(line, sizeof line, format, a...);
  return line;
}

std::string what_rose(const Evidence& e) {
  const std::string times = e.first > 0 ? text(", %.3g times as much", e.end / e.first) : "";
  return text("the loss rose from %.4g to %.4g%s, and stays there", e.first, e.end, times.c_str());
}

std::string what_fell_slowly(const Evidence& e) {
  const auto steps = static_cast<long long>(e.steps);
  const double fall = 100 * (1 - e.end / e.start);
  if (e.lift == 0 && fall > 0.01)
    return text(
        "the loss fell by only %.2g %% over %lld steps, from %.4g to %.4g, and as fast at the end as at the start",
        fall, steps, e.start, e.end);
  if (e.lift != 0 && e.end < e.start && e.change_t < -3)
    return text("the loss fell from %.4g to %.4g over %lld steps, as fast at the end as at the start", e.start, e.end,
                steps);
  return text("no fall is seen over %lld steps (%.4g at the start, %.4g at the end)", steps, e.start, e.end);
}

std::string what_fell_well(const Evidence& e) {
  const std::string fell = text("the loss fell from %.4g to %.4g", e.start, e.end);
  if (e.lift == 0 && e.end <= next_to_nothing * e.first) return fell + ", next to nothing is left";
  return fell + text(e.still_falls ? ", and still falls (%.4g in the middle)"
                                   : " (%.4g in the middle); at the end no fall is seen beyond the noise",
                     e.middle);
}

std::string what_leapt(const Evidence& e) {
  const std::string leapt =
      text("the loss leapt from %.4g to %.4g at step %lld, and ", e.start, e.peak, static_cast<long long>(e.peak_step));
  if (e.lift != 0 || (nearly * e.end > e.start && e.end < nearly * e.start))
    return leapt + text("then stays at %.4g, near where it began", e.end);
  return leapt + text("ends at %.4g, %.2g times its start", e.end, e.end / e.start);
}

// What the evidence is, and what to do about it.
std::pair<std::string, std::string> explanation(Verdict verdict, const Evidence& e) {
  switch (verdict) {
    case Verdict::diverging:
      if (e.first_bad == 1)
        return {"the loss of step 1 is not finite",
                "That is before any update, so the learning rate has no part in it: look for bad data (a NaN among "
                "inputs or labels), or for first weights that are too large. (Where these are epochs' losses, or those "
                "of a training that went on, the rate may be too large.)"};
      return {
          e.first_bad > 0 ? text("the loss of step %lld is not finite", static_cast<long long>(e.first_bad))
                          : what_rose(e),
          "The learning rate is above what the loss bears (2 / its largest curvature, for plain descent): divide it "
          "by 10, or find one with `oxbow lr find`. If a small rate blows up as well, look for bad data, or clip "
          "gradients."};
    case Verdict::overshot:
      return {what_leapt(e),
              "The steps were far too large and left dead or saturated units, or weights far off: divide the learning "
              "rate by 10, or let it rise from a small one over the first hundred steps (Warmup). Begin with new "
              "weights: these may not recover."};
    case Verdict::oscillating:
      return {text("the loss swings by %.0f %% of its %s over the last half and does not fall (%.4g in the "
                   "middle, %.4g at the end)%s",
                   100 * e.swing, e.lift == 0 ? "level" : "height above the lowest", e.middle, e.end,
                   e.memory < -0.9 ? "; it hops from side to side at every step" : ""),
              "The steps overshoot: divide the learning rate by 3 to 10, let it decay, or take larger batches or less "
              "momentum."};
    case Verdict::too_slow:
      return {what_fell_slowly(e),
              "Multiply the learning rate by 10, or find one with `oxbow lr find`. If the loss does not move then "
              "either, the gradients do not arrive: dead units, a frozen parameter, labels that do not belong to the "
              "inputs."};
    case Verdict::plateau:
      return {text("the loss went from %.4g to %.4g, and stays there after %.0f %% of the run (%.4g in the middle)",
                   e.first, e.end, 100 * e.flat_from, e.middle),
              "If this loss is good enough, training may end earlier. If not: divide the rate by 3 to 10 from there on "
              "(a schedule), raise it if it had decayed, or give the model more capacity."};
    case Verdict::healthy:
      return {what_fell_well(e), "Nothing to change; while it falls, more epochs bring more."};
  }
  return {};
}

Judgement judgement(Verdict verdict, const Evidence& e) {
  auto [because, advice] = explanation(verdict, e);
  return {.verdict = verdict, .evidence = e, .because = std::move(because), .advice = std::move(advice)};
}

}  // namespace

std::string_view name(Verdict v) {
  constexpr std::string_view names[] = {"diverging", "overshot", "oscillating", "too slow", "plateau", "healthy"};
  return names[static_cast<std::size_t>(v)];
}

Judgement judge(std::span<const double> losses) {
  const auto steps = static_cast<std::int64_t>(losses.size());
  const auto bad = std::find_if(losses.begin(), losses.end(), [](double l) { return !std::isfinite(l); });
  if (bad != losses.end())
    return judgement(Verdict::diverging, {.steps = steps, .first_bad = bad - losses.begin() + 1});
  if (steps < fewest_losses)
    throw Error("judge: " + std::to_string(steps) + " losses are too few to judge. Give at least " +
                std::to_string(fewest_losses) + ": those of single steps, say");
  double largest = 0;
  for (const double l : losses) largest = std::max(largest, std::abs(l));
  if (largest == 0)
    return {.verdict = Verdict::healthy,
            .evidence = {.steps = steps},
            .because = "the loss is 0 throughout, nothing is left to learn",
            .advice = "That says nothing about the learning rate. Check that the loss is the one that you mean."};
  // Squares of huge losses would be infinite, and those of tiny ones 0: such curves are scaled, exactly.
  const int exponent = largest > 1e100 || largest < 1e-100 ? std::ilogb(largest) : 0;
  std::vector<double> scaled(losses.begin(), losses.end());
  for (double& l : scaled) l = std::ldexp(l, -exponent);
  const CurveShape shape = measure_curve(scaled);
  const Signs signs = read(shape);
  const Verdict verdict = decide(shape, signs);
  Evidence e = evidence(scaled, shape, signs, verdict);
  for (double* level : {&e.lift, &e.first, &e.start, &e.peak, &e.middle, &e.end}) *level = std::ldexp(*level, exponent);
  return judgement(verdict, e);
}

Judgement judge(const History& history) {
  Judgement j = judge(history.step_losses);
  if (history.epochs.size() < 6 || !history.epochs[0].results.contains("val_loss")) return j;
  const std::vector<double> validation = history["val_loss"], training = history["loss"];
  const auto best = std::min_element(validation.begin(), validation.end()) - validation.begin();
  const auto last = static_cast<std::ptrdiff_t>(validation.size()) - 1;
  if (3 * (last - best) >= last && validation.back() > 1.02 * validation[static_cast<std::size_t>(best)] &&
      training.back() < training[static_cast<std::size_t>(best)])
    j.advice += text(
        " The validation loss has risen since epoch %d (%.4g to %.4g) while training's fell: it overfits; "
        "stop there, or regularise.",
        history.epochs[static_cast<std::size_t>(best)].number, validation[static_cast<std::size_t>(best)],
        validation.back());
  return j;
}

std::string to_string(const Judgement& j) {
  return std::string(name(j.verdict)) + ": " + j.because + "\n" + j.advice + "\n";
}

Callback stop_when_diverging(std::int64_t every, Judgement* judgement) {
  if (every < fewest_losses)
    throw Error("stop_when_diverging: judging needs at least " + std::to_string(fewest_losses) + " steps");
  return {.on_step = [every, judgement](Progress& p) {
    const auto& losses = p.history.step_losses;
    const bool due = static_cast<std::int64_t>(losses.size()) % every == 0;
    if (!due && std::isfinite(p.loss)) return;
    const Judgement now = judge(losses);
    if (now.verdict == Verdict::diverging) p.stop = true;
    if (judgement != nullptr) *judgement = now;
  }};
}

}  // namespace oxbow::optim
