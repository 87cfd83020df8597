// Labels: unsanitized.
#include "curves.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace oxbow::test {
namespace {

constexpr int per_fault = 120;

// SplitMix64 (Steele, Lea and Flood 2014): the same curves on every machine. The seed is mixed first, since states that
// differ by a multiple of the increment would give the same numbers, shifted.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(mixed(seed + 1)) {}
  std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  double uniform(double low = 0, double high = 1) {
    return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53;
  }
  double log_uniform(double low, double high) { return std::exp(uniform(std::log(low), std::log(high))); }
  int integer(int low, int high) { return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1)); }
  bool chance(double p) { return uniform() < p; }
  double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

// The mean of a part of a curve.
double level(const std::vector<double>& l, double from, double to) {
  const auto n = static_cast<double>(l.size());
  const auto begin = static_cast<std::size_t>(from * n);
  const std::size_t end = std::min(l.size(), std::max(begin + 1, static_cast<std::size_t>(to * n)));
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += l[i];
  return sum / static_cast<double>(end - begin);
}

struct Facts {
  double share;                          // of the largest stable rate
  double diverging_share;                // the same, of the mean dynamics
  double calm_share;                     // up to which the loss is called calm
  bool swings;                           // by at least 30 % of its level, in the last half
  std::vector<double> expected, faster;  // losses, and at five times the rate
};

std::optional<Fault> rule(const Facts& f) {
  const auto& l = f.expected;
  const double start = level(l, 0, 0.05), middle = level(l, 0.35, 0.45), end = level(l, 0.9, 1);
  if (f.diverging_share >= 1.05 && (!std::isfinite(end) || end >= 3 * start)) return Fault::diverging;
  if (!std::isfinite(end) || f.share > 1) return {};
  const double trend = level(l, 0.75, 1) / level(l, 0.5, 0.75);
  if (f.swings && trend >= 0.95 && end < 3 * start) return Fault::oscillating;
  const double fall = start - end;
  if (f.share <= 0.1 && end >= 0.75 * start && fall > 1e-3 * start && level(l, 0.45, 0.55) - end >= 0.35 * fall &&
      start - level(f.faster, 0.9, 1) >= 2 * fall)
    return Fault::too_slow;
  if (f.share > f.calm_share && !(f.swings && trend < 0.8)) return {};
  if (f.share <= f.calm_share && fall >= 0.15 * start && end > 0.01 * start && std::abs(middle - end) < 0.01 * fall &&
      std::abs(middle - end) < 0.01 * end)
    return Fault::plateau;
  if (end <= 0.35 * start && (end <= 0.75 * middle || end <= 1e-3 * start)) return Fault::healthy;
  return {};
}

// ---- quadratics -------------------------------------------------------------------------------------------------

struct Quadratic {
  struct Axis {
    double right, left, w;  // curvature where w > 0 and where w < 0, and where the descent starts
  };
  std::vector<Axis> axes;
  double floor = 0, rate = 0, momentum = 0;
  int steps = 0, cut = 0;  // from step `cut` on the rate is 0

  double limit() const {
    double largest = 0;
    for (const Axis& a : axes) largest = std::max(largest, two_sided_curvature(a));
    return 2 * (1 + momentum) / largest;
  }
  // 2 / it is the rate from which on the axis diverges: where two steps, one from each side, keep |w|, so that
  // (rate right - 1) (rate left - 1) = 1, which gives rate = 1 / right + 1 / left.
  static double two_sided_curvature(const Axis& a) { return 2 / (1 / a.right + 1 / a.left); }

  std::vector<double> losses(double times = 1) const {
    std::vector<double> out;
    std::vector<Axis> now = axes;
    std::vector<double> velocity(axes.size());
    for (int t = 0; t < steps; ++t) {
      double loss = floor;
      for (std::size_t i = 0; i < now.size(); ++i) {
        Axis& a = now[i];
        const double lambda = a.w > 0 ? a.right : a.left;
        loss += 0.5 * lambda * a.w * a.w;
        velocity[i] = momentum * velocity[i] - (t < cut ? times * rate : 0) * lambda * a.w;
        a.w += velocity[i];
      }
      out.push_back(loss);
    }
    return out;
  }
};

Quadratic draw_quadratic(Draw& d, Fault wanted) {
  Quadratic q;
  q.steps = static_cast<int>(d.log_uniform(60, 900));
  q.cut = q.steps;
  const int axes = d.integer(1, 12);
  const double spread = d.log_uniform(1, 1000), scale = d.log_uniform(1e-2, 1e2);
  const bool two_sided = wanted == Fault::oscillating || d.chance(0.3);
  if (!two_sided && d.chance(0.4)) q.momentum = d.uniform(0.3, 0.95);
  for (int i = 0; i < axes; ++i) {
    const double lambda = i == 0 ? scale : scale / d.log_uniform(1, spread);
    q.axes.push_back({lambda, two_sided ? lambda * d.uniform(0.1, 0.9) : lambda, d.normal()});
  }
  q.floor = d.chance(0.4) ? 0 : q.losses()[0] * d.log_uniform(1e-4, 5);
  double share = 0;
  switch (wanted) {
    case Fault::overshot:  // on a quadratic no descent both leaps and settles
    case Fault::diverging:
      share = d.log_uniform(1.05, 3);
      break;
    case Fault::oscillating:
      share = d.uniform(0.97, 1);
      break;
    case Fault::too_slow:
      share = d.log_uniform(1e-6, 0.1);
      break;
    case Fault::plateau:
      share = d.log_uniform(0.01, 0.9);
      break;
    case Fault::healthy:
      share = two_sided && d.chance(0.6) ? d.uniform(0.85, 1) : d.log_uniform(0.003, 1);
      break;
  }
  q.rate = share * q.limit();
  if (wanted == Fault::plateau && d.chance(0.4)) q.cut = static_cast<int>(q.steps * d.uniform(0.05, 0.3));
  return q;
}

std::optional<std::vector<double>> quadratic(Draw& d, Fault wanted) {
  const Quadratic q = draw_quadratic(d, wanted);
  Facts f{.share = q.rate / q.limit(),
          .diverging_share = 0,
          .calm_share = 0.9,
          .swings = false,
          .expected = q.losses(),
          .faster = q.losses(5)};
  f.diverging_share = f.share;
  double steps = 0;
  for (std::size_t i = f.expected.size() / 2 + 1; i < f.expected.size(); ++i)
    steps += std::abs(f.expected[i] - f.expected[i - 1]);
  steps /= static_cast<double>(f.expected.size() - f.expected.size() / 2 - 1);
  f.swings = q.axes[0].left != q.axes[0].right && steps >= 0.3 * level(f.expected, 0.5, 1);
  if (rule(f) != wanted) return {};
  return f.expected;
}

// ---- regressions ------------------------------------------------------------------------------------------------

struct Regression {
  int inputs = 0, rows = 512, batch = 0, steps = 0;
  double lambda = 1, noise = 0, rate = 0, distance = 0;  // of the start from the minimum, squared
  double fourth = 0;                                     // mean of |x|^4 / inputs
  std::vector<double> x, target;

  // Inputs whose second moment is lambda I: normal columns, made orthogonal (Gram and Schmidt).
  void draw_inputs(Draw& d) {
    const auto n = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(inputs);
    x.resize(n * k);
    for (double& v : x) v = d.normal();
    for (std::size_t a = 0; a < k; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        double dot = 0;
        for (std::size_t r = 0; r < n; ++r) dot += x[r * k + a] * x[r * k + b];
        dot /= static_cast<double>(rows) * lambda;
        for (std::size_t r = 0; r < n; ++r) x[r * k + a] -= dot * x[r * k + b];
      }
      double length = 0;
      for (std::size_t r = 0; r < n; ++r) length += x[r * k + a] * x[r * k + a];
      const double by = std::sqrt(lambda * static_cast<double>(rows) / length);
      for (std::size_t r = 0; r < n; ++r) x[r * k + a] *= by;
    }
    fourth = 0;
    for (std::size_t r = 0; r < n; ++r) {
      double length = 0;
      for (std::size_t a = 0; a < k; ++a) length += x[r * k + a] * x[r * k + a];
      fourth += length * length;
    }
    fourth /= static_cast<double>(rows) * inputs;
  }
  double c() const { return (lambda * lambda * (batch - 1) + fourth) / batch; }
  double stationary() const {  // excess loss
    const double e = rate * lambda * noise * noise * inputs / batch / (2 * lambda - rate * c());
    return 0.5 * lambda * e;
  }
  std::vector<double> expected(double times = 1) const {
    std::vector<double> out;
    const double r = times * rate;
    double e = distance;
    for (int t = 0; t < steps; ++t) {
      out.push_back(0.5 * (noise * noise + lambda * e));
      e = (1 - 2 * r * lambda + r * r * c()) * e + r * r * lambda * noise * noise * inputs / batch;
    }
    return out;
  }
  std::vector<double> losses(Draw& d) const {
    const auto k = static_cast<std::size_t>(inputs);
    std::vector<double> w(k), gradient(k), residual_noise(static_cast<std::size_t>(rows)), out;
    double length = 0;
    for (double& v : w) v = d.normal();
    for (const double v : w) length += v * v;
    for (double& v : w) v *= std::sqrt(distance / length);  // w is the distance from the minimum
    for (double& v : residual_noise) v = noise * d.normal();
    for (int t = 0; t < steps; ++t) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      double loss = 0;
      for (int i = 0; i < batch; ++i) {
        const auto row = static_cast<std::size_t>(d.integer(0, rows - 1));
        double residual = -residual_noise[row];
        for (std::size_t a = 0; a < k; ++a) residual += x[row * k + a] * w[a];
        loss += 0.5 * residual * residual;
        for (std::size_t a = 0; a < k; ++a) gradient[a] += residual * x[row * k + a];
      }
      out.push_back(loss / batch);
      for (std::size_t a = 0; a < k; ++a) w[a] -= rate * gradient[a] / batch;
    }
    return out;
  }
};

std::optional<std::vector<double>> regression(Draw& d, Fault wanted) {
  Regression r;
  r.inputs = d.integer(2, 8);
  r.batch = 1 << d.integer(3, 6);
  r.steps = static_cast<int>(d.log_uniform(100, 600));
  r.lambda = d.log_uniform(0.1, 10);
  r.noise = d.log_uniform(0.05, 2);
  r.draw_inputs(d);
  const double floor = 0.5 * r.noise * r.noise, limit = 2 * r.lambda / r.c();
  double excess = floor * d.log_uniform(2, 300);  // at the start
  switch (wanted) {
    case Fault::overshot:
    case Fault::diverging:
      r.rate = d.log_uniform(1.05, 3) * 2 / r.lambda;
      break;
    case Fault::oscillating:
      r.rate = d.uniform(0.75, 0.95) * limit;
      excess = r.stationary() * d.log_uniform(0.5, 5);
      break;
    case Fault::too_slow:
      r.rate = d.log_uniform(1e-5, 0.1) * limit;
      break;
    case Fault::plateau:
      r.rate = d.log_uniform(0.003, 0.3) * limit;
      break;
    case Fault::healthy:
      r.rate = d.log_uniform(1e-3, 0.3) * limit;
      break;
  }
  r.distance = 2 * excess / r.lambda;
  const double share = r.rate / limit;
  const Facts f{.share = share,
                .diverging_share = r.rate * r.lambda / 2,
                .calm_share = 0.3,
                .swings = share >= 0.75 && share <= 0.95 && r.stationary() >= 4 * floor,
                .expected = r.expected(),
                .faster = r.expected(5)};
  if (rule(f) != wanted) return {};
  return r.losses(d);
}

// ---- recorded ------------------------------------------------------------------------------------------------------

struct Recorded {
  double rate;
  std::vector<double> losses;
};

double deviation_from_line(const std::vector<double>& l, std::size_t from) {
  const auto n = static_cast<double>(l.size() - from);
  double x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = from; i < l.size(); ++i) {
    const auto t = static_cast<double>(i);
    x += t, y += l[i], xx += t * t, xy += t * l[i];
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x), at0 = (y - slope * x) / n;
  double sum = 0;
  for (std::size_t i = from; i < l.size(); ++i) {
    const double off = l[i] - at0 - slope * static_cast<double>(i);
    sum += off * off;
  }
  return std::sqrt(sum / n) / (y / n);
}

struct Label {
  Fault fault;
  bool swings = false;
};

std::optional<Label> rule(const Recorded& run, const std::vector<Recorded>& sweep, bool small) {
  const auto end = [](const Recorded& r) { return level(r.losses, 0.8, 1); };
  double start = 0, best_end = std::numeric_limits<double>::infinity(), best = 0;
  for (const Recorded& r : sweep) {
    start += r.losses[0] / static_cast<double>(sweep.size());
    if (end(r) < best_end) best_end = end(r), best = r.rate;
  }
  const double own = end(run), early = level(run.losses, 0.3, 0.5);
  if (run.rate > best && (!std::isfinite(own) || own >= 2 * start)) return Label{Fault::diverging};
  if (!std::isfinite(own)) return {};
  const double peak = *std::max_element(run.losses.begin(), run.losses.begin() + run.losses.size() * 3 / 10);
  if (run.rate < best && start - own <= 0.25 * (start - best_end)) return Label{Fault::too_slow};
  const double deviation = deviation_from_line(run.losses, run.losses.size() / 2);
  double calm = 0.2;
  if (small) {
    const std::vector<double>& slowest = sweep.front().losses;
    calm = std::max(calm, 1.5 * deviation_from_line(slowest, slowest.size() / 2));
    const double summit = *std::max_element(run.losses.begin(), run.losses.begin() + run.losses.size() / 2);
    if (run.rate > best && summit >= 5 * start && own >= 0.5 * start && own >= 1.5 * best_end)
      return Label{Fault::overshot, deviation >= calm};
  }
  if (run.rate > best && peak >= 2 * start && own >= 0.5 * start && std::abs(own - early) <= 0.1 * own &&
      deviation < 0.2)
    return Label{Fault::overshot};
  if (run.rate > best && own >= 1.5 * best_end && deviation >= calm && own >= 0.9 * early)
    return Label{Fault::oscillating};
  if (run.rate > best && own >= 1.5 * best_end && deviation <= 0.1 && std::abs(own - early) <= 0.05 * own)
    return Label{Fault::plateau};
  if (start - own >= 0.8 * (start - best_end) && own <= 0.5 * start && own <= 0.85 * early)
    return Label{Fault::healthy};
  return {};
}

// A line a run: "sweep,seed,rate,loss,loss,...".
void add_recorded(std::vector<LabelledCurve>& curves, const std::string& family, Seeds seeds, const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::map<std::pair<std::string, std::uint64_t>, std::vector<Recorded>> sweeps;
  std::string line, sweep, field;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::getline(fields, sweep, ',');
    std::getline(fields, field, ',');
    const std::uint64_t seed = std::stoull(field);
    std::getline(fields, field, ',');
    Recorded run{.rate = std::stod(field), .losses = {}};
    while (std::getline(fields, field, ',')) run.losses.push_back(std::stod(field));
    if ((seed % 2 == 1) == (seeds == Seeds::held_out)) sweeps[{sweep, seed}].push_back(std::move(run));
  }
  for (const auto& [key, runs] : sweeps)
    for (const Recorded& run : runs)
      if (const auto label = rule(run, runs, family == "small"))
        curves.push_back({family, label->fault, key.second, run.losses, label->swings});
}

}  // namespace

std::vector<LabelledCurve> labelled_curves(Seeds seeds, const std::string& recorded) {
  std::vector<LabelledCurve> curves;
  std::uint64_t seed = seeds == Seeds::tuning ? 0 : first_held_out;
  for (const auto& [family, make] : {std::pair{"quadratic", &quadratic}, std::pair{"regression", &regression}})
    for (const Fault wanted : {Fault::diverging, Fault::oscillating, Fault::too_slow, Fault::plateau, Fault::healthy})
      for (int i = 0; i < per_fault; ++i, ++seed) {
        Draw d(seed);
        std::optional<std::vector<double>> losses;
        while (!losses) losses = make(d, wanted);
        curves.push_back({family, wanted, seed, std::move(*losses), false});
      }
  add_recorded(curves, "mnist", seeds, recorded + "/mnist_curves.csv");
  add_recorded(curves, "nets", seeds, recorded + "/overshoot_curves.csv");
  add_recorded(curves, "small", seeds, recorded + "/small_curves.csv");
  return curves;
}

}  // namespace oxbow::test
