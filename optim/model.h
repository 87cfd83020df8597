// A model to train, as in the tutorial: a loss and an optimizer, then `fit`, `evaluate`, `predict`.
//
//   Model model = compile(loss, "adam", {.metrics = {{"accuracy", accuracy}}, .predictions = logits});
//   History history = model.fit(train, {.epochs = 10, .batch_size = 64, .validation = test});
//   model.save("mnist.safetensors");
//
// A Model has its own copy of the graph, to which `minimize` appends the step, and its own Store. So the user's graph
// stays as it is, and can be compiled again with another optimizer. Loss and metrics are means over the samples of a
// batch: their mean over a data set weighs each batch by its samples, the last, smaller one included, in double and in
// order, so it is that of all samples. Thread safety: one thread at a time; it runs on the threads of its pool.
#pragma once

#include <oxbow/optim/fit.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/runtime/program.h>

namespace oxbow {

/// A value to be reported beside the loss: a scalar of the graph.
struct Metric {
  std::string name;
  Value value;
};

struct ModelOptions {
  std::vector<Metric> metrics = {};
  optim::MinimizeOptions minimize = {};  ///< groups, clipping, accumulation, averages, norms: optim/minimize.h
  Value predictions = {};                ///< what `predict` computes; its first axis is the samples
  Pool pool = Pool::shared();
  std::optional<Store> store = {};  ///< where the variables live, one of the model's own if empty; those there are kept
  std::vector<std::string> disable = {};  ///< rewrites to leave out, by name: see graph/passes/passes.h
  /// The most bytes that the values of a training step, and of any other run, may take: see runtime/program.h.
  std::optional<std::int64_t> memory_budget = {};
  /// In what dtype values of forward wait for backward while training: bf16 or f16 take half of the memory. Empty: as
  /// they are. See ops/store_activations.h.
  std::optional<DType> activations = {};
  Numerics numerics = {};  ///< whether training looks for NaN and Inf: see runtime/numerics.h
};

/// What `Model::save` writes.
enum class Saved : std::uint8_t {
  parameters,  ///< what prediction needs: the variables of the model itself
  averages,    ///< the same with averaged parameters in the place of those that training moves, under their names
  training     ///< `parameters`, what the optimizer keeps, and how far `fit` is, so that training goes on where it was
};

/// What `Model::load` did not take.
struct Restored {
  /// The rate at which the file's training went, where that was a number and another one was asked for here.
  std::optional<double> other_rate;
};

namespace optim {
struct RateRange;
struct RateRangeOptions;
RateRange find_rate(Model& model, const Dataset& data, RateRangeOptions options);
}  // namespace optim

class TableEncoder;

class Model {
 public:
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// Trains on `data`, whose columns are named like the graph's inputs. Throws `Error` when a column is missing or is
  /// of another type than its input, or when a run fails (a label out of range, say); what earlier steps learned then
  /// stays.
  History fit(const Dataset& data, const FitOptions& options = {});
  /// The same on batches from a function. Throws `Error` for one that has not `batch_size` samples, and what it throws.
  /// Statistics of averaged weights are not refreshed: there are no data to go through again.
  History fit(const Batches& batches, const FitOptions& options = {});

  /// Where weights are averaged: computes the statistics that batch normalisation kept (`ops/layers.h`) anew over all
  /// of `data`, in training mode and by the averaged weights, which then evaluate and predict with them until the next
  /// step. `fit` does this with the data of each epoch at its end, unless told not to. Izmailov et al. 2018,
  /// section 3.2.
  void refresh_statistics(const Dataset& data, std::int64_t batch_size = 256);

  /// Loss and metrics over all of `data`, in inference mode and, where weights are averaged, by the averaged ones.
  Results evaluate(const Dataset& data, std::int64_t batch_size = 256);

  /// `ModelOptions::predictions` for every sample, in inference mode: [n, ...]. Needs only the columns that these
  /// depend on.
  Tensor predict(const Dataset& data, std::int64_t batch_size = 256);
  /// The same for a model whose predictions depend on one input.
  Tensor predict(const Tensor& x, std::int64_t batch_size = 256);

  /// Writes variables to a safetensors file, atomically.
  void save(const std::string& path, Saved what = Saved::parameters) const;
  /// Reads them back. Throws `Error` when the file lacks a parameter of the model, has one that the model lacks, or
  /// another type; nothing is changed then. A file with the training's state sets that as well. Of its learning rates
  /// those are kept whose training was compiled with the same number as this model; else the one asked for here holds.
  Restored load(const std::string& path);

  /// Writes what `load_model` (optim/saved_model.h) predicts with, no building code and no optimizer at hand: the graph
  /// of the predictions and its variables, averaged ones where weights are averaged; with `columns`, how a table
  /// becomes its inputs, and the labels. One file, atomically. Throws `Error` for a model without predictions.
  void export_model(const std::string& path) const;
  void export_model(const std::string& path, const TableEncoder& columns) const;

  /// Steps taken so far.
  std::int64_t steps() const;
  /// Minibatches that the training has seen: this `fit`, or the last one, with what it resumed.
  std::int64_t minibatches() const;
  /// The rate of the next step; with a schedule that of the last step, or of the first while there is none.
  double learning_rate() const;
  /// From the next step on. Parameter groups with an optimizer of their own keep the proportion in which their rates
  /// were compiled, unless these follow a schedule. Throws `Error` where a schedule sets the rate.
  void set_learning_rate(double rate);
  /// The rate of the group with this pattern, which has an optimizer of its own.
  void set_learning_rate(double rate, std::string_view group);

  /// The model's graph with gradients and update; for dumps. Its outputs are named: "loss", the metrics, "predictions".
  const Graph& graph() const;
  /// What training fetches, in that graph: loss, metrics, what is recorded, updates.
  const std::vector<Value>& fetches() const;
  /// The variables' values.
  Store& store();

 private:
  friend optim::RateRange optim::find_rate(Model&, const Dataset&, optim::RateRangeOptions);  // puts all back
  friend Model compile(Value, const optim::Optimizer&, ModelOptions, At);
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A model that minimizes `loss` (values without an optimizer give a Program instead: runtime/program.h), a
/// floating-point scalar: `compile(loss, optim::Adam{.learning_rate = 1e-4})`, or by name. Throws `Error` as
/// `optim::minimize` does, or when a metric is not a scalar or not of the loss's graph.
Model compile(Value loss, const optim::Optimizer& optimizer, ModelOptions options = {}, At at = At::current());

}  // namespace oxbow
