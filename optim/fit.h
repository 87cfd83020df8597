// How a model is trained: options, callbacks, and the history that comes out. Thread safety: values; callbacks are
// called by the thread that trains.
#pragma once

#include <oxbow/optim/dataset.h>

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <stop_token>

namespace oxbow {

class Model;

/// Named numbers in order: loss, metrics, and the same with "val_" before for validation data.
class Results {
 public:
  void add(std::string name, double value);
  /// Throws `Error` with the known names for an unknown one.
  double operator[](std::string_view name) const;
  bool contains(std::string_view name) const;
  const std::vector<std::pair<std::string, double>>& entries() const { return entries_; }
  bool operator==(const Results&) const = default;

 private:
  std::vector<std::pair<std::string, double>> entries_;
};
/// "loss 0.2145, accuracy 0.9347"; also by `std::cout << results`.
std::string to_string(const Results& results);
std::ostream& operator<<(std::ostream& out, const Results& results);

struct Epoch {
  int number = 0;  ///< from 1
  Results results;
  double seconds = 0;
};

/// One number a minibatch. A NaN is kept as infinity: NaN says that there is none, as in minibatches that only gather
/// gradients.
struct StepSeries {
  std::string name;
  std::vector<double> values;
};

struct History {
  std::vector<Epoch> epochs;
  std::vector<double> step_losses;  ///< each step's loss, over its minibatch
  /// How many minibatches the training that was resumed had seen: `step_losses[0]` is of the next one.
  std::int64_t minibatches_before = 0;
  /// With `MinimizeOptions::norms`: gradient norms and update-to-weight ratios, as `optim::Minimized::recorded` names
  /// them; else empty.
  std::vector<StepSeries> recorded;
  int best_epoch = 0;    ///< by early stopping's measure; 0 without early stopping
  bool stopped = false;  ///< ended before all epochs were done: early stopping, a callback, or the stop token
  /// One result over the epochs: `history["val_loss"]`.
  std::vector<double> operator[](std::string_view name) const;
  /// One of `recorded`: `history.steps("gradient_norm")`. Throws `Error` with the known names for an unknown one.
  const std::vector<double>& steps(std::string_view name) const;
};

/// Training as a callback sees it.
struct Progress {
  Model& model;
  const History& history;
  int epoch, epochs;                      ///< the current one, from 1
  std::int64_t step, steps;               ///< of this epoch; `step` of `steps` are done
  double loss;                            ///< of the last minibatch
  bool stop = false;                      ///< set it to end training
  const std::vector<std::string>& names;  ///< "loss", then the metrics
  std::span<const double> means = {};     ///< of each, over this epoch's samples until now
};

/// What to call during `fit`; any of them may be empty.
struct Callback {
  std::function<void(Progress&)> on_step = {};   ///< after each step
  std::function<void(Progress&)> on_epoch = {};  ///< after each epoch; its results are `history.epochs.back()`
  std::function<void(Progress&)> on_end = {};    ///< once, at the end
  bool prints = false;  ///< tells how training goes: in place of what `FitOptions::progress` shows
};

/// Writes a line after each epoch, "epoch 3: loss 0.2145, val_loss 0.2311", to standard output or to `out`, which has
/// to outlive the training. Keras: `fit(verbose=2)`.
Callback print_epochs();
Callback print_epochs(std::ostream& out);

/// Shows on a terminal how far an epoch is, with its results until now and the time left, and after each epoch a line
/// of its results; where the output is no terminal, a line each `seconds` and after each epoch. Keras:
/// `fit(verbose=1)`.
///   epoch 3/10 [##########--------------------] 125/375, 4 s left: loss 0.2145, accuracy 0.9347
/// To standard error, or to `out`, which is no terminal and has to outlive the training.
Callback print_progress(double seconds = 10);
Callback print_progress(std::ostream& out, double seconds = 10);

/// Batches from a function of one's own: a simulation, a generator, a stream that has no end. It is called by the
/// thread that trains, with the number of the batch in its epoch, from 0, and the epoch, from 1, and gives
/// `FitOptions::batch_size` samples. A training that is resumed asks for the batch that it had come to.
struct Batches {
  std::int64_t steps = 0;  ///< an epoch
  std::function<Dataset(std::int64_t step, int epoch)> make = {};
};

/// Ends training when a result stops getting better. A result that is NaN is no better one.
struct EarlyStopping {
  std::string monitor = "val_loss";
  int patience = 0;          ///< epochs without improvement that are borne
  double min_delta = 0;      ///< by how much it must be better to count
  bool maximize = false;     ///< greater is better: an accuracy
  bool restore_best = true;  ///< at the end, all variables go back to those of the best epoch
};

struct FitOptions {
  int epochs = 1;
  std::int64_t batch_size = 32;
  bool shuffle = true;  ///< a new order each epoch, drawn from (seed, epoch): the same on every machine
  std::uint64_t seed = 0;
  int workers = 1;          ///< threads that make batches whose rows are made, pictures say: optim/loader.h
  int prefetch = 2;         ///< so many of those batches are made ahead
  Dataset validation = {};  ///< evaluated after each epoch; empty for none
  std::vector<Callback> callbacks = {};
  /// Shows on standard error how far a training is that takes longer than a second: as `print_progress`, but a line at
  /// most each second, or each ten where that is no terminal. Keras: verbose.
  bool progress = true;
  std::optional<EarlyStopping> early_stopping = {};
  /// Where weights are averaged, `Model::refresh_statistics` after each epoch, before its evaluation: one more pass
  /// forward over the data, for nets with batch normalisation.
  bool refresh_statistics = true;
  std::stop_token stop = {};  ///< ends training; a step under way is undone
  int first_epoch = 1;        ///< to go on where an earlier `fit` ended, with its order of samples
  /// Goes on where the model's last `fit` was when it ended or was saved, in the middle of an epoch as well, and trains
  /// up to and with epoch `first_epoch + epochs - 1`, on the same data: as if it had never ended, except that the
  /// history is that of this call. Without such a `fit`, as a fresh training.
  bool resume = false;
};

}  // namespace oxbow
