// The state behind a Model. Private to optim. Thread safety: as the model's, one thread at a time.
#pragma once

#include <oxbow/optim/model.h>
#include <oxbow/runtime/safetensors.h>

#include <limits>

namespace oxbow::optim::internal {

/// What `FitOptions::progress` shows.
Callback default_progress();

/// A program and its session, fed with rows of a data set.
class Runner {
 public:
  /// `doing` opens its errors ("fit"); `graph` knows where inputs were built.
  Runner(std::string doing, Program program, const Store& store, const Graph& graph);

  const std::vector<std::string>& columns() const { return columns_; }  ///< what it reads
  const Program& program() const { return program_; }
  /// Throws `Error` unless `data` have a sample, and for every input a column of its type that fits batches of this
  /// size.
  void check(const Dataset& data, std::int64_t batch_size) const;

  void feed(const Batch& batch);
  /// Rows from `begin` up to `end` of tensors, read in place.
  void feed(const Dataset& data, std::int64_t begin, std::int64_t end);
  /// Runs on all of the data in order, in batches, and calls `f(begin, end)` after each. Checks the data first.
  void over(const Dataset& data, std::int64_t batch_size,
            const std::function<void(std::int64_t begin, std::int64_t end)>& f);
  void run(std::stop_token stop = {}) { session_.run(std::move(stop)); }
  const Session& session() const { return session_; }
  void check_numerics() { session_.check_numerics(); }
  /// The first fetched value for every sample: [n, ...].
  Tensor predict(const Dataset& data, std::int64_t batch_size);
  /// The i-th fetched scalar.
  double number(int i) const;

 private:
  std::string doing_;
  Program program_;
  Session session_;
  const Graph* graph_;
  std::vector<std::string> columns_;
};

/// Means over all samples of the scalars that a program fetches first, each batch weighing as much as it has samples.
class Means {
 public:
  explicit Means(std::size_t count) : sums_(count) {}
  /// Goes on from these sums.
  Means(std::vector<double> sums, std::int64_t samples) : sums_(std::move(sums)), samples_(samples) {}
  const std::vector<double>& sums() const { return sums_; }
  void add(const Runner& runner, std::int64_t samples);
  double operator[](std::size_t i) const { return sums_[i] / static_cast<double>(samples_); }

 private:
  std::vector<double> sums_;
  std::int64_t samples_ = 0;
};

/// How far `fit` is in the data.
struct Position {
  std::int64_t epoch = 1, samples = 0, seed = 0;  // of this epoch's samples, how many were trained on
  std::int64_t minibatches = 0;                   // of all its epochs
  std::vector<double> sums = {};                  // of the results over the samples of this epoch
};

/// What early stopping has seen.
struct Watched {
  std::string monitor;
  double best = std::numeric_limits<double>::quiet_NaN();
  int best_epoch = 0, waited = 0;                             // 0: none yet; epochs since the best one
  std::optional<std::pair<Store, Position>> best_state = {};  // at the best epoch's end, where that is to be restored
};

}  // namespace oxbow::optim::internal

namespace oxbow {

struct Model::State {
  std::shared_ptr<Graph> graph;
  std::shared_ptr<Graph>
      stored;  // the same with activations in another dtype, where that is asked for: what is trained
  optim::Minimized step;
  std::vector<std::string> names;  // of the scalars: "loss", then the metrics
  std::vector<Value> scalars;
  Value predictions;
  std::vector<Value> fetches;     // of a step: scalars, what is recorded, then updates
  std::vector<Value> parameters;  // the model's own variables, running statistics included
  std::vector<Value> gathering;   // scalars, then what a minibatch that only adds its gradients up writes
  int accumulate = 1;
  // Scalars and predictions by averaged weights; those of `graph` itself where there are none.
  std::shared_ptr<Graph> averaged;
  std::vector<Value> evaluated;
  Value predicted;
  std::vector<Value> of_batch;  // of that graph, one after the other: `Statistic::batches`
  CompileOptions options;
  Store store;
  optim::internal::Position position;
  std::optional<optim::internal::Watched> watched;  // by the last fit with early stopping
  std::optional<optim::internal::Runner> training, gatherer, evaluation, prediction, refreshing;  // made on first use
  std::optional<Session> observing;  // all observers', made on first use

  class Fit;
  History fit(Model& model, const Dataset* data, const Batches& batches, const FitOptions& options);

  Safetensors content(Saved what) const;
  Restored load(const std::string& path);
  void export_model(const std::string& path, const TableEncoder* columns) const;
  static Model build(Value loss, const optim::Optimizer& optimizer, ModelOptions options, At at);
  optim::internal::Runner& trainer();
  /// For the minibatches of a step but the last.
  optim::internal::Runner& gather();
  /// Tells an epoch's results to the schedules that look at them.
  void observe(const Results& results);
  void average();
  void refresh_statistics(const Dataset& data, std::int64_t batch_size);
  optim::internal::Position begin(const FitOptions& options, std::int64_t samples);
  int gathered(bool resume);
  void reserve(History& history, std::size_t steps) const;
  void record(History& history, const optim::internal::Runner& runner, bool stepped) const;
  CompileOptions inference_options() const;
  optim::internal::Runner& evaluator();
  optim::internal::Runner& predictor();
  Results evaluate(const Dataset& data, std::int64_t batch_size, const std::string& prefix);
};

}  // namespace oxbow
