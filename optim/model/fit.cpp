#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/optim/loader.h>
#include <oxbow/optim/model/state.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

// Early stopping: remembers the best epoch and its variables, in `watched`, which is saved with a training's state.
class Watch {
 public:
  // Goes on with what is in `watched` when that is of the same result, and begins anew otherwise.
  Watch(const std::optional<EarlyStopping>& options, bool resumes, Store store, std::optional<Watched>& watched)
      : options_(options), store_(std::move(store)), watched_(watched) {
    if (!options)
      watched.reset();
    else if (!resumes || !watched || watched->monitor != options->monitor)
      watched = Watched{.monitor = options->monitor};
  }

  int best_epoch() const { return watched_ ? watched_->best_epoch : 0; }
  bool ended() const { return options_ && watched_->waited > options_->patience; }

  // Before `ends_after`: all that can fail, so that what belongs together is noted together.
  void prepare(const Epoch& epoch) {
    if (options_ && options_->restore_best && improves(epoch)) next_best_ = store_.snapshot();
  }

  // Takes note of an epoch that was prepared for, and ended at `reached`; true when training should end.
  bool ends_after(const Epoch& epoch, const Position& reached) {
    if (!options_) return false;
    Watched& w = *watched_;
    if (improves(epoch)) {
      w.best = epoch.results[options_->monitor];
      w.best_epoch = epoch.number;
      w.waited = 0;
      if (next_best_) {
        next_best_->restore(store_);
        w.best_state = {std::move(*next_best_), reached};
        next_best_.reset();
      }
    } else {
      ++w.waited;
    }
    return ended();
  }

  // Back to the best epoch's end: its variables, and the position that belongs to them.
  void restore(Position& position) {
    if (!watched_ || !watched_->best_state) return;
    store_.restore(watched_->best_state->first);
    position = watched_->best_state->second;
    watched_->waited = 0;
  }

 private:
  bool improves(const Epoch& epoch) const {
    const Watched& w = *watched_;
    const double value = epoch.results[options_->monitor], gain = options_->maximize ? value - w.best : w.best - value;
    return w.best_epoch == 0 ? value == value : gain > options_->min_delta;
  }

  const std::optional<EarlyStopping>& options_;
  Store store_;
  std::optional<Watched>& watched_;
  std::optional<Store> next_best_;
};

void check(const FitOptions& o, const std::vector<std::string>& names, const optim::Minimized& step) {
  if (o.epochs < 0 || o.first_epoch < 1)
    throw Error("fit: epochs is " + std::to_string(o.epochs) + " and first_epoch is " + std::to_string(o.first_epoch) +
                ". Give at least 0 and 1");
  if (o.epochs > 0 && o.epochs - 1 > std::numeric_limits<int>::max() - o.first_epoch)
    throw Error("fit: " + std::to_string(o.epochs) + " epochs from epoch " + std::to_string(o.first_epoch) +
                " on are more than can be counted. Give fewer");
  std::vector<std::string> reported = names;
  if (o.validation.size() > 0)
    for (const std::string& n : names) reported.push_back("val_" + n);
  const auto known = [&](const std::string& who, const std::string& name) {
    if (std::find(reported.begin(), reported.end(), name) == reported.end())
      throw Error("fit: " + who + " monitors " + in_quotes(name) + ", but the results are " + quoted(reported) +
                  (o.validation.size() > 0 ? "" : ". Those that begin with val_ need validation data"));
  };
  if (const auto& e = o.early_stopping) {
    known("early stopping", e->monitor);
    optim::check_not_negative("fit: early stopping", "patience", e->patience);
    optim::check_not_negative("fit: early stopping", "min_delta", e->min_delta);
  }
  for (const optim::Observer& schedule : step.observers)
    for (const auto& [monitor, input] : schedule.results)
      if (!monitor.empty()) known("the learning rate's schedule", monitor);
}

}  // namespace

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
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinite = std::numeric_limits<double>::infinity();
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

// How many minibatches of a step have been gathered before: none, unless a fit ended in the middle of a step and is
// resumed.
int Model::State::gathered(bool resume) {
  if (accumulate == 1) return 0;
  const std::string& name = step.gathered.node().op().as<ops::Variable>()->name;
  if (!resume) store.set(name, Tensor::scalar(std::int64_t{0}));
  const auto before = store.get(name).item<std::int64_t>();  // any number, where others wrote the state
  return static_cast<int>(std::clamp<std::int64_t>(before, 0, accumulate));
}

// One call of `fit`.
class Model::State::Fit {
 public:
  // On `data`, or on `batches` where there are none. All were checked, and outlive it.
  Fit(Model& model, State& state, const Dataset* data, const Batches& batches, const FitOptions& options)
      : state_(state),
        options_(options),
        data_(data),
        batches_(batches),
        samples_(data ? data->size() : batches.steps * options.batch_size),
        size_(std::min(options.batch_size, samples_)),
        from_(state.begin(options, samples_)),
        watch_(options.early_stopping, options.resume && from_.minibatches > 0, state.store, state.watched),
        gathered_(state.gathered(options.resume)),
        minibatches_(from_.minibatches),
        progress_{.model = model,
                  .history = history_,
                  .epoch = 0,
                  .epochs = options.first_epoch - 1 + options.epochs,
                  .step = 0,
                  .steps = (samples_ + size_ - 1) / size_,
                  .loss = 0,
                  .names = state.names},
        so_far_(state.names.size()) {
    if (data)
      loader_.emplace(*data, state.trainer().columns(),
                      LoaderOptions{.batch_size = size_,
                                    .shuffle = options.shuffle,
                                    .seed = options.seed,
                                    .workers = options.workers,
                                    .prefetch = options.prefetch});
    progress_.means = so_far_;
    const auto prints = [](const Callback& c) { return c.prints; };
    if (options.progress && std::none_of(options.callbacks.begin(), options.callbacks.end(), prints))
      shown_ = default_progress();
    history_.minibatches_before = from_.minibatches;
    for (const optim::Recorded& r : state.step.recorded) history_.recorded.push_back({r.name, {}});
  }

  History run() {
    history_.best_epoch = watch_.best_epoch();
    progress_.stop = watch_.ended();  // killed between the last epoch and the end
    // Behind the last epoch that an int can count there is one more number.
    for (std::int64_t next = from_.epoch; next <= progress_.epochs && !progress_.stop; ++next) {
      const int epoch = static_cast<int>(next);
      const auto start = std::chrono::steady_clock::now();
      const Means means = train(epoch);
      state_.trainer().check_numerics();
      if (progress_.step < progress_.steps) break;  // stopped within the epoch: it has no results
      if (options_.refresh_statistics && data_) state_.refresh_statistics(*data_, size_);
      Epoch done{.number = epoch, .results = results(means), .seconds = 0};
      done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      history_.epochs.push_back(std::move(done));
      watch_.prepare(history_.epochs.back());
      state_.observe(history_.epochs.back().results);
      // Until here what fails leaves the training at the last minibatch: resumed, it ends this epoch again.
      state_.position = {.epoch = next + 1, .seed = from_.seed, .minibatches = minibatches_};
      if (watch_.ends_after(history_.epochs.back(), state_.position)) progress_.stop = true;
      history_.best_epoch = watch_.best_epoch();
      tell(&Callback::on_epoch);
    }
    watch_.restore(state_.position);
    history_.stopped = progress_.stop;
    tell(&Callback::on_end);
    return std::move(history_);
  }

 private:
  // Goes through the epoch, or through what is left of it when it is resumed, until its end or a stop.
  Means train(int epoch) {
    const std::int64_t done_before = epoch == from_.epoch ? from_.samples : 0;
    progress_.epoch = epoch;
    progress_.step = (done_before + size_ - 1) / size_;
    if (loader_) loader_->start(epoch, done_before);
    state_.reserve(history_, static_cast<std::size_t>(progress_.steps));
    Means means = done_before > 0 ? Means(from_.sums, done_before) : Means(state_.names.size());
    for (std::int64_t begin = done_before; begin < samples_ && !progress_.stop; begin += size_)
      train_on(begin, std::min(size_, samples_ - begin), means);
    return means;
  }

  // One minibatch: samples `begin` up to `begin + count` of the order. One that is stopped is undone, and counts for
  // nothing.
  void train_on(std::int64_t begin, std::int64_t count, Means& means) {
    // What is left over at the end of an epoch is a step, too.
    const bool steps = gathered_ + 1 >= state_.accumulate || begin + count == samples_;
    Runner& runner = steps ? state_.trainer() : state_.gather();
    if (loader_)
      runner.feed(*loader_->next());
    else
      feed_own(runner, begin / size_);
    Position& reached = state_.position;
    reached.sums.reserve(state_.names.size());  // once variables have moved, nothing fails until that is noted
    try {
      runner.run(options_.stop);
    } catch (const Stopped&) {
      progress_.stop = true;
      return;
    }
    gathered_ = steps ? 0 : gathered_ + 1;
    means.add(runner, count);
    reached.epoch = progress_.epoch;
    reached.samples = begin + count;
    reached.seed = from_.seed;
    reached.minibatches = ++minibatches_;
    reached.sums = means.sums();
    state_.record(history_, runner, steps);
    progress_.loss = history_.step_losses.back();
    for (std::size_t i = 0; i < so_far_.size(); ++i) so_far_[i] = means[i];
    ++progress_.step;
    tell(&Callback::on_step);
  }

  void feed_own(Runner& runner, std::int64_t step) {
    made_ = batches_.make(step, progress_.epoch);
    if (made_.size() != size_)
      throw Error("fit: batch " + std::to_string(step) + " of epoch " + std::to_string(progress_.epoch) + " has " +
                  std::to_string(made_.size()) + " samples, but .batch_size is " + std::to_string(size_));
    if (!made_.made().empty()) made_ = made_.load();
    runner.check(made_, size_);
    runner.feed(made_, 0, size_);
  }

  Results results(const Means& means) {
    Results results;
    for (std::size_t i = 0; i < state_.names.size(); ++i) results.add(state_.names[i], means[i]);
    if (options_.validation.size() > 0) {
      const Results validation = state_.evaluate(options_.validation, options_.batch_size, "val_");
      for (const auto& [name, value] : validation.entries()) results.add(name, value);
    }
    return results;
  }

  void tell(std::function<void(Progress&)> Callback::*what) {
    if (shown_.*what) (shown_.*what)(progress_);
    for (const Callback& c : options_.callbacks)
      if (c.*what) (c.*what)(progress_);
  }

  State& state_;
  const FitOptions& options_;
  Callback shown_;  // what `FitOptions::progress` shows; empty where a callback prints
  const Dataset* data_;
  const Batches& batches_;             // where there are no data
  const std::int64_t samples_, size_;  // of a minibatch; the last of an epoch may be smaller
  std::optional<Loader> loader_;       // of the data
  Dataset made_;                       // by `batches_`, under way
  const Position from_;
  Watch watch_;
  int gathered_;  // minibatches of the step under way
  std::int64_t minibatches_;
  History history_;
  Progress progress_;
  std::vector<double> so_far_;  // this epoch's means
};

History Model::State::fit(Model& model, const Dataset* data, const Batches& batches, const FitOptions& o) {
  return while_memory_lasts(
      "training",
      [&] {
        check(o, names, step);
        if (data) trainer().check(*data, o.batch_size);
        if (o.validation.size() > 0) evaluator().check(o.validation, o.batch_size);
        return Fit(model, *this, data, batches, o).run();
      },
      "What was learned until then stays");
}

History Model::fit(const Dataset& data, const FitOptions& options) { return state_->fit(*this, &data, {}, options); }

History Model::fit(const Batches& batches, const FitOptions& options) {
  if (batches.steps < 1 || !batches.make || options.batch_size < 1)
    throw Error("fit: there are " + std::to_string(batches.steps) + " batches an epoch, of " +
                std::to_string(options.batch_size) + " samples" + (batches.make ? "" : ", and no function makes them") +
                ". Give at least 1 of each, and a function");
  return state_->fit(*this, nullptr, batches, options);
}

}  // namespace oxbow
