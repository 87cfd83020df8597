#include <oxbow/optim/model_state.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace oxbow {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "\"" : ", \"") + n + "\"";
  return text;
}

// Early stopping: remembers the best epoch and its variables.
class Watch {
 public:
  Watch(const std::optional<EarlyStopping>& options, Store store) : options_(options), store_(std::move(store)) {}

  // Takes note of an epoch; true when training should end.
  bool ends_after(const Epoch& epoch, History& history) {
    if (!options_) return false;
    const double value = epoch.results[options_->monitor], gain = options_->maximize ? value - best_ : best_ - value;
    if (history.best_epoch == 0 ? value == value : gain > options_->min_delta) {
      best_ = value;
      history.best_epoch = epoch.number;
      waited_ = 0;
      if (options_->restore_best) snapshot_ = store_.snapshot();
      return false;
    }
    return ++waited_ > options_->patience;
  }

  void restore() {
    if (snapshot_) store_.restore(*snapshot_);
  }

 private:
  const std::optional<EarlyStopping>& options_;
  Store store_;
  std::optional<Store> snapshot_;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  int waited_ = 0;
};

void check(const FitOptions& o, const std::vector<std::string>& names, const optim::Minimized& step) {
  if (o.epochs < 0 || o.first_epoch < 1)
    throw Error("fit: epochs is " + std::to_string(o.epochs) + " and first_epoch is " + std::to_string(o.first_epoch) +
                ". Give at least 0 and 1");
  std::vector<std::string> reported = names;
  if (o.validation.size() > 0)
    for (const std::string& n : names) reported.push_back("val_" + n);
  const auto known = [&](const std::string& who, const std::string& name) {
    if (std::find(reported.begin(), reported.end(), name) == reported.end())
      throw Error("fit: " + who + " monitors \"" + name + "\", but the results are " + list(reported) +
                  (o.validation.size() > 0 ? "" : ". Those that begin with val_ need validation data"));
  };
  if (const auto& e = o.early_stopping) {
    known("early stopping", e->monitor);
    optim::check_not_negative("fit: early stopping", "patience", e->patience);
    optim::check_not_negative("fit: early stopping", "min_delta", e->min_delta);
  }
  for (const optim::Observer& schedule : step.observers)
    if (!schedule.monitor.empty()) known("the learning rate's schedule", schedule.monitor);
}

}  // namespace

double Results::operator[](std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [own, value] : entries_) {
    if (own == name) return value;
    known.push_back(own);
  }
  throw Error("there is no result \"" + std::string(name) + "\". There are " + (known.empty() ? "none" : list(known)));
}

bool Results::contains(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [name](const auto& e) { return e.first == name; });
}

std::vector<double> History::operator[](std::string_view name) const {
  std::vector<double> values;
  for (const Epoch& e : epochs) values.push_back(e.results[name]);
  return values;
}

const std::vector<double>& History::steps(std::string_view name) const {
  std::vector<std::string> known;
  for (const StepSeries& s : recorded) {
    if (s.name == name) return s.values;
    known.push_back(s.name);
  }
  throw Error("there is no \"" + std::string(name) + "\" of each step. " +
              (known.empty() ? "Compile the model with {.minimize = {.norms = true}} to have norms recorded"
                             : "There are " + list(known)));
}

// Room for another epoch, so that no step allocates.
void Model::State::reserve(History& history, std::size_t steps) const {
  const auto grow = [steps](std::vector<double>& v) {
    if (v.capacity() - v.size() < steps) v.reserve(2 * v.size() + steps);
  };
  grow(history.step_losses);
  for (StepSeries& s : history.recorded) grow(s.values);
}

// Takes note of a minibatch; `stepped` says whether it ended a step or only gathered gradients.
void Model::State::record(History& history, const Runner& runner, bool stepped) const {
  history.step_losses.push_back(runner.number(0));
  for (std::size_t i = 0; i < history.recorded.size(); ++i) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN(),
                     infinite = std::numeric_limits<double>::infinity();
    const double v = stepped ? runner.number(static_cast<int>(scalars.size() + i)) : none;
    history.recorded[i].values.push_back(stepped && v != v ? infinite : v);
  }
}

// Where a fit with these options begins.
Position Model::State::begin(const FitOptions& fit, std::int64_t samples) {
  const auto seed = static_cast<std::int64_t>(fit.seed);
  if (!fit.resume || (position.epoch == 1 && position.samples == 0)) return {.epoch = fit.first_epoch, .seed = seed};
  if (position.seed != seed)
    throw Error("fit: the training that is to be resumed drew its samples with seed " + std::to_string(position.seed) +
                ", not " + std::to_string(seed) + ". Give .seed = " + std::to_string(position.seed));
  if (position.samples > samples)
    throw Error("fit: the training that is to be resumed is " + std::to_string(position.samples) +
                " samples into an epoch, but the data have " + std::to_string(samples) + ". Give the data it had");
  return position;
}

// How many minibatches of a step have been gathered before: none, unless a fit ended amid a step and is resumed.
int Model::State::gathered(bool resume) {
  if (accumulate == 1) return 0;
  const std::string name = scope + "/accumulated/batches";
  if (!resume) store.set(name, Tensor::scalar(std::int64_t{0}));
  return static_cast<int>(store.get(name).item<std::int64_t>());
}

History Model::fit(const Dataset& data, const FitOptions& options) {
  State& s = *state_;
  check(options, s.names, s.step);
  Runner& trainer = s.trainer();
  trainer.check(data, options.batch_size);
  if (options.validation.size() > 0) s.evaluator().check(options.validation, options.batch_size);

  const std::int64_t n = data.size(), size = std::min(options.batch_size, n);
  Batch batch(data, trainer.columns(), size);
  std::vector<std::int64_t> order;
  shuffle(order, n, options.seed, 0);
  if (!options.shuffle) std::sort(order.begin(), order.end());

  History history;
  for (const optim::Recorded& r : s.step.recorded) history.recorded.push_back({r.name, {}});
  Watch watch(options.early_stopping, s.store);
  const int last = options.first_epoch + options.epochs - 1;
  Progress progress{.model = *this,
                    .history = history,
                    .epoch = 0,
                    .epochs = last,
                    .step = 0,
                    .steps = (n + size - 1) / size,
                    .loss = 0};
  const auto tell = [&](std::function<void(Progress&)> Callback::*what) {
    for (const Callback& c : options.callbacks)
      if (c.*what) (c.*what)(progress);
  };

  const Position from = s.begin(options, n);
  int gathered = s.gathered(options.resume);
  std::int64_t minibatches = history.minibatches_before = from.minibatches;
  for (int epoch = static_cast<int>(from.epoch); epoch <= last && !progress.stop; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t done_before = epoch == from.epoch ? from.samples : 0;
    progress.epoch = epoch;
    progress.step = (done_before + size - 1) / size;
    if (options.shuffle) shuffle(order, n, options.seed, static_cast<std::uint32_t>(epoch));
    s.reserve(history, static_cast<std::size_t>(progress.steps));
    Means means = done_before > 0 ? Means(from.sums, done_before) : Means(s.names.size());
    for (std::int64_t begin = done_before; begin < n && !progress.stop; begin += size) {
      const std::int64_t count = std::min(size, n - begin);
      const bool steps = gathered + 1 >= s.accumulate || begin + count == n;  // the rest of an epoch is a step, too
      Runner& runner = steps ? trainer : s.gather();
      batch.gather(std::span(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)));
      runner.feed(batch);
      try {
        runner.run(options.stop);
      } catch (const Stopped&) {
        progress.stop = true;
        break;
      }
      gathered = steps ? 0 : gathered + 1;
      means.add(runner, count);
      s.position.epoch = epoch;
      s.position.samples = begin + count;
      s.position.seed = from.seed;
      s.position.minibatches = ++minibatches;
      s.position.sums = means.sums();
      s.record(history, runner, steps);
      progress.loss = history.step_losses.back();
      ++progress.step;
      tell(&Callback::on_step);
    }
    trainer.check_numerics();
    if (progress.step < progress.steps) break;  // stopped within the epoch: it has no results

    s.position = {.epoch = epoch + 1, .seed = from.seed, .minibatches = minibatches};
    Epoch done{.number = epoch, .results = {}, .seconds = 0};
    for (std::size_t i = 0; i < s.names.size(); ++i) done.results.add(s.names[i], means[i]);
    if (options.validation.size() > 0) {
      const Results validation = s.evaluate(options.validation, options.batch_size, "val_");
      for (const auto& [name, value] : validation.entries()) done.results.add(name, value);
    }
    done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    history.epochs.push_back(std::move(done));
    s.observe(history.epochs.back().results);
    if (watch.ends_after(history.epochs.back(), history)) progress.stop = true;
    tell(&Callback::on_epoch);
  }
  watch.restore();
  history.stopped = progress.stop;
  tell(&Callback::on_end);
  return history;
}

}  // namespace oxbow
