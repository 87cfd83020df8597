#include <oxbow/optim/diagnostics/curve_shape.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace oxbow::optim::internal {
namespace {

constexpr double tiny = std::numeric_limits<double>::min();
using Numbers = std::span<const double>;

double mean(Numbers v) { return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()); }

// The least-squares line y = at0 + slope x.
struct Line {
  double at0 = 0, slope = 0, squares = 0;  // squares left over
  double error = 0, t = 0;                 // the slope's standard error, and the slope in it
};
template <class X>
Line line(Numbers y, X x) {
  const auto n = static_cast<double>(y.size());
  double mx = 0, my = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    mx += x(i) / n;
    my += y[i] / n;
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    xx += (x(i) - mx) * (x(i) - mx);
    xy += (x(i) - mx) * (y[i] - my);
  }
  Line l;
  l.slope = xx > 0 ? xy / xx : 0;
  l.at0 = my - l.slope * mx;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double off = y[i] - l.at0 - l.slope * x(i);
    l.squares += off * off;
  }
  l.error = std::max(std::sqrt(l.squares / (n - 2) / xx), tiny);
  l.t = l.slope / l.error;
  return l;
}
constexpr auto index = [](std::size_t i) { return static_cast<double>(i); };

// What is left of y beside a line.
std::vector<double> deviations(Numbers y, const Line& l) {
  std::vector<double> off(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) off[i] = y[i] - l.at0 - l.slope * index(i);
  return off;
}

// Correlation of each deviation with the next one.
double memory(Numbers off) {
  const double squares = std::inner_product(off.begin(), off.end(), off.begin(), 0.0);
  const double next = std::inner_product(off.begin() + 1, off.end(), off.begin(), 0.0);
  return squares > 0 ? next / squares : 0;
}

// Of x[i] = a x[i - 1] + b x[i - 2] with the best a and b, the share of the squares that it explains.
double foretold(Numbers off) {
  double xx = 0, yy = 0, xy = 0, zx = 0, zy = 0, zz = 0;
  for (std::size_t i = 2; i < off.size(); ++i) {
    const double x = off[i - 1], y = off[i - 2], z = off[i];
    xx += x * x, yy += y * y, xy += x * y, zx += z * x, zy += z * y, zz += z * z;
  }
  const double determinant = xx * yy - xy * xy;
  if (!(determinant > 1e-9 * xx * yy) || zz == 0) return 0;
  return (zx * (zx * yy - zy * xy) + zy * (zy * xx - zx * xy)) / determinant / zz;
}

double skewness(Numbers off) {
  double squares = 0, cubes = 0;
  for (const double v : off) {
    squares += v * v;
    cubes += v * v * v;
  }
  const auto n = static_cast<double>(off.size());
  return squares > 0 ? cubes / n / std::pow(squares / n, 1.5) : 0;
}

struct Settling {
  double gain = 0, t = 0, from = 0;
};
Settling settling(Numbers y) {
  const auto n = static_cast<double>(y.size());
  const Line straight = line(y, index);
  Settling best;
  double least = straight.squares;
  for (const double tau : {0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15}) {
    const Line l = line(y, [n, tau](std::size_t i) { return std::exp(-index(i) / n / tau); });
    if (l.squares < least) {
      least = l.squares;
      best.t = l.t;
      best.from = 3 * tau;  // where exp(-t / tau) falls below 5 %
    }
  }
  if (best.from > 0) best.gain = n * std::log(straight.squares / std::max(least, tiny));
  return best;
}

void measure_noise(CurveShape& s, Numbers log_loss) {
  const std::size_t n = log_loss.size();
  const Numbers first = log_loss.first(std::max<std::size_t>(10, n / 10)), half = log_loss.subspan(n / 2);
  s.opening_noise = std::sqrt(line(first, index).squares / static_cast<double>(first.size() - 2));
  double squares = 0, steps = 0;
  s.step = step_noise(log_loss.subspan(1));
  int turns = 0;
  const double drift = (half.back() - half.front()) / static_cast<double>(half.size() - 1);
  for (std::size_t i = 1; i < half.size(); ++i) {
    const double step = half[i] - half[i - 1];
    squares += (step - drift) * (step - drift);
    ++steps;
    turns += i > 1 && step * (half[i - 1] - half[i - 2]) < 0 ? 1 : 0;
  }
  s.late_step = std::sqrt(squares / steps / 2);
  s.turns = turns / (steps - 1);
}

void measure_leap(CurveShape& s, Numbers l, Numbers log_loss) {
  const std::size_t opening = l.size() / 2;
  const auto peak = static_cast<std::size_t>(std::max_element(l.begin(), l.begin() + opening) - l.begin());
  const double risen = log_loss[0] + std::min(std::log(2.0), (log_loss[peak] - log_loss[0]) / 2);
  std::size_t rises = 1;
  while (rises < peak && log_loss[rises] <= risen) ++rises;
  s.peak = l[peak];
  s.peak_step = index(peak + 1);
  s.before = mean(l.first(rises));
  s.began = mean(l.first(std::min(rises, std::max<std::size_t>(3, l.size() / 20))));
  const Numbers later = log_loss.subspan(opening);
  const double level = mean(later);
  double squares = 0;
  for (const double v : later) squares += (v - level) * (v - level);
  s.leap = (log_loss[peak] - level) / std::max(std::sqrt(squares / static_cast<double>(later.size())), 1e-9);
  const Numbers last = l.last(l.size() / 5);
  s.late_high = *std::max_element(last.begin(), last.end());
  s.late_noise = step_noise(l.subspan(l.size() / 2));
}

}  // namespace

double step_noise(Numbers losses) {
  double sizes = 0;
  for (std::size_t i = 1; i < losses.size(); ++i) sizes += std::abs(losses[i] - losses[i - 1]);
  return std::sqrt(std::acos(-1.0)) / 2 * sizes / static_cast<double>(losses.size() - 1);
}

CurveShape measure_curve(Numbers losses) {
  const std::size_t n = losses.size();
  const auto [low, high] = std::minmax_element(losses.begin(), losses.end());
  constexpr double rounding = 1e-6;
  const double lift = *low < 0 && *low < -rounding * *high ? (*high - *low) / 100 - *low : 0;
  const double lowest = std::max(1e-12 * (losses[0] + lift), tiny);
  std::vector<double> lifted(n), logs(n);
  for (std::size_t i = 0; i < n; ++i) {
    lifted[i] = std::max(losses[i] + lift, lowest);
    logs[i] = std::log(lifted[i]);
  }
  const Numbers l = lifted, log_loss = logs;

  CurveShape s{.lift = lift,
               .first = l[0],
               .start = mean(l.first(std::max<std::size_t>(3, n / 20))),
               .middle = mean(l.subspan(n * 3 / 10, n / 2 - n * 3 / 10)),
               .end = mean(l.last(n / 5)),
               .highest = *high + lift};
  measure_noise(s, log_loss);
  measure_leap(s, l, log_loss);

  const Numbers half = log_loss.subspan(n / 2), since = log_loss.subspan(n * 3 / 10);
  const Line late_line = line(half, index);
  const std::vector<double> late = deviations(half, late_line);
  s.swing =
      std::sqrt(std::inner_product(late.begin(), late.end(), late.begin(), 0.0) / static_cast<double>(late.size()));
  s.memory = memory(late);
  s.cycle = foretold(late);
  s.skew = skewness(late);

  const Line whole = line(log_loss, index);
  s.fall_t = whole.t;
  s.wander = memory(deviations(log_loss, whole));
  s.fall_loss_t = line(l, index).t;
  s.late_fall = line(since, index).slope * static_cast<double>(n);
  const Line last = line(log_loss.last(n * 3 / 10), index);
  s.half_t = late_line.t;
  s.last_t = last.t;
  s.flattened = (last.slope - late_line.slope) / last.error;

  s.settled = settling(l).gain;
  const Settling settled = settling(log_loss.subspan(1));
  s.log_settled = settled.gain;
  s.settled_t = settled.t;
  s.settled_from = settled.from;

  const double noise = std::max(s.late_step, 1e-9);
  s.jump = (mean(log_loss.subspan(1, 3)) - log_loss[0]) / noise;
  s.rise = (mean(log_loss.last(n / 5)) - mean(log_loss.first(std::max<std::size_t>(3, n / 20)))) / noise;

  std::vector<double> rest(logs.begin() + 1, logs.end());
  const auto fifth = rest.begin() + static_cast<std::ptrdiff_t>(rest.size() / 5);
  std::nth_element(rest.begin(), fifth, rest.end());
  s.above_first = *fifth - logs[0];
  return s;
}

}  // namespace oxbow::optim::internal
