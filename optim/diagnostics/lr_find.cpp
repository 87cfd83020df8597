#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/optim/diagnostics/curve_shape.h>
#include <oxbow/optim/lr_find.h>
#include <oxbow/optim/model/state.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace oxbow::optim {
using namespace oxbow::internal;

namespace {

constexpr std::size_t fewest = 20;

// The longest falling subsequence's first and last place; of equally long ones the first.
std::pair<std::size_t, std::size_t> longest_fall(const std::vector<double>& l) {
  std::vector<std::size_t> length(l.size(), 1), begin(l.size());
  std::size_t best = 0;
  for (std::size_t i = 0; i < l.size(); ++i) {
    begin[i] = i;
    for (std::size_t k = 0; k < i; ++k)
      if (l[k] > l[i] && length[k] + 1 > length[i]) {
        length[i] = length[k] + 1;
        begin[i] = begin[k];
      }
    if (length[i] > length[best]) best = i;
  }
  return {begin[best], best};
}

// Slopes from step to step: central differences, one-sided at the ends.
std::vector<double> slopes(const std::vector<double>& l) {
  std::vector<double> d(l.size());
  for (std::size_t i = 0; i < l.size(); ++i) {
    const std::size_t a = i == 0 ? 0 : i - 1, b = std::min(i + 1, l.size() - 1);
    d[i] = (l[b] - l[a]) / static_cast<double>(b - a);
  }
  return d;
}

// The mean of some losses, and its squared standard error for a noise of at least `least`.
struct Level {
  double mean, squared_error;
};
Level level(std::span<const double> losses, double least) {
  const auto n = static_cast<double>(losses.size());
  const double drift = (losses.back() - losses.front()) / (n - 1);
  double sum = losses[0], squares = 0;
  for (std::size_t i = 1; i < losses.size(); ++i) {
    const double off = losses[i] - losses[i - 1] - drift;
    sum += losses[i];
    squares += off * off;
  }
  return {sum / n, std::max(squares / (n - 2) / 2, least * least) / n};
}

// See the header for the rule. What is not finite makes no comparison true.
bool loss_fell(std::span<const double> losses) {
  constexpr double errors = 4, share = 0.01;
  const std::size_t count = std::max<std::size_t>(4, losses.size() / 10);
  const double least = internal::step_noise(losses.first(losses.size() / 2));
  const Level first = level(losses.first(count), least);
  for (std::size_t begin = 1; begin + count <= losses.size(); ++begin) {
    const Level l = level(losses.subspan(begin, count), least);
    const double fall = first.mean - l.mean;
    if (fall > errors * std::sqrt(first.squared_error + l.squared_error) && fall > share * std::abs(first.mean))
      return true;
  }
  return false;
}

double slide(const std::vector<double>& rates, const std::vector<double>& losses) {
  constexpr std::size_t width = 15;
  constexpr double threshold = 0.005;
  const std::vector<double> slope = slopes(losses);
  std::size_t right = losses.size() - 1, left = right > width ? right - width : 0;
  double rate = rates[left];
  while (std::abs(slope[right] - slope[left]) > threshold) {
    rate = rates[left];
    if (left == 0) break;
    --right;
    --left;
  }
  return rate;
}

void check(const RateRangeOptions& o) {
  const auto fail = [](const std::string& what) { throw Error("find_rate: " + what); };
  if (!(o.lowest > 0 && o.highest > o.lowest && std::isfinite(o.highest)))
    fail("the rates go from " + short_number(o.lowest) + " to " + short_number(o.highest) +
         ". Give a lowest above 0 and a highest above that");
  if (o.steps < static_cast<int>(fewest))
    fail(std::to_string(o.steps) + " steps are too few to see a slope. Give at least " + std::to_string(fewest));
  if (!(o.smoothing >= 0 && o.smoothing < 1))
    fail("smoothing is " + short_number(o.smoothing) + ". Give at least 0 and less than 1");
  if (o.stop_at != 0 && !(o.stop_at > 1))
    fail("stop_at is " + short_number(o.stop_at) + ". Give more than 1, or 0 for never");
}

// Calls `f` at the end of the block, whatever ends it.
template <class F>
class AtEnd {
 public:
  explicit AtEnd(F f) : f_(std::move(f)) {}
  ~AtEnd() { f_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  F f_;
};

}  // namespace

void suggest(RateRange& range) {
  const std::size_t n = range.rates.size();
  if (range.losses.size() != n || range.smoothed.size() != n)
    throw Error("find_rate: there are " + std::to_string(n) + " rates, " + std::to_string(range.losses.size()) +
                " losses and " + std::to_string(range.smoothed.size()) + " smoothed ones. Give one of each a step");
  if (n < fewest)
    throw Error("find_rate: " + std::to_string(n) + " steps are too few to suggest a rate from. Give at least " +
                std::to_string(fewest) + "; if the loss broke down before, begin with a lower rate");
  std::vector<double> rates, losses;
  for (std::size_t i = n / 10; i < n - 5; ++i)
    if (std::isfinite(range.smoothed[i])) {
      rates.push_back(range.rates[i]);
      losses.push_back(range.smoothed[i]);
    }
  if (losses.size() < 2) throw Error("find_rate: no loss was finite. Look for bad data, or begin with a lower rate");

  range.fell = loss_fell(range.losses);
  if (!range.fell) {
    range.valley = range.steepest = range.minimum_tenth = range.slide = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  const auto [begin, end] = longest_fall(losses);
  const std::size_t third = (end - begin) / 3;
  range.valley = rates[std::min(begin + third + third / 2, end)];
  std::size_t steep = 0;
  double most = 0;
  for (std::size_t i = 0; i + 1 < losses.size(); ++i)
    if (const double slope = (losses[i + 1] - losses[i]) / std::log(rates[i + 1] / rates[i]); slope < most) {
      most = slope;
      steep = i;
    }
  range.steepest = rates[steep];
  const auto lowest = std::min_element(losses.begin(), losses.end()) - losses.begin();
  range.minimum_tenth = rates[static_cast<std::size_t>(lowest)] / 10;
  range.slide = slide(rates, losses);
}

RateRange find_rate(Model& model, const Dataset& data, RateRangeOptions o) {
  return while_memory_lasts("looking for a rate", [&] {
    check(o);
    Model::State& state = *model.state_;
    if (!state.step.rates[0].rate.constant())
      throw Error(
          "find_rate: the rate follows the schedule " + to_string(state.step.rates[0].rate) +
          ", so it cannot be varied. Compile with a number, .learning_rate = 1e-3, find a rate, and give that to "
          "the schedule");
    // All that training changes: the variables, how far into the data it is, what early stopping has seen. Putting them
    // back allocates nothing, so it works after running out of memory, too.
    const AtEnd untouched(
        [&state, before = state.store.snapshot(), position = state.position, watched = state.watched]() mutable {
          state.store.restore(before);
          state.position = std::move(position);
          state.watched = std::move(watched);
        });
    RateRange range;
    const auto rate_of = [&](std::size_t step) {
      return o.lowest * std::pow(o.highest / o.lowest, static_cast<double>(step) / (o.steps - 1));
    };
    double average = 0, weight = 0, best = 0;
    bool last = false;
    model.set_learning_rate(rate_of(0));
    const auto on_step = [&](Progress& p) {
      const double rate = rate_of(range.rates.size());
      range.rates.push_back(rate);
      range.losses.push_back(p.loss);
      average = o.smoothing * average + (1 - o.smoothing) * p.loss;
      weight = o.smoothing * weight + (1 - o.smoothing);
      const double smooth = average / weight;
      range.smoothed.push_back(smooth);
      if (range.losses.size() == 1 || smooth < best) best = smooth;
      range.diverged = !std::isfinite(smooth) || (o.stop_at > 0 && best > 0 && smooth > o.stop_at * best);
      last = range.rates.size() == static_cast<std::size_t>(o.steps);
      if (range.diverged || last)
        p.stop = true;
      else
        model.set_learning_rate(rate_of(range.rates.size()));
    };
    for (int epoch = 1; !last && !range.diverged && !o.stop.stop_requested(); ++epoch)
      model.fit(data, {.batch_size = o.batch_size,
                       .seed = o.seed,
                       .callbacks = {{.on_step = on_step}},
                       .stop = o.stop,
                       .first_epoch = epoch});
    if (!range.losses.empty() && !std::isfinite(range.losses[0]))
      throw Error(
          "find_rate: the loss is not finite before any step. Look for bad data, or for a net that begins with too "
          "large "
          "weights");
    suggest(range);
    return range;
  });
}

}  // namespace oxbow::optim
