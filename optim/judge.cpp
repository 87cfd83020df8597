#include <oxbow/optim/judge.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

namespace oxbow::optim {
namespace {

// Thresholds, set on the tuning seeds of tests/support/curves.h; held-out seeds served only to count errors.
constexpr double tiny = std::numeric_limits<double>::min();
constexpr std::int64_t fewest = 20;
constexpr double blown_up = 3;                     // times the start, for most of the last fifth
constexpr double sure = 4;                         // deviations of the noise beyond which a jump is no chance
constexpr double most_noise = 0.45;                // log deviation of a noisy minibatch's loss
constexpr double spike = 5;                        // times the first loss: the mean of the first 5 % is no start then
constexpr double gain = 2;                         // for a curve that saturates over a straight one
constexpr double seen = 1.5;                       // standard errors of a slope that is no chance
constexpr double hops = -0.9;                      // memory: from side to side
constexpr double hop_size = 0.1;                   // swing that counts for hops
constexpr double wild = 0.69;                      // swing, its memory counted in, that no minibatch's noise explains
constexpr double restless = 0.38;                  // the least swing that counts with memory
constexpr double leap_size = 3.5;                  // deviations of the noise
constexpr double calmer = 3, calmer_least = 0.05;  // the opening's deviation over the end's: something settled
constexpr double louder = 2, louder_least = 0.2;   // times the opening's deviation: noise that the rate has made
constexpr double converged = 0.003;                // of the start: nothing left to fall
constexpr double fell = 0.45, falls_on = 0.84;     // end / start and end / middle of a healthy run

using Numbers = std::span<const double>;

double mean(Numbers v) { return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()); }

double quantile(Numbers v, double q) {
  std::vector<double> sorted(v.begin(), v.end());
  const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), place, sorted.end());
  return *place;
}

// The least-squares line y = at0 + slope x.
struct Line {
  double at0 = 0, slope = 0, squares = 0, t = 0;  // squares left over; the slope in its own standard errors
};
template <class X>
Line line(Numbers y, X x) {
  const auto n = static_cast<double>(y.size());
  double mx = 0, my = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < y.size(); ++i) mx += x(i) / n, my += y[i] / n;
  for (std::size_t i = 0; i < y.size(); ++i) xx += (x(i) - mx) * (x(i) - mx), xy += (x(i) - mx) * (y[i] - my);
  Line l;
  l.slope = xx > 0 ? xy / xx : 0;
  l.at0 = my - l.slope * mx;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double off = y[i] - l.at0 - l.slope * x(i);
    l.squares += off * off;
  }
  const double error = std::sqrt(l.squares / (n - 2) / xx);
  l.t = std::abs(l.slope) / std::max(error, std::numeric_limits<double>::min());
  return l;
}

// Where a run that fell at first and then stayed is best cut: exp(-t / tau) explains more than a straight line does.
// The share of the run after which less than 5 % of the fall is left, or 0 where a line explains as much.
double saturates(Numbers log_loss) {
  const auto n = static_cast<double>(log_loss.size());
  const Line straight = line(log_loss, [n](std::size_t i) { return static_cast<double>(i) / n; });
  Line best = straight;
  double found = 0;
  for (const double tau : {0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15}) {
    const Line l = line(log_loss, [n, tau](std::size_t i) { return std::exp(-static_cast<double>(i) / n / tau); });
    if (l.squares < best.squares) best = l, found = 3 * tau;
  }
  // By the likelihood of normal errors: twice its logarithm gains this much.
  return best.t > sure && n * std::log(straight.squares / std::max(best.squares, tiny)) > gain ? found : 0;
}

Evidence measure(Numbers l, std::vector<double>& log_loss) {
  const std::size_t n = l.size();
  Evidence e{.steps = static_cast<std::int64_t>(n)};
  const std::size_t first = std::max<std::size_t>(3, n / 20);
  e.start = mean(l.first(first));
  if (e.start > spike * l[0]) e.start = l[0];
  e.middle = mean(l.subspan(n * 3 / 10, n / 2 - n * 3 / 10));
  e.end = mean(l.last(n / 5));
  // A loss of 0 or below has no logarithm: the curve is lifted so that its lowest is a millionth of its range.
  const auto [low, high] = std::minmax_element(l.begin(), l.end());
  const double lift = *low > 0 ? 0 : (*high - *low) * 1e-6 - *low + std::numeric_limits<double>::min();
  log_loss.resize(n);
  for (std::size_t i = 0; i < n; ++i) log_loss[i] = std::log(l[i] + lift);

  const Numbers half = Numbers(log_loss).subspan(n / 2);
  const auto x = [](std::size_t i) { return static_cast<double>(i); };
  const Line trend = line(half, x);
  const auto off = [&](std::size_t i) { return half[i] - trend.at0 - trend.slope * x(i); };
  double product = 0;
  for (std::size_t i = 1; i < half.size(); ++i) product += off(i) * off(i - 1);
  e.swing = std::sqrt(trend.squares / static_cast<double>(half.size()));
  e.memory = trend.squares > 0 ? std::clamp(product / trend.squares, -1.0, 1.0) : 0;
  e.change = trend.slope * static_cast<double>(half.size());
  return e;
}

// How often the last half turns: a smooth curve that merely bends is no swing.
double turns(Numbers half) {
  int count = 0;
  for (std::size_t i = 2; i < half.size(); ++i)
    count += (half[i] - half[i - 1]) * (half[i - 1] - half[i - 2]) < 0 ? 1 : 0;
  return count / static_cast<double>(half.size());
}

// The log deviation of the first losses about their line.
double opening_noise(Numbers log_loss) {
  const Numbers first = log_loss.first(std::max<std::size_t>(10, log_loss.size() / 20));
  const Line l = line(first, [](std::size_t i) { return static_cast<double>(i); });
  return std::sqrt(l.squares / static_cast<double>(first.size() - 2));
}

bool diverges(Numbers l, Evidence& e, Numbers log_loss) {
  const double early = mean(l.first(std::max<std::size_t>(3, l.size() / 20)));
  const Numbers half = l.subspan(l.size() / 2), last = l.last(l.size() / 5);
  const double now = quantile(last, 0.5);
  const auto stays_above = [&](double start, double times) {
    return start > 0 && now >= times * start && quantile(half, 0.2) >= times / 2 * start;
  };
  if (stays_above(std::max(e.start, l[0]), blown_up)) return true;
  // The very first steps may have blown up already, so that only the first loss is the start; a single loss is noisy,
  // unless the run bounces as no minibatch's noise does.
  const bool bounces = e.swing > 1.5 * wild && e.memory < 0.25;
  const double jump = quantile(log_loss.subspan(2), 0.5) - log_loss[0];
  if (early >= 1.5 * l[0] && jump > (bounces ? std::log(2.0) : sure * std::min(e.swing, most_noise)) &&
      stays_above(l[0], 2)) {
    e.start = l[0];
    return true;
  }
  // Or the first step itself was the leap.
  const double leap = *std::min_element(log_loss.begin() + 1, log_loss.begin() + 5) - log_loss[0];
  if (leap > leap_size * std::min(e.swing, 0.55) && leap > std::log(2.0) && stays_above(l[0], 1.8)) {
    e.start = l[0];
    return true;
  }
  return false;
}

Verdict decide(Numbers l, Evidence& e, Numbers log_loss) {
  if (diverges(l, e, log_loss)) return Verdict::diverging;
  if (e.end <= converged * e.start) return Verdict::healthy;

  const auto half = static_cast<double>(l.size() - l.size() / 2);
  const double memory = std::clamp(e.memory, 0.0, 0.95);
  const double independent = half * (1 - memory) / (1 + memory);  // as many as the correlated ones are worth
  const bool falls = e.change < -0.2 && -e.change > sure * e.swing * std::sqrt(12 / independent);
  const Line since = line(log_loss.subspan(l.size() * 3 / 10), [](std::size_t i) { return static_cast<double>(i); });
  const bool lower = e.end <= fell * e.start && e.end <= falls_on * e.middle && since.slope < 0;

  const bool turns_often = turns(l.subspan(l.size() / 2)) >= 0.05;
  const bool hopping = e.memory < hops && e.swing > hop_size;
  const bool roaming = e.swing > restless && e.swing * std::sqrt((1 + memory) / (1 - memory)) > wild;
  const bool louder_now = e.swing > louder_least && e.swing > louder * opening_noise(log_loss);
  if (turns_often && (hopping || roaming)) {
    const bool falls_by_chance_only = e.change >= -0.2 || std::abs(e.memory) >= 0.25 || since.t <= sure;
    return falls || (lower && !falls_by_chance_only) ? Verdict::healthy : Verdict::oscillating;
  }
  if (lower && since.t > seen) return Verdict::healthy;
  if (turns_often && louder_now && !falls) return Verdict::oscillating;
  e.flat_from = saturates(log_loss);
  const double opening = opening_noise(log_loss);
  if (e.flat_from == 0 && opening > calmer_least && opening > calmer * e.swing) e.flat_from = 0.1;
  return e.flat_from > 0 ? Verdict::plateau : Verdict::too_slow;
}

template <class... A>
std::string text(const char* format, A... a) {
  char line[400];
  std::snprintf(line, sizeof line, format, a...);
  return line;
}

void explain(Judgement& j) {
  const Evidence& e = j.evidence;
  const double fall = 100 * (1 - e.end / e.start);
  switch (j.verdict) {
    case Verdict::diverging:
      j.because = e.first_bad > 0 ? text("the loss of step %lld is not finite", static_cast<long long>(e.first_bad))
                                  : text("the loss rose from %.4g to %.4g, %.3g times as much, and stays there",
                                         e.start, e.end, e.end / e.start);
      j.advice =
          "The learning rate is above what the loss bears (2 / its largest curvature, for plain descent): divide it by "
          "10, or find one with `oxbow lr find`. If a small rate blows up as well, look for bad data, or clip "
          "gradients.";
      return;
    case Verdict::oscillating:
      j.because = text(
          "the loss swings by %.0f %% of its level over the last half and does not fall (%.4g in the "
          "middle, %.4g at the end)%s",
          100 * e.swing, e.middle, e.end, e.memory < hops ? "; it hops from side to side at every step" : "");
      j.advice =
          "The steps overshoot: divide the learning rate by 3 to 10, let it decay, or take larger batches or less "
          "momentum.";
      return;
    case Verdict::too_slow:
      j.because = fall > 0.01 ? text(
                                    "the loss fell by only %.2g %% over %lld steps, from %.4g to %.4g, and as fast at "
                                    "the end as at the start",
                                    fall, static_cast<long long>(e.steps), e.start, e.end)
                              : text("no fall is seen over %lld steps (%.4g at the start, %.4g at the end)",
                                     static_cast<long long>(e.steps), e.start, e.end);
      j.advice =
          "Multiply the learning rate by 10, or find one with `oxbow lr find`. If the loss does not move then either, "
          "the gradients do not arrive: dead units, a frozen parameter, labels that do not belong to the inputs.";
      return;
    case Verdict::plateau:
      j.because = text("the loss went from %.4g to %.4g, and stays there after %.0f %% of the run (%.4g in the middle)",
                       e.start, e.end, 100 * std::min(e.flat_from, 0.5), e.middle);
      j.advice =
          "If this loss is good enough, training may end earlier. If not: divide the rate by 3 to 10 from there on (a "
          "schedule), raise it if it had decayed, or give the model more capacity.";
      return;
    case Verdict::healthy:
      j.because = text("the loss fell from %.4g to %.4g%s", e.start, e.end,
                       e.end <= converged * e.start ? ", next to nothing is left"
                                                    : text(", and still falls (%.4g in the middle)", e.middle).c_str());
      j.advice = "Nothing to change; while it falls, more epochs bring more.";
      return;
  }
}

}  // namespace

std::string_view name(Verdict v) {
  constexpr std::string_view names[] = {"diverging", "oscillating", "too slow", "plateau", "healthy"};
  return names[static_cast<std::size_t>(v)];
}

Judgement judge(std::span<const double> losses) {
  Judgement j{.verdict = Verdict::diverging, .evidence = {}, .because = {}, .advice = {}};
  const auto bad = std::find_if(losses.begin(), losses.end(), [](double l) { return !std::isfinite(l); });
  if (bad != losses.end()) {
    j.evidence.steps = static_cast<std::int64_t>(losses.size());
    j.evidence.first_bad = bad - losses.begin() + 1;
    explain(j);
    return j;
  }
  if (losses.size() < static_cast<std::size_t>(fewest))
    throw Error("judge: " + std::to_string(losses.size()) + " losses are too few to judge. Give at least " +
                std::to_string(fewest) + ": those of single steps, say");
  std::vector<double> log_loss;
  j.evidence = measure(losses, log_loss);
  j.verdict = decide(losses, j.evidence, log_loss);
  explain(j);
  return j;
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
  if (every < fewest) throw Error("stop_when_diverging: judging needs at least " + std::to_string(fewest) + " steps");
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
